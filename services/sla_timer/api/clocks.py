"""Clocks of a request, and clocks due next."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.sla_timer.api.clock_views import ClockView, view_clock
from services.sla_timer.api.context import Context, ContextOf
from services.sla_timer.api.finding import find_request
from services.sla_timer.api.paging import link_next, read_place, write_place
from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.store import reports
from services.sla_timer.store.reports import Place, Wanted
from shared.contracts.payload import Instant
from shared.http import problem_responses
from shared.http.access import GuardedRoute, PrincipalOf
from shared.postgres import Connection

router = APIRouter(route_class=GuardedRoute, tags=["clocks"])

_VIEWS_AT_ONCE = 20
"""Each is read from its history again, which takes a fraction of a millisecond: timers have their turn in between."""

_WORD = r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$"


@router.get("/v1/clocks/{request}", responses=problem_responses(401, 404))
async def clocks_of_request(
    request: str,
    context: ContextOf,
    caller: PrincipalOf,
    windows: Annotated[bool, Query(description="Add the open time between start and deadline")] = False,
) -> list[ClockView]:
    """Every deadline of a request, by its id or its reference, all cycles."""
    async with context.database.transaction() as connection:
        await reports.hold_still(connection)
        found = await find_request(context, connection, request, caller)
        clocks = [found.clocks[key] for key in sorted(found.clocks)]
        decisions = await reports.load_decisions(connection, clocks)
    case = context.loading.case(found)
    return [
        view_clock(found, case, clock, decisions.get((clock.clock_id, clock.cycle), ()), with_windows=windows)
        for clock in clocks
    ]


class Filters(BaseModel):
    due_before: Instant | None = Field(None, description="Only deadlines before this instant")
    team: str | None = Field(None, description="Only of requests that this team has", pattern=_WORD)
    stage: str | None = Field(None, description="Only of requests in this stage", pattern=_WORD)
    role: str | None = Field(None, description="Only promises of whose ladder this role is told", pattern=_WORD)
    state: ClockState | None = Field(None, description="Of the open ones: running, paused, breached")
    objective: str | None = Field(None, pattern=_WORD)


@router.get("/v1/clocks", responses=problem_responses(401, 422))
async def clocks_due_next(
    context: ContextOf,
    caller: PrincipalOf,
    request: Request,
    response: Response,
    filters: Annotated[Filters, Depends()],
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: Annotated[str | None, Query(description="Where the page before ended; from its Link header")] = None,
) -> list[ClockView]:
    """Open clocks that have a deadline, the earliest first; overdue ones come first of all."""
    place = read_place(after)
    async with context.database.transaction() as connection:
        await reports.hold_still(connection)
        wanted = Wanted(
            due_before=filters.due_before,
            channel=caller.visible_channel,
            teams=caller.visible_teams,
            team=filters.team,
            stage=filters.stage,
            state=filters.state,
            objective=filters.objective,
            promises=None if filters.role is None else await _promises_telling(context, connection, filters.role),
        )
        clocks = await reports.due_next(connection, wanted, place, limit)
        requests = await context.loading.take(connection, (clock.request_id for clock in clocks))
        decisions = await reports.load_decisions(connection, clocks)
    if len(clocks) == limit:
        last = clocks[-1]
        assert last.reading.due_at is not None  # only clocks with a deadline were asked for
        link_next(request, response, write_place(Place(last.reading.due_at, last.clock_id)))
    views: list[ClockView] = []
    for number, clock in enumerate(clocks, start=1):
        found = requests[clock.request_id]
        told = decisions.get((clock.clock_id, clock.cycle), ())
        views.append(view_clock(found, context.loading.case(found), clock, told))
        if number % _VIEWS_AT_ONCE == 0:
            await asyncio.sleep(0)
    return views


async def _promises_telling(context: Context, connection: Connection, role: str) -> list[str]:
    """The promises of every version of the rules of whose ladder a role is told."""
    return [
        f"{rulebook.version}/{policy.code}/{objective.code}"
        for rulebook in await context.rulebooks.all_readable(connection)
        for policy in rulebook.policies
        for objective in policy.objectives
        if any(role in rung.roles for rung in objective.ladder)
        or (objective.longest_pause is not None and role in objective.longest_pause.roles)
    ]
