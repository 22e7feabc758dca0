"""The pasts of watched numbers, kept in memory: every request is judged beside them and adds to them.

What was added is stored from time to time, and what other processes stored is read; counts only add up, so the order
does not matter. A crash loses what was added since: a minute of a past of hundreds of values at least, which moves no
median. Counting it anew from the table of requests would read all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from services.intake.domain.anomalies.limits import PlausibilityLimits
from services.intake.domain.anomalies.plausibility import (
    Counts,
    Group,
    Key,
    Oddity,
    Usual,
    group_of,
    judge,
    number_of,
    usual_of,
)
from services.intake.domain.anomalies.sketch import Sketch, range_of
from shared.rules.facts import Facts

MOST_GROUPS = 10_000
"""A channel may send any product line and currency; beyond this many groups new ones are not remembered."""

_STALE = 1.01
"""What is usual is read anew when a past has grown by a hundredth; before that its median has hardly moved."""


class Pasts:
    def __init__(self, limits: PlausibilityLimits) -> None:
        self._limits = limits
        self._counts: dict[Key, Counter[int]] = {}
        self._totals: Counter[Key] = Counter()
        self._usual: dict[Key, Usual | None] = {}
        self._news: dict[Key, Counter[int]] = {}

    def judge(self, facts: Facts) -> Iterator[Oddity]:
        """The values that are implausible beside the past."""
        for key, value in self._values(facts):
            oddity = judge(key[0], value, self._usual_of(key), self._limits)
            if oddity is not None:
                yield oddity

    def record(self, facts: Facts) -> None:
        """Remember the values of a request that was taken in, doubtful ones too: the median bears them."""
        for key, value in self._values(facts):
            if key in self._counts or len(self._counts) < MOST_GROUPS:
                at = range_of(value)
                self._counts.setdefault(key, Counter())[at] += 1
                self._totals[key] += 1
                self._news.setdefault(key, Counter())[at] += 1

    def take_news(self) -> Counts:
        """What was recorded since the last call."""
        news, self._news = self._news, {}
        return news

    def give_back(self, news: Counts) -> None:
        """``news`` could not be stored."""
        for key, counts in news.items():
            self._news.setdefault(key, Counter()).update(counts)

    def replace(self, stored: Counts) -> None:
        """Everything that all processes stored, and beside it only what was not stored yet."""
        self._counts, self._totals, self._usual = {}, Counter(), {}
        self._add(stored)
        self._add(self._news)

    def _add(self, counts: Counts) -> None:
        for key, fallen in counts.items():
            self._counts.setdefault(key, Counter()).update(fallen)
            self._totals[key] += sum(fallen.values())

    def _usual_of(self, key: Key) -> Usual | None:
        total = self._totals[key]
        if total < self._limits.least_observations:
            return None
        known = self._usual.get(key)
        if known is None or total > known.observations * _STALE:
            known = self._usual[key] = usual_of(Sketch(self._counts[key]))
        return known

    def _values(self, facts: Facts) -> Iterator[tuple[Key, float]]:
        group: Group | None = None
        for attribute in self._limits.attributes:
            value = number_of(facts.get(attribute))
            if value is not None:
                group = group or group_of(facts, self._limits)
                yield (attribute, group), value
