"""Builders for tests of clocks: small rules on an office calendar, and lives of requests that move as the service moves
them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.sla_timer.domain.case import Case, extend_case, insert_entry, open_case
from services.sla_timer.domain.clocks import Clock, ClockState, Reading, Timer
from services.sla_timer.domain.decisions import Step, advance, by_objective, concerns, objectives_of, start
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import Happening, Origin, RequestEvent
from services.sla_timer.domain.rules import (
    Budget,
    BudgetKind,
    Mode,
    Objective,
    Policy,
    Rulebook,
    Rung,
    RungKey,
    RungKind,
)
from shared.contracts.payload import Market
from shared.rules.conditions import ALWAYS, Among
from shared.worktime import Calendar, Window, WorkingTime

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
REQUEST_ID = UUID("01977c00-0000-7000-8000-000000000001")

WARNING = RungKey(RungKind.WARNING, 1)
BREACH = RungKey(RungKind.BREACH, 1)
FIRST, SECOND = RungKey(RungKind.ESCALATION, 1), RungKey(RungKind.ESCALATION, 2)
ALARM = RungKey(RungKind.PAUSE_ALARM, 1)


def elapsed(hours: float) -> Budget:
    return Budget(BudgetKind.ELAPSED, hours * HOUR)


def working(hours: float) -> Budget:
    return Budget(BudgetKind.WORKING, hours * HOUR)


def days(number: int, *, end_of_day: bool = False) -> Budget:
    return Budget(BudgetKind.DAYS, days=number, is_end_of_day=end_of_day)


BREACH_RUNG = Rung(RungKind.BREACH, 1, roles=("team_lead",))
LADDER = (
    Rung(RungKind.WARNING, 1, fraction=0.5, roles=("team_lead",)),
    BREACH_RUNG,
    Rung(RungKind.ESCALATION, 1, after=HOUR, roles=("operations_manager",)),
    Rung(RungKind.ESCALATION, 2, after=4 * HOUR, roles=("head_of_operations",)),
)


def promise(code: str, budget: Budget, **fields: Any) -> Objective:
    """An objective with a ladder of a warning at half the budget, the breach and two escalations."""
    fields.setdefault("ladder", LADDER)
    for name in ("starts", "stops", "resets", "cancels", "paused_by"):
        if name in fields:
            fields[name] = frozenset(fields[name])
    return Objective(code, budget, **fields)


RESPONSE = promise("response", elapsed(2), stops=["responded", "stage_entered:decision", "closed"])
RESOLUTION = promise(
    "resolution",
    working(4),
    starts=["submitted", "reopened"],
    cancels=["closed:withdrawn"],
    paused_by=["documents", "doctor"],
)
POLICY = Policy("claim", ALWAYS, (RESPONSE, RESOLUTION))
OFFICE = Calendar("office", "UTC", ((Window(9 * HOUR, 12 * HOUR), Window(13 * HOUR, 18 * HOUR)),) * 5 + ((), ()))
MORNINGS = Calendar("mornings", "UTC", ((Window(9 * HOUR, 12 * HOUR),),) * 5 + ((), ()))
CALENDARS = {"office": WorkingTime(OFFICE), "mornings": WorkingTime(MORNINGS)}
FACTS = Facts(kind="claim", market="HK", channel="app", priority="normal", customer_tier="standard")


def rules(*policies: Policy, version: int = 7, calendar: str = "office") -> Rulebook:
    return Rulebook(version, policies, CALENDARS, dict.fromkeys(Market, calendar))


def policy(*objectives: Objective, urgent: tuple[Objective, ...] = ()) -> tuple[Policy, ...]:
    """One policy for all requests, and another for the urgent ones when it is given."""
    every = Policy("claim", ALWAYS, objectives)
    return (Policy("urgent_claim", Among("priority", frozenset({"urgent"})), urgent), every) if urgent else (every,)


RULEBOOK = rules(POLICY)


def at(hours: float, day: int = 1) -> datetime:
    """An instant of the first weeks of June 2026; the first is a Monday."""
    return MONDAY + timedelta(days=day - 1) + timedelta(minutes=round(hours * 60))


def said(
    sequence: int,
    happening: Happening,
    occurred_at: datetime,
    value: str | None = None,
    recorded_at: datetime | None = None,
    details: Mapping[str, Any] | None = None,
    origin: Origin = Origin.INTAKE,
) -> RequestEvent:
    return RequestEvent(sequence, happening, occurred_at, recorded_at or occurred_at, value, details, origin)


@dataclass
class Life:
    """A request and its clocks, moved by events and by the time as the service moves them.

    Attributes:
        rulebooks: by version; the first is the one that the request begins with.
    """

    rulebooks: dict[int, Rulebook]
    history: list[RequestEvent] = field(default_factory=list)
    clocks: dict[tuple[str, int], Clock] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    facts: Facts = FACTS
    _case: Case | None = None

    @classmethod
    def begin(
        cls,
        occurred_at: datetime,
        *objectives: Objective,
        urgent: tuple[Objective, ...] = (),
        stage: str | None = None,
        recorded_at: datetime | None = None,
        mode: Mode | None = None,
        later: tuple[Rulebook, ...] = (),
    ) -> Life:
        """Args:
        objectives: those of every request; those of the example policy when there are none.
        urgent: those of urgent requests, if they are others.
        mode: in force since before the submission.
        later: other versions of the rules.
        """
        first = rules(*policy(*objectives, urgent=urgent)) if objectives else RULEBOOK
        life = cls({book.version: book for book in (first, *later)})
        submitted = said(1, Happening.SUBMITTED, occurred_at, stage, recorded_at)
        life.history.append(submitted)
        if mode is not None:
            told_at = submitted.recorded_at
            life.history.append(said(1, Happening.MODE_CHANGED, occurred_at, mode.value, told_at, origin=Origin.HOUSE))
        life._take(start(life.case, submitted.recorded_at))
        return life

    @property
    def case(self) -> Case:
        """The history put together, once."""
        if self._case is None:
            self._case = self.afresh()
        return self._case

    def afresh(self) -> Case:
        version = next(iter(self.rulebooks))
        return open_case(REQUEST_ID, "K7M4Q-2XD9C", self.history, self.facts, version, self.rulebooks.__getitem__)

    def tell(
        self,
        happening: Happening,
        occurred_at: datetime,
        value: str | None = None,
        recorded_at: datetime | None = None,
        sequence: int | None = None,
        **details: Any,
    ) -> list[Step]:
        """An event comes; only the clocks that it concerns are read.

        Args:
            sequence: of one that was told out of its order; else it is the next.
        """
        mine = [entry.sequence for entry in self.history if entry.origin is Origin.INTAKE]
        return self.hear(said(sequence or mine[-1] + 1, happening, occurred_at, value, recorded_at, details or None))

    def rollout(self, happening: Happening, occurred_at: datetime, value: str, **details: Any) -> list[Step]:
        """The house tells it of other rules or another mode."""
        own = [entry.sequence for entry in self.history if entry.origin is Origin.HOUSE]
        entry = said(len(own) + 1, happening, occurred_at, value, details=details or None, origin=Origin.HOUSE)
        return self.hear(entry)

    def enter_mode(self, mode: Mode, occurred_at: datetime) -> list[Step]:
        return self.rollout(Happening.MODE_CHANGED, occurred_at, mode.value)

    def apply(self, version: int, occurred_at: datetime) -> list[Step]:
        return self.rollout(Happening.POLICY_APPLIED, occurred_at, str(version), version=version)

    def hear(self, entry: RequestEvent) -> list[Step]:
        self.history = insert_entry(self.history, entry)
        self._case = extend_case(self._case, self.history, entry) if self._case is not None else None
        case, steps = self.case, list[Step]()
        known = by_objective(self.clocks)
        for code in objectives_of(case, known):
            clocks = known.get(code, [])
            if concerns(case, code, clocks, entry):
                steps += self._take(advance(case, code, clocks, entry.recorded_at, entry))
        self._stands_when_read_afresh(entry.recorded_at)
        return steps

    def tick(self, now: datetime) -> list[Step]:
        """Every timer that is due fires, the earliest first, at its own instant."""
        steps: list[Step] = []
        while due := sorted((t for t in self.timers() if t.due_at <= now), key=lambda timer: timer.due_at):
            clocks = by_objective(self.clocks)[due[0].objective]
            steps += self._take(advance(self.case, due[0].objective, clocks, due[0].due_at))
        self._stands_when_read_afresh(now)
        return steps

    def timers(self) -> list[Timer]:
        return [timer for clock in self.clocks.values() if (timer := clock.timer) is not None]

    def clock(self, code: str, cycle: int | None = None) -> Clock:
        """The last cycle when none is asked for."""
        return by_objective(self.clocks)[code][-1 if cycle is None else cycle - 1]

    def reading(self, code: str, cycle: int | None = None) -> Reading:
        return self.clock(code, cycle).reading

    def state(self, code: str, cycle: int | None = None) -> ClockState:
        return self.reading(code, cycle).state

    def due(self, code: str, cycle: int | None = None) -> datetime | None:
        return self.reading(code, cycle).due_at

    def states(self, code: str) -> list[str]:
        """Of all cycles, in order."""
        return [clock.reading.state.value for clock in by_objective(self.clocks).get(code, [])]

    def standing(self, code: str, cycle: int = 1) -> dict[RungKey, datetime]:
        """The decisions that were made and not withdrawn, in the order in which they were made."""
        decisions: dict[RungKey, datetime] = {}
        for step in self.steps:
            if (step.clock.objective, step.clock.cycle) != (code, cycle):
                continue
            for withdrawal in step.withdrawals:
                del decisions[withdrawal.key]
            for decision in step.decisions:
                assert decision.key not in decisions, "decided twice"
                decisions[decision.key] = decision.true_at
        return decisions

    def told(self, code: str) -> list[str]:
        """What was announced, by the last word of its type."""
        return [
            announcement.data.TYPE.rpartition(".")[2]
            for step in self.steps
            if step.clock.objective == code
            for announcement in step.announcements
        ]

    def _take(self, steps: list[Step]) -> list[Step]:
        self.steps += steps
        self.clocks.update(((step.clock.objective, step.clock.cycle), step.clock) for step in steps)
        return steps

    def _stands_when_read_afresh(self, read_at: datetime) -> None:
        """What was not read would have said nothing."""
        case, clocks = self.afresh(), by_objective(self.clocks)
        codes = objectives_of(case, clocks)
        assert [step for code in codes for step in advance(case, code, clocks.get(code, ()), read_at)] == []
