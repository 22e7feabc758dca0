"""Limits for a proportion that was seen ``count`` times among ``reviewed`` units of a simple random sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.quality_audit.domain.beta import beta_quantile


@dataclass(frozen=True, slots=True)
class Interval:
    """Both limits of a proportion, 0 <= low <= high <= 1."""

    low: float
    high: float

    @property
    def complement(self) -> Interval:
        """The same statement about the opposite proportion (errors -> accuracy)."""
        return Interval(1.0 - self.high, 1.0 - self.low)


EVERYTHING = Interval(0.0, 1.0)
"""What is known about units of which none was reviewed."""

Method = Callable[[float, float, float], Interval]
"""(count, reviewed, tail) -> interval; ``tail`` is the error probability left outside at each end."""


def jeffreys(count: float, reviewed: float, tail: float) -> Interval:
    """The central interval of Beta(count + 1/2, reviewed - count + 1/2); right on average, so it is displayed."""
    a, b = count + 0.5, reviewed - count + 0.5
    return Interval(
        0.0 if count == 0 else beta_quantile(tail, a, b),
        1.0 if count == reviewed else beta_quantile(1.0 - tail, a, b),
    )


def clopper_pearson(count: float, reviewed: float, tail: float) -> Interval:
    """The exact tail interval: it never covers less often than promised, so claims rest on it."""
    return Interval(
        0.0 if count == 0 else beta_quantile(tail, count, reviewed - count + 1.0),
        1.0 if count == reviewed else beta_quantile(1.0 - tail, count + 1.0, reviewed - count),
    )
