"""GET /t/{token}.json: what the customer's page says, for an app that draws it. The link is the permission."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from services.intake.api.answers import json_answer
from services.intake.api.context import ContextOf
from services.intake.api.language import choose_language
from services.intake.api.page import StatusPage
from services.intake.api.status import PAGE_HEADERS, TOKEN, status_page_of
from services.intake.api.status_view import StatusView, view_status
from services.intake.store.lookups import find_by_token
from shared.http import Problem, problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["status page"])


@router.get(
    "/t/{token}.json",
    response_class=Response,
    summary="The customer's status as data",
    responses={
        200: {"model": StatusView, "description": "What the page says"},
        **problem_responses(404, 422, 503),
    },
)
async def status_data(
    token: str,
    context: ContextOf,
    page: Annotated[StatusPage, Depends(status_page_of)],
    lang: Annotated[str | None, Query(description="zh-Hant, zh-Hans or en; before what the app's header asks")] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> Response:
    if TOKEN.fullmatch(token):
        async with context.database.connection() as connection:
            record = await find_by_token(connection, token)
            if record is not None:
                life = record.life
                process = await context.processes.of(connection, life.process, life.process_version)
                language = choose_language(lang, accept_language, record.language)
                view = view_status(page, record, process, language)
                return json_answer(view.model_dump_json(), 200, {**PAGE_HEADERS, "Content-Language": language})
    raise Problem(404, "link_unknown", "Nobody was given this link", headers=PAGE_HEADERS)
