"""Looking one request up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from services.intake.api.answers import json_answer
from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.etags import is_known, make_etag
from services.intake.api.problems import not_found
from services.intake.api.references import ReferenceOf
from services.intake.api.showing import show_request
from services.intake.api.views import RequestView
from services.intake.api.visibility import visibility_of
from services.intake.store.lookups import find_by_reference
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["requests"])

_MOST = 2**31 - 1  # an integer of Postgres


@router.get(
    "/v1/requests/{reference}",
    response_class=Response,
    summary="Look a request up",
    responses={
        200: {
            "model": RequestView,
            "description": "The request",
            "headers": {"ETag": {"schema": {"type": "string"}, "description": "For If-Match and If-None-Match"}},
        },
        304: {"description": "It is as If-None-Match says, or has no entry after `since`"},
        **problem_responses(401, 404, 422, 503),
    },
)
async def look_up(
    reference: ReferenceOf,
    caller: CallerOf,
    context: ContextOf,
    since: Annotated[
        int | None,
        Query(ge=0, le=_MOST, description="A version: only later entries of the history; 304 when there is none"),
    ] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    visibility = visibility_of(caller)
    async with context.database.connection() as connection:
        record = await find_by_reference(connection, reference, visibility)
        if record is None:
            raise not_found()
        if since is not None and record.life.version <= since:
            return Response(status_code=304, headers={"ETag": f'"{record.life.version}"'})
        body = (await show_request(context, connection, record, visibility, caller, since)).model_dump_json()
    headers = {"ETag": make_etag(record.life.version, body)}
    if is_known(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return json_answer(body, 200, headers)
