"""The past of a number in bounded memory: how often it fell into which of many narrow ranges.

The ranges grow by a constant factor, as in DDSketch (Masson and others 2019), so every value is known to within
``ERROR`` of itself, the smallest as well as the largest. That suits sums, whose natural scale is the logarithm: on
it the ranges are equally wide, so median and deviations are read off the counts. Sketches are merged by adding counts,
in any order and with the same result, so each process may keep its own and a month may be taken away again. A
reservoir would hold real amounts of real customers, and two of them cannot be merged so simply.

Memory: from ``SMALLEST`` to ``LARGEST`` there are about 1,150 ranges; a past has as many entries at most, and some
hundred in practice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, exp, log

ERROR = 0.02
"""Relative. The spread of sums is tens of per cent, so two per cent of a value decide nothing."""

SMALLEST = 0.01
"""A cent. What is less counts as this much, zero and negative numbers too: beside sums it is next to nothing."""

LARGEST = 1e18
"""More than all money; what is more counts as this much."""

_WIDTH = log((1 + ERROR) / (1 - ERROR))  # of a range, on the scale of the logarithm


@dataclass(frozen=True, slots=True)
class Sketch:
    """Attributes:
    counts: how many values fell into each range, by its number. Only positive counts.
    """

    counts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Iterable[float]) -> Sketch:
        """Of finite numbers."""
        counts: dict[int, int] = {}
        for value in values:
            at = range_of(value)
            counts[at] = counts.get(at, 0) + 1
        return cls(counts)

    def merged(self, other: Sketch) -> Sketch:
        """Both pasts together."""
        ranges = self.counts.keys() | other.counts.keys()
        return Sketch({at: self.counts.get(at, 0) + other.counts.get(at, 0) for at in ranges})

    def to_data(self) -> list[list[int]]:
        """As JSON types."""
        return [[at, count] for at, count in sorted(self.counts.items())]

    @classmethod
    def from_data(cls, data: Iterable[tuple[int, int]]) -> Sketch:
        """The inverse of ``to_data``."""
        return cls(dict(data))

    @property
    def total(self) -> int:
        """How many values there were."""
        return sum(self.counts.values())

    @property
    def median(self) -> float:
        """To within ``ERROR`` of the value in the middle; of an even number, of the lower one.

        Raises:
            ValueError: there was none.
        """
        return exp(_log_at(_middle(self.counts)))

    @property
    def spread(self) -> float:
        """The median distance of the logarithm from its median, to within two ranges (0.08).

        Raises:
            ValueError: there was none.
        """
        middle = _middle(self.counts)
        distances: dict[int, int] = {}
        for at, count in self.counts.items():
            distance = abs(at - middle)
            distances[distance] = distances.get(distance, 0) + count
        return _middle(distances) * _WIDTH


def log_of(value: float) -> float:
    """The natural logarithm, within the bounds of a sketch."""
    return log(min(max(value, SMALLEST), LARGEST))


def range_of(value: float) -> int:
    """The number of the range that it falls into."""
    return ceil(log_of(value) / _WIDTH)


def _log_at(at: int) -> float:
    """Of the number from which both ends of the range are equally far, relative to themselves."""
    return at * _WIDTH + log(1 - ERROR)


def _middle(counts: Mapping[int, int]) -> int:
    """The lower median."""
    rank = (sum(counts.values()) + 1) // 2
    for at in sorted(counts):
        rank -= counts[at]
        if rank <= 0:
            return at
    raise ValueError("there is no past")
