"""The shifts of a calendar: its open time piece by piece, each with the local date it belongs to.

A shift is what is left of one window, or of one stretch of extra hours, when holidays and closures are taken out.
Shifts may overlap; joined they are the calendar's open time. Instants are ticks, see `shared.worktime.ticks`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from shared.worktime.calendar import Calendar, Combination
from shared.worktime.local_time import local_to_ticks, midnight_of
from shared.worktime.segments import Segment, difference, union
from shared.worktime.ticks import from_ticks

_DAY = timedelta(days=1)
_MARGIN = 3 * _DAY  # a window reaches into the next date, and zones lie up to 26 hours apart
_ANY_YEAR = 2024  # weekly hours that meet at all meet in any year; a leap year has every annual date


class Shift(NamedTuple):
    """Attributes:
    opens, closes: ticks.
    day: ordinal of the local date on which the window started, in the calendar's zone.
    """

    opens: int
    closes: int
    day: int


def shifts_around(calendar: Calendar, begin: date, end: date) -> list[Shift]:
    """All that belong to dates from ``begin`` to before ``end``, and some of other dates, in order."""
    closed_days = union(_holidays(calendar, begin - _MARGIN, end + _MARGIN))
    usual = _cut([*_own_windows(calendar, begin, end), *_hours_of_parts(calendar, begin, end)], closed_days)
    closures = union(_spans(calendar, calendar.closures))
    return sorted(_cut([*usual, *_extra_hours(calendar)], closures))


def has_open_time(calendar: Calendar) -> bool:
    """Whether it opens at all: parts that must all be open may have no hour in common."""
    years = {_ANY_YEAR, *(day.year for day in _dates_with_hours(calendar))}
    return any(shifts_around(calendar, date(year, 1, 1), date(year + 1, 1, 1)) for year in sorted(years))


def _dates_with_hours(calendar: Calendar) -> Iterator[date]:
    yield from calendar.date_overrides
    yield from (begins_at.date() for begins_at, _ in calendar.extra_hours)
    for part in calendar.parts:
        yield from _dates_with_hours(part)


def _own_windows(calendar: Calendar, begin: date, end: date) -> Iterator[Shift]:
    zone = calendar.zone
    for day in _days(begin, end):
        windows = calendar.windows_on(day)
        if windows:
            midnight, ordinal = midnight_of(day), day.toordinal()
            for window in windows:
                opens = local_to_ticks(zone, midnight + window.opens)
                yield Shift(opens, local_to_ticks(zone, midnight + window.closes), ordinal)


def _hours_of_parts(calendar: Calendar, begin: date, end: date) -> list[Shift]:
    """In this calendar's dates; a date with an override has its hours instead."""
    if not calendar.parts:
        return []
    combined: list[Shift] | None = None
    for part in calendar.parts:
        shifts = [_redated(shift, part, calendar) for shift in shifts_around(part, begin - _MARGIN, end + _MARGIN)]
        if combined is None:
            combined = sorted(shifts)
        elif calendar.combination is Combination.ANY:
            combined += shifts
        else:
            combined = _overlaps(combined, sorted(shifts))
    replaced = {day.toordinal() for day in calendar.date_overrides}
    return [shift for shift in combined or () if shift.day not in replaced]


def _overlaps(ones: list[Shift], others: list[Shift]) -> list[Shift]:
    """Where both work; a piece belongs to the earlier of the two dates, so that night shifts keep theirs."""
    found: list[Shift] = []
    first = 0
    longest = max((other.closes - other.opens for other in others), default=0)
    for one in ones:
        while first < len(others) and others[first].opens + longest <= one.opens:
            first += 1
        index = first
        while index < len(others) and others[index].opens < one.closes:
            other = others[index]
            opens, closes = max(one.opens, other.opens), min(one.closes, other.closes)
            if opens < closes:
                found.append(Shift(opens, closes, min(one.day, other.day)))
            index += 1
    return sorted(found)


def _redated(shift: Shift, part: Calendar, whole: Calendar) -> Shift:
    if part.timezone == whole.timezone:
        return shift
    return shift._replace(day=from_ticks(shift.opens).astimezone(whole.zone).toordinal())


def _extra_hours(calendar: Calendar) -> Iterator[Shift]:
    spans = _spans(calendar, calendar.extra_hours)
    for (begins_at, _), (opens, closes) in zip(calendar.extra_hours, spans, strict=True):
        yield Shift(opens, closes, begins_at.toordinal())


def _holidays(calendar: Calendar, begin: date, end: date) -> Iterator[Segment[int]]:
    zone = calendar.zone
    for day in _days(begin, end):
        if calendar.is_holiday(day):
            midnight = midnight_of(day)
            yield local_to_ticks(zone, midnight), local_to_ticks(zone, midnight + _DAY)


def _spans(calendar: Calendar, spans: Iterable[Segment[datetime]]) -> list[Segment[int]]:
    zone = calendar.zone
    return [(local_to_ticks(zone, begins_at), local_to_ticks(zone, ends_at)) for begins_at, ends_at in spans]


def _cut(shifts: Iterable[Shift], holes: list[Segment[int]]) -> Iterator[Shift]:
    """What is left of each shift outside the holes."""
    ends = [end for _, end in holes]
    for shift in shifts:
        first = bisect_right(ends, shift.opens)
        if first == len(holes) or holes[first][0] >= shift.closes:
            if shift.opens < shift.closes:
                yield shift
        else:
            last = first
            while last < len(holes) and holes[last][0] < shift.closes:
                last += 1
            for opens, closes in difference([(shift.opens, shift.closes)], holes[first:last]):
                yield Shift(opens, closes, shift.day)


def _days(begin: date, end: date) -> Iterator[date]:
    return (begin + timedelta(days=offset) for offset in range((end - begin).days))
