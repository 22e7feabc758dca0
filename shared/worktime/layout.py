"""A calendar laid out as open segments with running totals, so that an answer is two binary searches.

Everything is in ticks. A *position* is the open time passed since the beginning of the first year that was laid out;
before it positions are negative. So the layout grows by years at either end and no position ever moves: every year is
laid out once, whatever is asked in what order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from itertools import accumulate

from shared.errors import ConfigurationError
from shared.worktime.calendar import Calendar
from shared.worktime.local_time import local_to_ticks, midnight_of
from shared.worktime.segments import clip, measure, union
from shared.worktime.shifts import shifts_around
from shared.worktime.ticks import from_ticks

_FIRST_YEAR, _LAST_YEAR = 1900, 2400  # no budget of an insurer reaches outside; a search that does has gone wrong
_DAY = timedelta(days=1)


class Layout:
    """The open time of one calendar from the beginning of one year to the end of another.

    Attributes:
        begins, ends: what is laid out; questions about other instants need ``cover`` first.
        starts, stops: of each open segment.
        through: position at the stop of each.
        days: ordinals of the local dates on which shifts begin: the working days.
        closings: when the last shift of each of those ends, or one that began before and lasts longer.
    """

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._first_year = self._last_year = 0
        self._origin = 0  # position of `begins`
        self.begins = self.ends = 0
        self.starts: list[int] = []
        self.stops: list[int] = []
        self.through: list[int] = []
        self.days: list[int] = []
        self.closings: list[int] = []

    def cover(self, instant: int) -> None:
        """Lay out enough for questions about ``instant``.

        Raises:
            ConfigurationError: it lies in a year that no calendar is laid out for.
        """
        if self.begins <= instant < self.ends:
            return
        year = from_ticks(instant).astimezone(self._calendar.zone).year
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise ConfigurationError(f"calendar {self._calendar.name} cannot tell about the year {year}")
        if not self._first_year:
            self.begins = self.ends = _new_year(self._calendar, year)
            self._first_year, self._last_year = year, year - 1
        while instant < self.begins:
            self.grow_back()
        while instant >= self.ends:
            self.grow_ahead()

    def position(self, instant: int) -> int:
        """How much open time has passed at ``instant``."""
        if not self.begins <= instant < self.ends:
            self.cover(instant)
        index = bisect_right(self.starts, instant) - 1
        if index < 0:
            return self._origin
        left = self.stops[index] - instant
        return self.through[index] - left if left > 0 else self.through[index]

    def earliest_at(self, position: int) -> int:
        """The earliest instant at which ``position`` is reached: a closing rather than the opening after it.

        Raises:
            ConfigurationError: it never is.
        """
        while not self.through or self.through[-1] < position:
            self.grow_ahead()
        index = bisect_left(self.through, position)
        return self.stops[index] + position - self.through[index]

    def latest_at(self, position: int) -> int:
        """The latest instant at which no more than ``position`` has passed: an opening rather than the closing before.

        Raises:
            ConfigurationError: the calendar never opens again, or never was open for so long before.
        """
        while position < self._origin:
            self.grow_back()
        while not self.through or self.through[-1] <= position:
            self.grow_ahead()
        index = bisect_right(self.through, position)
        return self.stops[index] + position - self.through[index]

    def grow_ahead(self) -> None:
        """Lay out one more year.

        Raises:
            ConfigurationError: no more are laid out.
        """
        if self._last_year >= _LAST_YEAR:
            raise ConfigurationError(f"calendar {self._calendar.name} has too little open time")
        self._last_year += 1
        begins, self.ends = self.ends, _new_year(self._calendar, self._last_year + 1)
        segments, closings = self._lay_out(self._last_year, begins, self.ends)
        position = self.through[-1] if self.through else self._origin
        if self.stops and segments and self.stops[-1] == segments[0][0]:  # open over New Year
            segments[0] = (self.starts.pop(), segments[0][1])
            position -= self.stops.pop() - segments[0][0]
            self.through.pop()
        self.starts += [start for start, _ in segments]
        self.stops += [stop for _, stop in segments]
        self.through += list(accumulate((stop - start for start, stop in segments), initial=position))[1:]
        self.days += closings
        self.closings += closings.values()

    def grow_back(self) -> None:
        """Lay out the year before.

        Raises:
            ConfigurationError: no more are laid out.
        """
        if self._first_year <= _FIRST_YEAR:
            raise ConfigurationError(f"calendar {self._calendar.name} has too little open time")
        self._first_year -= 1
        ends, self.begins = self.begins, _new_year(self._calendar, self._first_year)
        segments, closings = self._lay_out(self._first_year, self.begins, ends)
        self._origin -= measure(segments, 0)
        through = list(accumulate((stop - start for start, stop in segments), initial=self._origin))[1:]
        if self.starts and segments and segments[-1][1] == self.starts[0]:
            self.starts[0] = segments.pop()[0]
            through.pop()
        self.starts[:0] = [start for start, _ in segments]
        self.stops[:0] = [stop for _, stop in segments]
        self.through[:0] = through
        self.days[:0] = closings
        self.closings[:0] = closings.values()

    def _lay_out(self, year: int, begins: int, ends: int) -> tuple[list[tuple[int, int]], dict[int, int]]:
        """The open segments of a year, and its working days in order, each with its closing."""
        first, last = date(year, 1, 1), date(year + 1, 1, 1)
        shifts = shifts_around(self._calendar, first - _DAY, last)  # a night shift may reach in from the day before
        by_day = sorted(shifts, key=lambda shift: shift.day)
        latest = accumulate((shift.closes for shift in by_day), max)
        closings = {shift.day: closes for shift, closes in zip(by_day, latest, strict=True)}
        segments = union((shift.opens, shift.closes) for shift in shifts)
        days = range(first.toordinal(), last.toordinal())
        return clip(segments, begins, ends), {day: closes for day, closes in closings.items() if day in days}


def _new_year(calendar: Calendar, year: int) -> int:
    return local_to_ticks(calendar.zone, midnight_of(date(year, 1, 1)))
