"""The bodies of answers. Instants are UTC business time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.rules import Objective, Rulebook, RungKind
from services.sla_timer.store.policy_versions import PolicyVersion
from services.sla_timer.store.reports import ReportedClock, Summary
from shared.worktime import WorkingTime


class DecisionView(BaseModel):
    kind: RungKind
    level: int
    at: datetime = Field(description="When it became true")
    recorded_at: datetime
    lateness_seconds: float = Field(description="Business seconds between the two")
    withdrawn_at: datetime | None = Field(description="When late news proved it wrong")


class RungView(BaseModel):
    """What is still to come."""

    kind: RungKind
    level: int
    at: datetime
    roles: list[str]


class WindowView(BaseModel):
    start: datetime
    end: datetime


class ClockView(BaseModel):
    clock_id: UUID
    request_id: UUID
    reference: str
    objective: str
    cycle: int
    state: ClockState
    started_at: datetime
    due_at: datetime | None = Field(description="null while the clock stands still before its deadline")
    stopped_at: datetime | None
    is_paused: bool
    is_provisional: bool = Field(description="The deadline lies past the date until which the calendar is known")
    warned: bool
    escalation_level: int
    policy: str
    policy_version: int
    budget_seconds: float
    budget_kind: str
    calendar: str
    decisions: list[DecisionView]
    next: list[RungView]
    windows: list[WindowView] | None = Field(
        None, description="Open time from start to deadline; asked for by ?windows=true"
    )


class PolicyView(BaseModel):
    version: int
    digest: str
    loaded_at: datetime
    origin: str
    author: str
    source: str = Field(description="The policies as text")
    calendars_source: str
    trouble: str | None = Field(description="Why the rule files cannot be used; the version shown stays in force")


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
    timers_pending: int
    oldest_due_at: datetime | None
    policy_version: int
    lateness_p50_ms: float | None = Field(description="Real milliseconds, of the last 10,000 decisions")
    lateness_p99_ms: float | None


def view_clock(clock: ReportedClock, rulebook: Rulebook, *, with_windows: bool = False) -> ClockView:
    objective = rulebook.policy(clock.policy).objective(clock.objective)
    working = rulebook.working_time(objective, clock.market)
    reading = clock.reading
    standing = [decision for decision in clock.decisions if decision.withdrawn_at is None]
    return ClockView(
        clock_id=clock.clock_id,
        request_id=clock.request_id,
        reference=clock.reference,
        objective=clock.objective,
        cycle=clock.cycle,
        state=reading.state,
        started_at=reading.started_at,
        due_at=reading.due_at,
        stopped_at=reading.ended_at,
        is_paused=reading.is_paused,
        is_provisional=reading.due_at is not None and not working.calendar.is_known_at(reading.due_at),
        warned=any(decision.kind == RungKind.WARNING for decision in standing),
        escalation_level=max((d.level for d in standing if d.kind == RungKind.ESCALATION), default=0),
        policy=clock.policy,
        policy_version=clock.policy_version,
        budget_seconds=objective.budget.total_seconds(),
        budget_kind=objective.budget_kind,
        calendar=working.calendar.name,
        decisions=[
            DecisionView(
                kind=RungKind(decision.kind),
                level=decision.level,
                at=decision.true_at,
                recorded_at=decision.recorded_at,
                lateness_seconds=(decision.recorded_at - decision.true_at).total_seconds(),
                withdrawn_at=decision.withdrawn_at,
            )
            for decision in clock.decisions
        ],
        next=_to_come(clock, objective),
        windows=_windows(clock, working) if with_windows else None,
    )


def view_policy(version: PolicyVersion, trouble: str | None) -> PolicyView:
    return PolicyView(
        version=version.version,
        digest=version.sources.digest,
        loaded_at=version.loaded_at,
        origin=version.origin,
        author=version.author,
        source=version.sources.policies,
        calendars_source=version.sources.calendars,
        trouble=trouble,
    )


def view_summary(summary: Summary, policy_version: int) -> SummaryView:
    states = {state: summary.states.get(state, 0) for state in ClockState}
    return SummaryView(
        open=states[ClockState.RUNNING] + states[ClockState.PAUSED] + states[ClockState.BREACHED],
        running=states[ClockState.RUNNING],
        paused=states[ClockState.PAUSED],
        breached=states[ClockState.BREACHED],
        met=states[ClockState.MET],
        missed=states[ClockState.MISSED],
        cancelled=states[ClockState.CANCELLED],
        warnings=summary.decisions.get(RungKind.WARNING, 0),
        breaches=summary.decisions.get(RungKind.BREACH, 0),
        escalations=summary.decisions.get(RungKind.ESCALATION, 0),
        timers_pending=summary.timers_pending,
        oldest_due_at=summary.oldest_due_at,
        policy_version=policy_version,
        lateness_p50_ms=summary.lateness_p50_ms,
        lateness_p99_ms=summary.lateness_p99_ms,
    )


def _to_come(clock: ReportedClock, objective: Objective) -> list[RungView]:
    reading = clock.reading
    return [
        RungView(kind=rung.kind, level=rung.level, at=at, roles=list(rung.roles))
        for index, (rung, at) in enumerate(zip(objective.ladder, reading.rung_ats, strict=True))
        if at is not None and reading.is_pending(index)
    ]


def _windows(clock: ReportedClock, working: WorkingTime) -> list[WindowView]:
    if clock.reading.due_at is None:
        return []
    found = working.windows(clock.reading.started_at, clock.reading.due_at)
    return [WindowView(start=start, end=end) for start, end in found]
