"""Policies, objectives and ladders, as they are after reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from services.sla_timer.domain.facts import Facts
from shared.contracts.payload import Market
from shared.rules.conditions import ALWAYS, Condition
from shared.rules.facts import STANDARD_FACTS
from shared.worktime import ALWAYS_OPEN, WorkingTime

ELAPSED_TIME = WorkingTime(ALWAYS_OPEN)

_MOST_REMEMBERED = 10_000
"""Combinations of standard facts; channels may send any product line."""

ANY_REASON = "*"
"""In ``paused_by``: whatever the request waits for."""


class BudgetKind(StrEnum):
    WORKING = "working"
    ELAPSED = "elapsed"
    DAYS = "days"  # working days


class Mode(StrEnum):
    """How the house runs, from the usual to the gravest; where several are in force the gravest counts."""

    NORMAL = "normal"
    PEAK = "peak"
    EMERGENCY = "emergency"


class Party(StrEnum):
    """Whom a promise is made to, or by."""

    CUSTOMER = "customer"
    INTERNAL = "internal"
    SUPPLIER = "supplier"


class RungKind(StrEnum):
    WARNING = "warning"
    BREACH = "breach"
    ESCALATION = "escalation"
    PAUSE_ALARM = "pause_alarm"


class RungKey(NamedTuple):
    """What a rung is called within its clock and cycle."""

    kind: RungKind
    level: int


@dataclass(frozen=True, slots=True)
class Budget:
    """Attributes:
    span: working or elapsed time; nothing for a budget in days.
    days: working days after the one of receipt.
    is_end_of_day: such a target is the close of its last day, not the time of day of the start.
    """

    kind: BudgetKind
    span: timedelta = timedelta(0)
    days: int = 0
    is_end_of_day: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """One thing that is decided once when its instant comes; a repeating one, once each time.

    Attributes:
        level: of the first time; the repetitions are numbered on from it.
        fraction: share of the budget after which it comes; None for rungs placed by ``after``.
        after: span from the deadline; negative lies before it.
        counts: how ``after`` and ``every`` are counted: ``working`` or ``elapsed``; pauses are left out.
        roles: who is told.
        every: span to the next repetition; None comes once.
        times: how often in all; None until the clock ends.
    """

    kind: RungKind
    level: int
    fraction: float | None = None
    after: timedelta = timedelta(0)
    counts: BudgetKind = BudgetKind.ELAPSED
    roles: tuple[str, ...] = ()
    every: timedelta | None = None
    times: int | None = None

    @property
    def key(self) -> RungKey:
        """Of the first time."""
        return RungKey(self.kind, self.level)


@dataclass(frozen=True, slots=True)
class LongestPause:
    """How long one pause may last.

    Attributes:
        counts: ``working`` or ``elapsed``.
        roles: who is told when a pause has lasted so long.
        resumes: whether the clock runs again from then on, though nobody has resumed it.
    """

    span: timedelta
    counts: BudgetKind
    roles: tuple[str, ...]
    resumes: bool = False


@dataclass(frozen=True)
class Objective:
    """One promise about a request. Its words are those of ``RequestEvent.words``, such as ``stage_entered:decision``.

    Attributes:
        modes: budgets that count instead while a mode is in force.
        modes_move_running: whether entering or leaving a mode moves the deadlines of running clocks.
        starts: a cycle begins with any of these words while none is open.
        stops: the cycle ends; ``closed`` that is not among them cancels it.
        resets: the count begins anew within the cycle.
        cancels: the cycle ends without a verdict.
        paused_by: reasons of pauses during which the clock stands still; ``*``: any reason.
        paused_between: pairs of words between which it stands still.
        ladder: holds exactly one breach.
        calendar: on which its working time counts; None: the market's.
        from_previous_exit: the cycle begins when the stage before was left, or when the request was reopened since, and
            not with the word that starts it.
        restarts_on_change: a change of the request's facts that moves the budget begins the count anew.
    """

    code: str
    budget: Budget
    starts: frozenset[str] = frozenset({"submitted"})
    stops: frozenset[str] = frozenset({"closed"})
    resets: frozenset[str] = frozenset()
    cancels: frozenset[str] = frozenset()
    paused_by: frozenset[str] = frozenset()
    paused_between: tuple[tuple[str, str], ...] = ()
    ladder: tuple[Rung, ...] = ()
    longest_pause: LongestPause | None = None
    modes: Mapping[Mode, Budget] = field(default_factory=dict)
    modes_move_running: bool = False
    party: Party = Party.CUSTOMER
    calendar: str | None = None
    from_previous_exit: bool = False
    restarts_on_change: bool = False

    def budget_in(self, mode: Mode) -> Budget:
        return self.modes.get(mode, self.budget)

    @cached_property
    def warnings(self) -> tuple[Rung, ...]:
        return tuple(rung for rung in self.ladder if rung.kind is RungKind.WARNING)

    @cached_property
    def later_rungs(self) -> tuple[Rung, ...]:
        """Breach and escalations."""
        return tuple(rung for rung in self.ladder if rung.kind is not RungKind.WARNING)

    @cached_property
    def has_repetitions(self) -> bool:
        return any(rung.every is not None for rung in self.ladder)

    @cached_property
    def alphabet(self) -> frozenset[str]:
        """Every word that can change a clock of this objective, but those that concern every clock."""
        paused = {f"{verb}:{reason}" for reason in self.paused_by for verb in ("paused", "resumed")}
        if ANY_REASON in self.paused_by:
            paused |= {"paused", "resumed"}
        between = {word for pair in self.paused_between for word in pair}
        left = {"stage_left"} if self.from_previous_exit else set()
        return self.starts | self.stops | self.resets | self.cancels | paused | between | left


@dataclass(frozen=True)
class Policy:
    """Attributes:
    condition: which requests it applies to.
    """

    code: str
    condition: Condition
    objectives: tuple[Objective, ...]

    @cached_property
    def _by_code(self) -> dict[str, Objective]:
        return {objective.code: objective for objective in self.objectives}

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Of its objectives, in order."""
        return tuple(objective.code for objective in self.objectives)

    @property
    def is_default(self) -> bool:
        return self.condition == ALWAYS

    def matches(self, facts: Facts) -> bool:
        return self.condition.holds(facts)

    def objective(self, code: str) -> Objective | None:
        """None when the policy does not promise it."""
        return self._by_code.get(code)


@dataclass(frozen=True)
class Rulebook:
    """One version of all rules: policies and the calendars they count on.

    Attributes:
        version: given by the store; 0 before.
        policies: the first that matches wins; the last matches everything.
        calendars: by name.
        calendar_names: the calendar of each market.
    """

    version: int
    policies: tuple[Policy, ...]
    calendars: Mapping[str, WorkingTime]
    calendar_names: Mapping[Market, str]

    @cached_property
    def modes(self) -> frozenset[Mode]:
        """Those that some promise has a budget of its own for."""
        return frozenset(mode for policy in self.policies for promise in policy.objectives for mode in promise.modes)

    def policy_for(self, facts: Facts) -> Policy:
        key = facts.standard if self._asks_only_standard_facts else None
        chosen = self._chosen.get(key) if key is not None else None
        if chosen is None:
            chosen = next(policy for policy in self.policies if policy.matches(facts))
            if key is not None and len(self._chosen) < _MOST_REMEMBERED:
                self._chosen[key] = chosen
        return chosen

    @cached_property
    def _asks_only_standard_facts(self) -> bool:
        return all(policy.condition.names().issubset(STANDARD_FACTS) for policy in self.policies)

    @cached_property
    def _chosen(self) -> dict[tuple[str | None, ...], Policy]:
        """What was chosen before: requests are alike, and asking every condition takes ten times as long."""
        return {}

    def working_time(self, objective: Objective, market: str) -> WorkingTime:
        """The office hours that the objective's working time is counted on."""
        return self.calendars[objective.calendar or self.calendar_names[Market(market)]]
