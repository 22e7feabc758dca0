"""Clocks of a request, clocks due next, and the summary."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from services.sla_timer.api.context import CallerOf, ContextOf, visible_channel
from services.sla_timer.api.views import ClockView, SummaryView, view_clock, view_summary
from services.sla_timer.store import reports
from shared.http import Problem, problem_responses
from shared.ids import parse_reference

router = APIRouter(tags=["clocks"])


@router.get("/v1/clocks/{request}", responses=problem_responses(401, 404))
async def clocks_of_request(
    request: str,
    context: ContextOf,
    caller: CallerOf,
    windows: Annotated[bool, Query(description="Add the open time between start and deadline")] = False,
) -> list[ClockView]:
    """Every deadline of a request, by its id or its reference."""
    request_id, reference = _identify(request)
    async with context.database.connection() as connection:
        found = await reports.clocks_of(
            connection, request_id=request_id, reference=reference, channel=visible_channel(caller)
        )
        if found is None:
            raise Problem(404, "request_not_found", "There is no such request here", "It may not have arrived yet.")
        return [
            view_clock(clock, await context.rulebooks.at(connection, clock.policy_version), with_windows=windows)
            for clock in found
        ]


@router.get("/v1/clocks", responses=problem_responses(401, 422))
async def clocks_due_next(
    context: ContextOf,
    caller: CallerOf,
    due_before: Annotated[AwareDatetime | None, Query(description="Only deadlines before this instant")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[ClockView]:
    """Open clocks, earliest deadline first; overdue ones come first of all."""
    async with context.database.connection() as connection:
        found = await reports.due_next(connection, due_before, limit, visible_channel(caller))
        return [view_clock(clock, await context.rulebooks.at(connection, clock.policy_version)) for clock in found]


@router.get("/v1/summary", responses=problem_responses(401))
async def summary(context: ContextOf, _: CallerOf) -> SummaryView:
    """Counts over all clocks and how late decisions were."""
    async with context.database.connection() as connection:
        return view_summary(await reports.summarise(connection), context.rulebooks.in_force.version)


def _identify(text: str) -> tuple[UUID | None, str | None]:
    try:
        return UUID(text), None
    except ValueError:
        reference = parse_reference(text)
    if reference is None:
        raise Problem(404, "reference_mistyped", "The reference is mistyped", "Its check character does not fit.")
    return None, reference
