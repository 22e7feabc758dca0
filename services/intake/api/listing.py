"""Lists of requests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.intake.api.answers import json_answer
from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.filters import Filters, read_wanted
from services.intake.api.listing_views import ListView, view_list
from services.intake.api.paging import LINK, link_next
from services.intake.api.places import read_place
from services.intake.api.references import check_found_nothing
from services.intake.api.visibility import visibility_of
from services.intake.store.listing.finding import find
from services.intake.store.listing.pages import count_up_to, list_page
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["requests"])


@router.get(
    "/v1/requests",
    response_class=Response,
    summary="List requests, newest first",
    description=(
        "The filters may be combined. A page ends when it is full or when it has come past 5,000 requests, so that its"
        " cost is bounded whatever the filters: it may have few lines, or none, and a `next`."
    ),
    responses={
        200: {"model": ListView, "description": "A page of them", "headers": LINK},
        **problem_responses(401, 422, 503),
    },
)
async def list_(
    request: Request, caller: CallerOf, context: ContextOf, filters: Annotated[Filters, Query()]
) -> Response:
    wanted = read_wanted(filters, visibility_of(caller))
    after = read_place(filters.after, wanted, context.seal)
    async with context.database.snapshot() as connection:
        if filters.q is not None:
            page = await find(connection, wanted, filters.q, filters.limit)
            if not page.lines:
                check_found_nothing(filters.q)
        else:
            page = await list_page(connection, wanted, after, filters.limit)
        count = await count_up_to(connection, wanted) if filters.count else None
    view = view_list(page, count, wanted, context.seal)
    answer = json_answer(view.model_dump_json(), 200)
    if view.next is not None:
        link_next(request, answer, view.next)
    return answer
