"""Looking requests up."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.intake.api.answers import json_answer
from services.intake.api.context import CallerOf, ContextOf, visible_channel
from services.intake.api.problems import mistyped, not_found
from services.intake.api.views import ListView, RequestView, view_list, view_request
from services.intake.store.lookups import NEWEST, find_by_reference, list_requests
from shared.http import problem_responses
from shared.ids import parse_reference

router = APIRouter(tags=["requests"])


@router.get(
    "/v1/requests/{reference}",
    response_class=Response,
    summary="Look a request up",
    responses={200: {"model": RequestView, "description": "The request"}, **problem_responses(401, 404, 422, 503)},
)
async def look_up(reference: str, caller: CallerOf, context: ContextOf) -> Response:
    canonical = parse_reference(reference)
    if canonical is None:
        raise mistyped()
    async with context.database.connection() as connection:
        record = await find_by_reference(connection, canonical, visible_channel(caller))
    if record is None:
        raise not_found()
    return json_answer(view_request(record, context.public_url).model_dump_json(), 200)


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
        listed = await list_requests(connection, visible_channel(caller), after or NEWEST, limit)
    return json_answer(view_list(listed, limit).model_dump_json(), 200)
