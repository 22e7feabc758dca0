"""Policies, objectives and ladders, as they are after reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from shared.contracts.payload import Market
from shared.contracts.requests import RequestSubmitted
from shared.worktime import ALWAYS_OPEN, WorkingTime

_ELAPSED = WorkingTime(ALWAYS_OPEN)


class BudgetKind(StrEnum):
    WORKING = "working"
    ELAPSED = "elapsed"


class RungKind(StrEnum):
    WARNING = "warning"
    BREACH = "breach"
    ESCALATION = "escalation"


class RungKey(NamedTuple):
    """What a rung is called within its clock and cycle."""

    kind: RungKind
    level: int


@dataclass(frozen=True, slots=True)
class Rung:
    """One thing that is decided once when its instant comes.

    Attributes:
        fraction: share of the budget after which it comes; None for rungs placed by ``after``.
        after: elapsed span from the deadline (pauses left out); negative lies before it.
        roles: who is told.
    """

    kind: RungKind
    level: int
    fraction: float | None = None
    after: timedelta = timedelta(0)
    roles: tuple[str, ...] = ()

    @property
    def key(self) -> RungKey:
        return RungKey(self.kind, self.level)


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise about a request.

    Attributes:
        stops: ``responded``, ``closed``, ``stage_entered`` or ``stage_entered:<stage>``; the first to occur stops it.
        paused_by: the pause reasons during which the clock stands still.
        ladder: in order of level; holds exactly one breach.
    """

    code: str
    budget: timedelta
    budget_kind: BudgetKind
    stops: frozenset[str]
    paused_by: frozenset[str]
    ladder: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What policies may ask of a request."""

    kind: str
    market: str
    channel: str
    priority: str
    customer_tier: str
    product_line: str | None = None

    @classmethod
    def of(cls, submitted: RequestSubmitted) -> Facts:
        return cls(
            kind=submitted.kind,
            market=submitted.market,
            channel=submitted.channel,
            priority=submitted.priority,
            customer_tier=submitted.customer_tier,
            product_line=submitted.product_line,
        )


CONDITIONS = frozenset(Facts.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Policy:
    """Attributes:
    conditions: fact -> allowed values; all must hold. Empty: the default.
    cancelled_by: outcomes of a closed request that cancel its clocks instead of stopping them.
    """

    code: str
    conditions: Mapping[str, frozenset[str]]
    objectives: tuple[Objective, ...]
    cancelled_by: frozenset[str] = frozenset()

    def matches(self, facts: Facts) -> bool:
        return all(getattr(facts, name) in allowed for name, allowed in self.conditions.items())

    def objective(self, code: str) -> Objective:
        return next(objective for objective in self.objectives if objective.code == code)


@dataclass(frozen=True, slots=True)
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

    def policy_for(self, facts: Facts) -> Policy:
        return next(policy for policy in self.policies if policy.matches(facts))

    def policy(self, code: str) -> Policy:
        return next(policy for policy in self.policies if policy.code == code)

    def working_time(self, objective: Objective, market: str) -> WorkingTime:
        """The time on which the objective's budget is counted."""
        if objective.budget_kind is BudgetKind.ELAPSED:
            return _ELAPSED
        return self.calendars[self.calendar_names[Market(market)]]
