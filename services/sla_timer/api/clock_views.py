"""Clocks as answers show them. Instants are UTC business time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Clock, ClockState, Course, Reading, read_clocks
from services.sla_timer.domain.deadlines import RungInstant, Target
from services.sla_timer.domain.explaining import is_provisional
from services.sla_timer.domain.rules import ELAPSED_TIME, Budget, BudgetKind, Mode, Party, RungKind
from services.sla_timer.domain.spans import write_budget
from services.sla_timer.store.reports import ReportedDecision
from services.sla_timer.store.tracked import TrackedRequest

ALWAYS_OPEN_NAME = "always_open"


class DecisionView(BaseModel):
    kind: RungKind
    level: int
    at: datetime = Field(description="When it became true")
    recorded_at: datetime
    lateness_seconds: float = Field(description="Business seconds between the two")
    withdrawn_at: datetime | None = Field(description="When late news proved it wrong")


class RungView(BaseModel):
    """Something that comes at an instant, and whom it tells."""

    kind: RungKind
    level: int
    at: datetime
    roles: list[str]


class OpenTimeView(BaseModel):
    start: datetime
    end: datetime


class ClockView(BaseModel):
    clock_id: UUID
    request_id: UUID
    reference: str
    objective: str
    cycle: int
    party: Party
    state: ClockState
    cause: str | None = Field(description="Why it was cancelled")
    stage: str | None = Field(description="Where the request is now")
    team: str | None = Field(description="Whose it is now")
    started_at: datetime
    due_at: datetime | None = Field(description="null while the clock stands still before its deadline")
    stopped_at: datetime | None
    is_paused: bool
    is_provisional: bool = Field(description="The deadline lies past the date until which the calendar is known")
    warned: bool
    escalation_level: int
    policy: str
    policy_version: int
    mode: Mode = Field(description="The mode whose budget counts")
    budget: str | None = Field(description="As the policy writes it; null for a cycle that never was, as is known now")
    budget_kind: BudgetKind | None
    budget_seconds: float | None = Field(description="null for a budget in working days")
    extension_seconds: float = Field(description="Granted beyond the budget")
    calendar: str | None
    decisions: list[DecisionView]
    next: list[RungView] = Field(description="What is known to come")
    windows: list[OpenTimeView] | None = Field(
        None, description="Open time from start to deadline; asked for by ?windows=true"
    )


def view_clock(
    request: TrackedRequest,
    case: Case,
    clock: Clock,
    decisions: Sequence[ReportedDecision],
    *,
    with_windows: bool = False,
) -> ClockView:
    """A clock as it was last read; what is to come is read from the case again."""
    reading = clock.reading
    course = _course(case, clock)
    target = course.target if course is not None else None
    standing = [decision for decision in decisions if decision.withdrawn_at is None]
    return ClockView(
        clock_id=clock.clock_id,
        request_id=clock.request_id,
        reference=request.reference,
        objective=clock.objective,
        cycle=clock.cycle,
        party=Party(clock.party),
        state=reading.state,
        cause=reading.cause,
        stage=request.stage,
        team=request.team,
        started_at=reading.started_at,
        due_at=reading.due_at,
        stopped_at=reading.ended_at,
        is_paused=reading.is_paused,
        is_provisional=course is not None and is_provisional(course.target),
        warned=any(decision.kind == RungKind.WARNING for decision in standing),
        escalation_level=max((d.level for d in standing if d.kind == RungKind.ESCALATION), default=0),
        policy=clock.policy,
        policy_version=clock.policy_version,
        mode=clock.mode,
        budget=None if target is None else write_budget(target.budget),
        budget_kind=None if target is None else target.budget.kind,
        budget_seconds=None if target is None else budget_seconds(target.budget),
        extension_seconds=0.0 if target is None else target.extension.total_seconds(),
        calendar=None if target is None else calendar_name(target),
        decisions=[_view_decision(decision) for decision in decisions],
        next=[] if course is None else view_rungs(course.to_come),
        windows=_open_time(clock.reading, target) if with_windows else None,
    )


def _open_time(reading: Reading, target: Target | None) -> list[OpenTimeView]:
    if reading.due_at is None or target is None:
        return []
    working = ELAPSED_TIME if target.budget.kind is BudgetKind.ELAPSED else target.working
    return [OpenTimeView(start=start, end=end) for start, end in working.windows(reading.started_at, reading.due_at)]


def _course(case: Case, clock: Clock) -> Course | None:
    """None for a cycle that, as late news has shown, never began."""
    courses = read_clocks(case, clock.objective, clock.reading.read_at)
    return next((course for course in courses if course.cycle.number == clock.cycle), None)


def calendar_name(target: Target) -> str:
    """What the budget is counted on."""
    return ALWAYS_OPEN_NAME if target.budget.kind is BudgetKind.ELAPSED else target.working.calendar.name


def budget_seconds(budget: Budget) -> float | None:
    return None if budget.kind is BudgetKind.DAYS else budget.span.total_seconds()


def view_rungs(rungs: Sequence[RungInstant]) -> list[RungView]:
    in_order = sorted(rungs, key=lambda rung: rung[1])
    return [RungView(kind=key.kind, level=key.level, at=at, roles=list(rung.roles)) for key, at, rung in in_order]


def _view_decision(decision: ReportedDecision) -> DecisionView:
    return DecisionView(
        kind=RungKind(decision.kind),
        level=decision.level,
        at=decision.true_at,
        recorded_at=decision.recorded_at,
        lateness_seconds=(decision.recorded_at - decision.true_at).total_seconds(),
        withdrawn_at=decision.withdrawn_at,
    )
