"""Looking requests up."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from services.intake.api.answers import json_answer
from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.etags import is_known, make_etag
from services.intake.api.problems import not_found
from services.intake.api.references import ReferenceOf
from services.intake.api.views import ListView, RequestView, view_list, view_request
from services.intake.api.visibility import visibility_of
from services.intake.store.lookups import NEWEST, find_by_reference, list_requests
from shared.http import problem_responses

router = APIRouter(tags=["requests"])


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
        304: {"description": "It is as If-None-Match says"},
        **problem_responses(401, 404, 422, 503),
    },
)
async def look_up(
    reference: ReferenceOf,
    caller: CallerOf,
    context: ContextOf,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    async with context.database.connection() as connection:
        record = await find_by_reference(connection, reference, visibility_of(caller))
        if record is None:
            raise not_found()
        process = await context.processes.of(connection, record.life.process, record.life.process_version)
    body = view_request(record, process, context.clock.now(), context.public_url).model_dump_json()
    headers = {"ETag": make_etag(record.life.version, body)}
    if is_known(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return json_answer(body, 200, headers)


@router.get(
    "/v1/requests",
    response_class=Response,
    summary="List requests, newest first",
    responses={200: {"model": ListView, "description": "A page of them"}, **problem_responses(401, 422, 503)},
)
async def list_(
    caller: CallerOf,
    context: ContextOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
) -> Response:
    async with context.database.connection() as connection:
        listed = await list_requests(connection, visibility_of(caller), after or NEWEST, limit)
    return json_answer(view_list(listed, limit).model_dump_json(), 200)
