"""The arithmetic of working time on one calendar.

The calendar is laid out once as open segments with running totals, so that an answer is two binary searches, however
long the budget. The layout grows when a question lies outside of it. Inside, instants are microseconds since 1970.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from shared.errors import ConfigurationError
from shared.worktime.calendar import Calendar, local_to_instant
from shared.worktime.segments import Segment, difference, union

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_FOREVER = 2**62
_FIRST_YEAR, _LAST_YEAR = 1900, 2400  # no budget of an insurer reaches outside; a search that does has gone wrong


class WorkingTime:
    """Answers about one calendar.

    Conventions: a budget that runs out exactly at closing is due at the closing instant, the earliest at which it is
    spent; a budget of nothing is due at its start; a pause outside working hours moves nothing.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._years: tuple[int, int] | None = None
        self._from = self._to = 0
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._before: list[int] = []  # open microseconds before each segment
        self._through: list[int] = []  # and up to its end

    def due(self, start: datetime, budget: timedelta, pauses: Iterable[Segment[datetime]] = ()) -> datetime:
        """The earliest instant at which ``budget`` of working time outside ``pauses`` has passed since ``start``.

        Raises:
            ValueError: the budget is negative.
            ConfigurationError: the calendar has too little open time for it.
        """
        if budget < timedelta(0):
            raise ValueError("a budget cannot be negative")
        if not budget:
            return start.astimezone(UTC)
        begins = _ticks(start)
        target = self._position(begins) + budget // _TICK
        at = self._instant(target)
        for paused, resumed in _in_ticks(pauses):
            if at <= paused:
                break
            if resumed > begins:
                target += self._position(resumed) - self._position(max(paused, begins))
                at = self._instant(target)
        return _datetime(at)

    def due_back(self, end: datetime, budget: timedelta) -> datetime:
        """The latest instant from which ``budget`` of working time passes until ``end``.

        Raises:
            ValueError, ConfigurationError: as ``due``.
        """
        if budget < timedelta(0):
            raise ValueError("a budget cannot be negative")
        if not budget:
            return end.astimezone(UTC)
        span, ends = budget // _TICK, _ticks(end)
        while (target := self._position(ends) - span) < 0:
            self._grow_back()
        index = bisect_right(self._before, target) - 1
        return _datetime(self._starts[index] + target - self._before[index])

    def elapsed(self, start: datetime, end: datetime, pauses: Iterable[Segment[datetime]] = ()) -> timedelta:
        """Working time between two instants outside ``pauses``; nothing when ``end`` is not after ``start``."""
        begins, ends = _ticks(start), _ticks(end)
        if ends <= begins:
            return timedelta(0)
        self._cover(begins)  # growing backwards would move a position already taken
        total = self._position(ends) - self._position(begins)
        for paused, resumed in _in_ticks(pauses):
            if paused < ends and resumed > begins:
                total -= self._position(min(resumed, ends)) - self._position(max(paused, begins))
        return timedelta(microseconds=total)

    def is_open(self, at: datetime) -> bool:
        instant = _ticks(at)
        self._cover(instant)
        index = bisect_right(self._starts, instant) - 1
        return index >= 0 and instant < self._ends[index]

    def next_open(self, at: datetime) -> datetime:
        """``at`` itself when open, else the next opening.

        Raises:
            ConfigurationError: the calendar never opens again.
        """
        instant = _ticks(at)
        self._cover(instant)
        while not self._ends or instant >= self._ends[-1]:
            self._grow_ahead()
        return _datetime(max(instant, self._starts[bisect_right(self._ends, instant)]))

    def windows(self, start: datetime, end: datetime) -> list[Segment[datetime]]:
        """The open segments between two instants, clipped to them and joined where they touch."""
        begins, ends = _ticks(start), _ticks(end)
        if ends <= begins:
            return []
        self._cover(begins)
        self._cover(ends)
        first, last = bisect_right(self._ends, begins), bisect_left(self._starts, ends)
        return [
            (_datetime(max(begins, self._starts[index])), _datetime(min(ends, self._ends[index])))
            for index in range(first, last)
        ]

    def _position(self, instant: int) -> int:
        """Open microseconds from the beginning of the layout to ``instant``."""
        if not self._from <= instant < self._to:
            self._cover(instant)
        index = bisect_right(self._starts, instant) - 1
        if index < 0:
            return 0
        return self._before[index] + min(instant, self._ends[index]) - self._starts[index]

    def _instant(self, position: int) -> int:
        """The earliest instant at which ``position`` is reached."""
        while not self._through or self._through[-1] < position:
            self._grow_ahead()
        index = bisect_left(self._through, position)
        return self._ends[index] - (self._through[index] - position)

    def _cover(self, instant: int) -> None:
        """Lay out enough for questions about ``instant``. Growing backwards moves every position."""
        if self._years is not None and self._from <= instant < self._to:
            return
        year = _datetime(instant).year
        first, last = self._years or (year, year)
        self._lay_out(min(first, year - 1), max(last, year + 1))

    def _grow_ahead(self) -> None:
        first, last = self._years or (_FIRST_YEAR, _FIRST_YEAR)
        if last >= _LAST_YEAR:
            raise ConfigurationError(f"calendar {self.calendar.name} has too little open time")
        self._lay_out(first, min(last + (last - first + 1), _LAST_YEAR))

    def _grow_back(self) -> None:
        first, last = self._years or (_LAST_YEAR, _LAST_YEAR)
        if first <= _FIRST_YEAR:
            raise ConfigurationError(f"calendar {self.calendar.name} has too little open time")
        self._lay_out(max(first - (last - first + 1), _FIRST_YEAR), last)

    def _lay_out(self, first: int, last: int) -> None:
        zone = self.calendar.zone
        begin, end = date(first, 1, 1), date(last + 1, 1, 1)
        self._from = _local_ticks(zone, datetime.combine(begin, time()))
        self._to = _local_ticks(zone, datetime.combine(end, time()))
        open_segments = union(self._shifts(begin - _DAY, end))  # a night shift may reach in from the day before
        closed = union(
            [
                *self._closed_days(begin, end),
                *((_local_ticks(zone, a), _local_ticks(zone, b)) for a, b in self.calendar.closures),
                (-_FOREVER, self._from),
                (self._to, _FOREVER),
            ]
        )
        laid = difference(open_segments, closed)
        self._years = first, last
        self._starts = [start for start, _ in laid]
        self._ends = [stop for _, stop in laid]
        self._through = list(accumulate(stop - start for start, stop in laid))
        self._before = [0, *self._through[:-1]] if laid else []

    def _shifts(self, begin: date, end: date) -> Iterator[Segment[int]]:
        zone = self.calendar.zone
        for day in _days(begin, end):
            windows = self.calendar.windows_on(day)
            if windows:
                midnight = datetime.combine(day, time())
                for window in windows:
                    yield _local_ticks(zone, midnight + window.opens), _local_ticks(zone, midnight + window.closes)

    def _closed_days(self, begin: date, end: date) -> Iterator[Segment[int]]:
        zone = self.calendar.zone
        for day in _days(begin, end):
            if self.calendar.is_holiday(day):
                midnight = datetime.combine(day, time())
                yield _local_ticks(zone, midnight), _local_ticks(zone, midnight + _DAY)


def elapsed_across(
    changes: Sequence[tuple[datetime, WorkingTime]],
    start: datetime,
    end: datetime,
    pauses: Iterable[Segment[datetime]] = (),
) -> timedelta:
    """Working time between two instants when the calendar changes on the way.

    Args:
        changes: from when each calendar holds, in order; the first one holds before its own instant too.
    """
    pauses = list(pauses)
    total = timedelta(0)
    for index, (since, working) in enumerate(changes):
        begins = start if index == 0 else max(start, since)
        ends = end if index == len(changes) - 1 else min(end, changes[index + 1][0])
        total += working.elapsed(begins, ends, pauses)
    return total


def _days(begin: date, end: date) -> Iterator[date]:
    return (begin + timedelta(days=offset) for offset in range((end - begin).days))


def _in_ticks(pauses: Iterable[Segment[datetime]]) -> list[Segment[int]]:
    spans = [(_ticks(paused), _ticks(resumed)) for paused, resumed in pauses]
    return union(spans) if spans else spans  # most clocks are never paused


def _ticks(instant: datetime) -> int:
    return (instant - _EPOCH) // _TICK


def _local_ticks(zone: ZoneInfo, local: datetime) -> int:
    return _ticks(local_to_instant(zone, local))


def _datetime(ticks: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ticks)
