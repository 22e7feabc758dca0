"""Builders for tests of clocks: a small rulebook, lives of requests, and a reference that walks minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Clock
from services.sla_timer.domain.decisions import Step, advance, start_clocks
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.rules import BudgetKind, Facts, Objective, Policy, Rulebook, Rung, RungKey, RungKind
from shared.contracts.payload import Market
from shared.worktime import Calendar, Window, WorkingTime

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
REQUEST_ID = UUID("01977c00-0000-7000-8000-000000000001")

LADDER = (
    Rung(RungKind.WARNING, 1, fraction=0.5, roles=("team_lead",)),
    Rung(RungKind.BREACH, 1, roles=("team_lead",)),
    Rung(RungKind.ESCALATION, 1, after=HOUR, roles=("operations_manager",)),
    Rung(RungKind.ESCALATION, 2, after=4 * HOUR, roles=("head_of_operations",)),
)
RESPONSE = Objective(
    "response", 2 * HOUR, BudgetKind.ELAPSED, frozenset({"responded", "stage_entered:decision"}), frozenset(), LADDER
)
RESOLUTION = Objective(
    "resolution", 4 * HOUR, BudgetKind.WORKING, frozenset({"closed"}), frozenset({"documents", "doctor"}), LADDER
)
POLICY = Policy("claim", {}, (RESPONSE, RESOLUTION), frozenset({"withdrawn"}))
OFFICE = Calendar("office", "UTC", ((Window(9 * HOUR, 12 * HOUR), Window(13 * HOUR, 18 * HOUR)),) * 5 + ((), ()))
RULEBOOK = Rulebook(7, (POLICY,), {"office": WorkingTime(OFFICE)}, dict.fromkeys(Market, "office"))
FACTS = Facts(kind="claim", market="HK", channel="app", priority="normal", customer_tier="standard")


def at(hours: float, day: int = 1) -> datetime:
    """An instant of the first week of June 2026; the first is a Monday."""
    return MONDAY + timedelta(days=day - 1) + timedelta(minutes=round(hours * 60))


def said(
    sequence: int,
    happening: Happening,
    occurred_at: datetime,
    value: str | None = None,
    recorded_at: datetime | None = None,
) -> RequestEvent:
    return RequestEvent(sequence, happening, occurred_at, recorded_at or occurred_at, value)


@dataclass
class Life:
    """A request and its clocks, moved by events and ticks as the service moves them."""

    case: Case
    clocks: dict[str, Clock]
    steps: list[Step]

    @classmethod
    def begin(cls, occurred_at: datetime, recorded_at: datetime | None = None, policy: Policy = POLICY) -> Life:
        submitted = said(1, Happening.SUBMITTED, occurred_at, recorded_at=recorded_at)
        case = Case(REQUEST_ID, "K7M4Q-2XD9C", FACTS, policy, RULEBOOK, (submitted,))
        steps = start_clocks(case, submitted.recorded_at)
        return cls(case, {step.clock.objective: step.clock for step in steps}, steps)

    def tell(
        self,
        happening: Happening,
        occurred_at: datetime,
        value: str | None = None,
        recorded_at: datetime | None = None,
    ) -> list[Step]:
        entry = said(len(self.case.history) + 1, happening, occurred_at, value, recorded_at)
        self.case = replace(self.case, history=(*self.case.history, entry))
        return self._take([advance(self.case, clock, entry.recorded_at) for clock in self.clocks.values()])

    def tick(self, now: datetime) -> list[Step]:
        return self._take([advance(self.case, clock, now) for clock in self.clocks.values()])

    def standing(self, objective: str) -> dict[RungKey, datetime]:
        """The decisions that were made and not withdrawn, in the order of the steps."""
        decisions: dict[RungKey, datetime] = {}
        for step in self.steps:
            if step.clock.objective != objective:
                continue
            for withdrawal in step.withdrawals:
                del decisions[withdrawal.key]
            for decision in step.decisions:
                assert decision.key not in decisions, "decided twice"
                decisions[decision.key] = decision.true_at
        return decisions

    def told(self, objective: str) -> list[str]:
        """What was announced, by the last word of its type."""
        return [
            announcement.data.TYPE.rpartition(".")[2]
            for step in self.steps
            if step.clock.objective == objective
            for announcement in step.announcements
        ]

    def _take(self, steps: list[Step]) -> list[Step]:
        self.steps += steps
        self.clocks.update((step.clock.objective, step.clock) for step in steps)
        return steps


@dataclass(frozen=True)
class Walked:
    """Attributes:
    state: without telling breached from running and paused.
    decided: what must stand.
    """

    state: str
    decided: dict[RungKey, datetime]


def walk(objective: Objective, history: Sequence[RequestEvent], now: datetime) -> Walked:
    """The same as a reading, by counting minutes. Every instant must lie on a whole minute."""
    working = RULEBOOK.working_time(objective, "HK")
    stops = [e for e in history if e.happening in objective.stops or f"{e.happening}:{e.value}" in objective.stops]
    cancels = [e for e in history if e.happening is Happening.CLOSED and e.value in POLICY.cancelled_by]
    endings = sorted([*stops, *cancels], key=lambda e: (e.occurred_at, e.sequence))
    start = history[0].occurred_at
    end = max(start, endings[0].occurred_at) if endings else None
    pauses = _pauses(objective, history)
    thresholds = {rung.key: rung for rung in objective.ladder}
    decided: dict[RungKey, datetime] = {}
    counted, after_due, due, minute = 0, 0, None, start
    budget = objective.budget // MINUTE
    while minute <= now and (end is None or minute < end):
        if counted >= budget and due is None:
            due = minute
        for key, rung in thresholds.items():
            if key in decided:
                continue
            if rung.fraction is not None:
                is_due = counted >= budget * rung.fraction
            else:
                is_due = due is not None and after_due >= rung.after // MINUTE
            if is_due:
                decided[key] = minute
        stands_still = any(s <= minute and (e is None or minute < e) for s, e in pauses)
        if not stands_still:
            counted += working.is_open(minute)
            after_due += due is not None
        minute += MINUTE
    if end is None:
        return Walked("open", decided)
    if endings[0] in cancels:
        return Walked("cancelled", decided)
    return Walked("missed" if (RungKind.BREACH, 1) in decided else "met", decided)


def _pauses(objective: Objective, history: Sequence[RequestEvent]) -> list[tuple[datetime, datetime | None]]:
    found: list[tuple[datetime, datetime | None]] = []
    for reason in objective.paused_by:
        since: datetime | None = None
        for event in history:
            if event.value != reason:
                continue
            if event.happening is Happening.PAUSED:
                since = event.occurred_at if since is None else min(since, event.occurred_at)
            elif since is not None:
                found.append((since, event.occurred_at))
                since = None
        if since is not None:
            found.append((since, None))
    return found
