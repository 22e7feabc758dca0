"""A share that was counted, with the interval it lies in."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

DEVIATIONS = 1.96
"""Of an interval that holds the true share in 95 of 100 cases."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Both limits of a share, 0 <= low <= high <= 1."""

    low: float
    high: float


def wilson(count: int, total: int, deviations: float = DEVIATIONS) -> Interval:
    """Wilson's interval (1927) of ``count`` among ``total``: it holds for small counts and never leaves 0..1.

    Raises:
        ValueError: not 0 <= count <= total.
    """
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is no share")
    if total == 0:
        return Interval(0.0, 1.0)
    share, square = count / total, deviations**2
    centre = share + square / (2 * total)
    reach = deviations * sqrt(share * (1 - share) / total + square / (4 * total**2))
    scale = 1 + square / total
    low = 0.0 if count == 0 else max(0.0, (centre - reach) / scale)  # exact where rounding would miss
    high = 1.0 if count == total else min(1.0, (centre + reach) / scale)
    return Interval(low, high)
