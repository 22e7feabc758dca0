"""Holidays that are computed: rules that give a date for every year, and substitutes for those on a weekend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

_DAY = timedelta(days=1)
_WEEK = 7
_LONGEST_SEARCH = 366  # days; a calendar that does not work for a year has no working day to move a holiday to


class HolidayRule(Protocol):
    def date_in(self, year: int) -> date | None:
        """The local date in that year, None when the year has none."""


@dataclass(frozen=True, slots=True)
class Annual:
    """The same date every year; 29 February only in leap years."""

    month: int
    day: int

    def date_in(self, year: int) -> date | None:
        try:
            return date(year, self.month, self.day)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Easter:
    """So many days after Western Easter Sunday: -2 is Good Friday, 1 Easter Monday."""

    days: int

    def date_in(self, year: int) -> date:
        return easter_sunday(year) + self.days * _DAY


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """Such as the fourth Thursday of November.

    Attributes:
        nth: 1 to 5 from the beginning of the month, -1 for the last one.
        weekday: Monday is 0.
    """

    nth: int
    weekday: int
    month: int

    def date_in(self, year: int) -> date | None:
        if self.nth < 0:
            last = date(year + self.month // 12, self.month % 12 + 1, 1) - _DAY
            return last - (last.weekday() - self.weekday) % _WEEK * _DAY
        first = date(year, self.month, 1)
        found = first + ((self.weekday - first.weekday()) % _WEEK + (self.nth - 1) * _WEEK) * _DAY
        return found if found.month == self.month else None


def easter_sunday(year: int) -> date:
    """Western Easter of the Gregorian calendar, by the anonymous algorithm (Meeus, Astronomical Algorithms, ch. 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    offset = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * offset) // 451
    month, day = divmod(h + offset - 7 * m + 114, 31)
    return date(year, month, day + 1)


def computed_holidays(
    year: int,
    rules: Iterable[HolidayRule],
    substitute_on: frozenset[int],
    is_worked: Callable[[date], bool],
) -> frozenset[date]:
    """The dates that are closed because of the rules of that year and of the year before.

    Args:
        substitute_on: weekdays; a holiday on one of them closes the next working day too.
        is_worked: whether a date would be a working day if there were no holidays at all.
    """
    rules = tuple(rules)
    # A substitute of the end of the year before may lie in this year, and push this year's first ones on.
    proper = sorted({day for y in (year - 1, year) for rule in rules if (day := rule.date_in(y)) is not None})
    closed = set(proper)
    closed.update(day for rule in rules if (day := rule.date_in(year + 1)) is not None)
    for day in proper:
        if day.weekday() in substitute_on:
            candidates = (day + n * _DAY for n in range(1, _LONGEST_SEARCH))
            substitute = next((d for d in candidates if d not in closed and is_worked(d)), None)
            if substitute is not None:
                closed.add(substitute)
    return frozenset(day for day in closed if day.year == year)
