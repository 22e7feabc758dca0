"""Why a deadline is where it is, and why a request got its policy."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from services.sla_timer.api.context import ContextOf
from services.sla_timer.api.explanation_views import (
    ClockExplanationView,
    ExplanationView,
    PolicyChoiceView,
    view_choice,
    view_explanation,
)
from services.sla_timer.api.finding import find_request, sees_merged
from services.sla_timer.domain.choosing import explain_choices
from services.sla_timer.domain.explaining import explain
from services.sla_timer.store import reports
from shared.http import problem_responses
from shared.http.access import GuardedRoute, PrincipalOf

router = APIRouter(route_class=GuardedRoute, tags=["clocks"])


@router.get("/v1/clocks/{request}/explanation", responses=problem_responses(401, 404))
async def explain_clocks(request: str, context: ContextOf, caller: PrincipalOf) -> ExplanationView:
    """Every deadline of a request as the sum of what was counted, with what was left out and what moved it."""
    async with context.database.transaction() as connection:
        await reports.hold_still(connection)
        found = await find_request(context, connection, request, caller)
        names_others = await sees_merged(connection, found, caller)
    case, now = context.loading.case(found), context.clock.now()
    clocks: list[ClockExplanationView] = []
    for code in case.objectives():
        clocks += [view_explanation(explanation, names_others=names_others) for explanation in explain(case, code, now)]
        await asyncio.sleep(0)  # the history is told again for each: timers have their turn in between
    return ExplanationView(request_id=found.request_id, reference=found.reference, read_at=now, clocks=clocks)


@router.get("/v1/clocks/{request}/policy", responses=problem_responses(401, 404))
async def explain_policy(request: str, context: ContextOf, caller: PrincipalOf) -> PolicyChoiceView:
    """Which policy a request got and why, condition by condition, at its beginning and after every change."""
    async with context.database.transaction() as connection:
        await reports.hold_still(connection)
        found = await find_request(context, connection, request, caller)
    choices = explain_choices(context.loading.case(found))
    return PolicyChoiceView(
        request_id=found.request_id, reference=found.reference, choices=[view_choice(choice) for choice in choices]
    )
