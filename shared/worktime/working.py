"""The arithmetic of working time on one calendar.

Instants are aware datetimes, or *ticks*, microseconds since 1970, for callers that do a great many of these. An answer
is two binary searches in a layout, however long the budget; on a calendar that never closes it is an addition.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.errors import ConfigurationError
from shared.worktime.business_days import due_days
from shared.worktime.calendar import Calendar
from shared.worktime.layout import Layout
from shared.worktime.segments import Segment, union
from shared.worktime.shifts import has_open_time
from shared.worktime.ticks import EPOCH, from_ticks, span_to_ticks, ticks_to_span, to_ticks


class WorkingTime:
    """Answers about one calendar.

    Conventions: a budget that runs out exactly at closing is due at the closing instant, the earliest at which it is
    spent; a budget of nothing is due at its start; a pause outside working hours moves nothing. Pauses are half-open,
    in any order, and may overlap.

    Raises:
        ConfigurationError: the parts of the calendar are never open together.
    """

    def __init__(self, calendar: Calendar) -> None:
        if calendar.parts and not has_open_time(calendar):
            raise ConfigurationError(f"calendar {calendar.name} has no open time at all; its parts never meet")
        self.calendar = calendar
        self._is_always_open = calendar.is_always_open
        self._layout = Layout(calendar)

    def due(self, start: datetime, budget: timedelta, pauses: Iterable[Segment[datetime]] = ()) -> datetime:
        """The earliest instant at which ``budget`` of working time outside ``pauses`` has passed since ``start``.

        Raises:
            ValueError: the budget is negative.
            ConfigurationError: the calendar has too little open time for it.
        """
        if self._is_always_open and not pauses:
            _refuse_negative(budget.days)
            return EPOCH + (start - EPOCH + budget)
        return from_ticks(self.due_ticks(to_ticks(start), span_to_ticks(budget), _in_ticks(pauses) if pauses else ()))

    def due_ticks(self, start: int, budget: int, pauses: Iterable[Segment[int]] = ()) -> int:
        """``due`` in microseconds."""
        _refuse_negative(budget)
        if not budget:
            return start
        layout = self._layout
        target = layout.position(start) + budget
        at = layout.earliest_at(target)
        if pauses:
            for paused, resumed in union(pauses):
                if at <= paused:
                    break
                if resumed > start:
                    target += layout.position(resumed) - layout.position(max(paused, start))
                    at = layout.earliest_at(target)
        return at

    def due_back(self, end: datetime, budget: timedelta, pauses: Iterable[Segment[datetime]] = ()) -> datetime:
        """The latest instant from which ``budget`` of working time outside ``pauses`` passes until ``end``.

        Raises:
            ValueError, ConfigurationError: as ``due``.
        """
        _refuse_negative(budget.days)
        layout, ends = self._layout, to_ticks(end)
        if not budget:
            return from_ticks(ends)
        target = layout.position(ends) - span_to_ticks(budget)
        at = layout.latest_at(target)
        for paused, resumed in reversed(union(_in_ticks(pauses))):
            if at >= resumed:
                break
            if paused < ends:
                target -= layout.position(min(resumed, ends)) - layout.position(paused)
                at = layout.latest_at(target)
        return from_ticks(at)

    def due_days(
        self,
        start: datetime,
        days: int,
        *,
        end_of_day: bool = False,
        pauses: Iterable[Segment[datetime]] = (),
    ) -> datetime:
        """So many working days after ``start``, see `shared.worktime.business_days`.

        Raises:
            ValueError: the number is negative.
            ConfigurationError: the calendar has too few working days.
        """
        spans = union(_in_ticks(pauses))
        return from_ticks(due_days(self._layout, self.calendar.zone, to_ticks(start), days, end_of_day, spans))

    def elapsed(self, start: datetime, end: datetime, pauses: Iterable[Segment[datetime]] = ()) -> timedelta:
        """Working time between two instants outside ``pauses``; nothing when ``end`` is not after ``start``."""
        if self._is_always_open and not pauses:
            return max((end - EPOCH) - (start - EPOCH), timedelta(0))  # two times of one zone would differ by the wall
        return ticks_to_span(self.elapsed_ticks(to_ticks(start), to_ticks(end), _in_ticks(pauses) if pauses else ()))

    def elapsed_ticks(self, start: int, end: int, pauses: Iterable[Segment[int]] = ()) -> int:
        """``elapsed`` in microseconds."""
        if end <= start:
            return 0
        layout = self._layout
        total = layout.position(end) - layout.position(start)
        if pauses:
            for paused, resumed in union(pauses):
                if paused < end and resumed > start:
                    total -= layout.position(min(resumed, end)) - layout.position(max(paused, start))
        return total

    def is_open(self, at: datetime) -> bool:
        layout, instant = self._layout, to_ticks(at)
        layout.cover(instant)
        index = bisect_right(layout.starts, instant) - 1
        return index >= 0 and instant < layout.stops[index]

    def next_open(self, at: datetime) -> datetime:
        """``at`` itself when open, else the next opening.

        Raises:
            ConfigurationError: the calendar never opens again.
        """
        layout, instant = self._layout, to_ticks(at)
        return from_ticks(max(instant, layout.latest_at(layout.position(instant))))

    def previous_close(self, at: datetime) -> datetime:
        """``at`` itself when it was open until then, else the last closing.

        Raises:
            ConfigurationError: the calendar never was open before.
        """
        layout, instant = self._layout, to_ticks(at)
        layout.cover(instant)
        while not layout.starts or layout.starts[0] >= instant:
            layout.grow_back()
        return from_ticks(min(instant, layout.stops[bisect_left(layout.starts, instant) - 1]))

    def windows(self, start: datetime, end: datetime) -> list[Segment[datetime]]:
        """The open segments between two instants, clipped to them and joined where they touch."""
        begins, ends = to_ticks(start), to_ticks(end)
        if ends <= begins:
            return []
        layout = self._layout
        layout.cover(begins)
        layout.cover(ends)
        first, last = bisect_right(layout.stops, begins), bisect_left(layout.starts, ends)
        return [
            (from_ticks(max(begins, layout.starts[index])), from_ticks(min(ends, layout.stops[index])))
            for index in range(first, last)
        ]


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


def _refuse_negative(budget: int) -> None:
    if budget < 0:
        raise ValueError("a budget cannot be negative")


def _in_ticks(pauses: Iterable[Segment[datetime]]) -> list[Segment[int]]:
    return [(to_ticks(paused), to_ticks(resumed)) for paused, resumed in pauses]
