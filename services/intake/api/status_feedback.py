"""POST /t/{token}/feedback: how the customer found it. The link is the permission, as for the page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import HTMLResponse

from services.intake.api.answers import json_answer
from services.intake.api.context import Context, ContextOf, outbox_full
from services.intake.api.feedback_bodies import FORM, JSON, REQUEST_BODY, SurveyBody, read_answer, read_form
from services.intake.api.language import choose_language
from services.intake.api.moves import FEEDBACK, RECORDED
from services.intake.api.page import StatusPage
from services.intake.api.problems import REFUSED, translating_refusals
from services.intake.api.status import PAGE_HEADERS, TOKEN, status_page_of
from services.intake.api.status_view import StatusView, view_status
from services.intake.domain.changes import FeedbackGiven
from services.intake.domain.record import RequestRecord
from services.intake.store.lookups import find_by_token
from services.intake.store.refusals import writing
from shared.contracts.payload import Language
from shared.http import Problem, problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["status page"])

_REFUSALS = problem_responses(400, 404, 409, 413, 415, 422, 503)
for _status in (404, 409, 422):
    _REFUSALS[_status]["content"]["text/html"] = {}  # whoever sent the form reads a page


@router.post(
    "/t/{token}/feedback",
    response_class=Response,
    summary="Say how satisfied the customer is",
    openapi_extra=REQUEST_BODY,
    responses={
        200: {"model": StatusView, "description": "To JSON: what the page says now"},
        303: {
            "description": "To a form: back to the page",
            "headers": {"Location": {"schema": {"type": "string"}, "description": "The page, relative to this call"}},
        },
        **_REFUSALS,
    },
)
async def give_feedback(
    token: str,
    request: Request,
    context: ContextOf,
    page: Annotated[StatusPage, Depends(status_page_of)],
    lang: Annotated[str | None, Query(description="zh-Hant, zh-Hans or en; before the browser's choice")] = None,
    accept_language: Annotated[str | None, Header()] = None,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Taken while the request is closed. The last answer holds; the same one again changes nothing, so no
    idempotency key is needed, and five answers are taken in all.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in {FORM, JSON}:
        detail = f"Send {JSON}, or {FORM} as the page does."
        raise Problem(415, "unsupported_media_type", "A form or JSON is needed", detail)
    if context.is_outbox_full:
        raise outbox_full(context.retry_after_seconds)
    content = await request.body()
    if media_type == FORM:
        language = choose_language(lang, accept_language, Language.ENGLISH)
        return await _answer_form(context, page, token, content, language)
    record = await _take(context, token, read_answer(content))
    language = choose_language(lang, accept_language, record.language)
    async with context.database.connection() as connection:
        process = await context.processes.of(connection, record.life.process, record.life.process_version)
    view = view_status(page, record, process, language)
    return json_answer(view.model_dump_json(), 200, {**PAGE_HEADERS, "Content-Language": language})


async def _answer_form(context: Context, page: StatusPage, token: str, content: bytes, language: Language) -> Response:
    """Back to the page, or a page that says why not."""
    address = f"../{token}" if TOKEN.fullmatch(token) else ".."
    words = page.words[language].feedback
    try:
        body = read_form(content)
    except ValueError:
        REFUSED.labels("invalid_fields").inc()
        return _page_answer(page, 422, page.draw_refused(language, words.wrong, address))
    try:
        await _take(context, token, body)
    except Problem as problem:
        REFUSED.labels(problem.code).inc()
        is_unknown = problem.status == HTTPStatus.NOT_FOUND
        drawn = (
            page.draw_unknown(language, address) if is_unknown else page.draw_refused(language, words.refused, address)
        )
        return _page_answer(page, problem.status, drawn)
    return Response(status_code=303, headers={**PAGE_HEADERS, "Location": f"{address}?lang={language}"})


def _page_answer(page: StatusPage, status: int, drawn: str) -> Response:
    return HTMLResponse(drawn, status, {**PAGE_HEADERS, "Content-Security-Policy": page.content_policy})


async def _take(context: Context, token: str, body: SurveyBody) -> RequestRecord:
    """The request after the answer.

    Raises:
        Problem: 404, nobody was given the link; 409, it is not the time for an answer.
    """
    async with context.database.connection() as connection:
        known = await find_by_token(connection, token) if TOKEN.fullmatch(token) else None
    if known is None:
        raise Problem(404, "link_unknown", "Nobody was given this link", headers=PAGE_HEADERS)
    with translating_refusals():
        async with writing(context.database) as connection:
            record, is_new = await context.moving.answer_survey(connection, known.reference, body.score, body.text)
    if is_new:
        RECORDED.labels(FeedbackGiven.TYPE, record.life.kind).inc()
        FEEDBACK.labels(record.life.kind, body.score).inc()
    return record
