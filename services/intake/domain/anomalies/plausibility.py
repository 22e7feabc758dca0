"""Values that are implausible beside the past of requests of the same sort.

Median and median deviation are taken of the logarithm, because sums are skewed: twice as much and half as much are
equally far. Both are robust: with a third of the past wrong they still find what is wrong, so doubtful values need not
be kept out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

from services.intake.domain.anomalies.limits import PlausibilityLimits
from services.intake.domain.anomalies.sketch import Sketch, log_of
from shared.contracts.payload import AttributeValue
from shared.rules.conditions import as_text
from shared.rules.facts import Facts

Group = tuple[str, ...]
"""The values of the facts that ``group_by`` names; empty where a request has none."""

Key = tuple[str, Group]
"""An attribute, and the group of requests."""

Counts = Mapping[Key, Mapping[int, int]]
"""How often values fell into which range of a sketch."""

_NORMAL = 1.4826
"""Times the median deviation is the standard deviation, were the logarithm distributed normally."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """A value that is implausible.

    Attributes:
        usual: the median of the past, to within 2 %.
        deviations: how many robust standard deviations of the logarithm lie between; negative below the median.
        observations: how large the past is.
    """

    attribute: str
    value: float
    usual: float
    deviations: float
    observations: int

    @property
    def code(self) -> str:
        return "implausibly_high" if self.deviations > 0 else "implausibly_low"


def group_of(facts: Facts, limits: PlausibilityLimits) -> Group:
    """The group whose past a request belongs to."""
    values = (facts.get(name) for name in limits.group_by)
    return tuple("" if value is None else as_text(value) for value in values)


def number_of(value: AttributeValue | None) -> float | None:
    """The number to record or to judge; None when the value is none. Attributes go up to 2^53, so floats hold them."""
    if value is None or isinstance(value, bool | str):
        return None
    return float(value)


@dataclass(frozen=True, slots=True)
class Usual:
    """What a past says of the values to come.

    Attributes:
        median: to within 2 %.
        spread: the median deviation of the logarithm.
    """

    median: float
    spread: float
    observations: int


def usual_of(past: Sketch) -> Usual | None:
    """None when there is no past. Reads all of it, so keep the answer where many values are judged."""
    return Usual(past.median, past.spread, past.total) if past.total else None


def judge(attribute: str, value: float, usual: Usual | None, limits: PlausibilityLimits) -> Oddity | None:
    """None when the value is plausible, or the past too small to say."""
    if usual is None or usual.observations < limits.least_observations:
        return None
    spread = max(_NORMAL * usual.spread, limits.least_spread)
    deviations = (log_of(value) - log(usual.median)) / spread
    if abs(deviations) <= limits.deviations:
        return None
    return Oddity(attribute, value, usual.median, deviations, usual.observations)
