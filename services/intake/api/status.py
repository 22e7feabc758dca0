"""GET /t/{token}: the customer's page. The link is the permission; it is told to nobody else."""

from __future__ import annotations

import re
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import HTMLResponse

from services.intake.api.context import ContextOf
from services.intake.api.language import choose_language
from services.intake.api.page import StatusPage
from services.intake.store.lookups import find_by_token
from shared.contracts.payload import Language
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["status page"])

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


PAGE_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}
"""Of every answer about a link."""


async def status_page_of(request: Request) -> StatusPage:
    return cast(StatusPage, request.app.state.status_page)


@router.get(
    "/t/{token}",
    response_class=HTMLResponse,
    summary="The customer's status page",
    responses={
        404: {"description": "A page that says so: nobody was given this link", "content": {"text/html": {}}},
        **problem_responses(422, 503),
    },
)
async def status(
    token: str,
    context: ContextOf,
    page: Annotated[StatusPage, Depends(status_page_of)],
    lang: Annotated[str | None, Query(description="zh-Hant, zh-Hans or en; before the browser's choice")] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> HTMLResponse:
    headers = {**PAGE_HEADERS, "Content-Security-Policy": page.content_policy}
    if TOKEN.fullmatch(token):
        async with context.database.connection() as connection:
            record = await find_by_token(connection, token)
            if record is not None:
                life = record.life
                process = await context.processes.of(connection, life.process, life.process_version)
                language = choose_language(lang, accept_language, record.language)
                return HTMLResponse(page.draw(record, process, language, context.clock.now()), 200, headers)
    language = choose_language(lang, accept_language, Language.ENGLISH)
    return HTMLResponse(page.draw_unknown(language), 404, headers)
