"""Counts over all clocks."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.sla_timer.api.context import ContextOf
from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.rules import RungKind
from services.sla_timer.store import reports
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["clocks"])


class SummaryView(BaseModel):
    open: int
    running: int
    paused: int
    breached: int
    met: int
    missed: int
    cancelled: int
    warnings: int
    breaches: int
    escalations: int
    pause_alarms: int
    next_timer_at: datetime | None = Field(description="When the first timer is due; in the past while it is overdue")
    policy_version: int
    lateness_p50_ms: float | None = Field(description="Real milliseconds, of the last 10,000 decisions")
    lateness_p99_ms: float | None


@router.get("/v1/summary", responses=problem_responses(401))
async def summary(context: ContextOf) -> SummaryView:
    """Counts over all clocks and how late decisions were."""
    async with context.database.connection() as connection:
        found = await reports.summarise(connection)
    states = {state: found.states.get(state, 0) for state in ClockState}
    return SummaryView(
        open=states[ClockState.RUNNING] + states[ClockState.PAUSED] + states[ClockState.BREACHED],
        running=states[ClockState.RUNNING],
        paused=states[ClockState.PAUSED],
        breached=states[ClockState.BREACHED],
        met=states[ClockState.MET],
        missed=states[ClockState.MISSED],
        cancelled=states[ClockState.CANCELLED],
        warnings=found.decisions.get(RungKind.WARNING, 0),
        breaches=found.decisions.get(RungKind.BREACH, 0),
        escalations=found.decisions.get(RungKind.ESCALATION, 0),
        pause_alarms=found.decisions.get(RungKind.PAUSE_ALARM, 0),
        next_timer_at=found.next_timer_at,
        policy_version=context.rulebooks.in_force.version,
        lateness_p50_ms=found.lateness_p50_ms,
        lateness_p99_ms=found.lateness_p99_ms,
    )
