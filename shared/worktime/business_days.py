"""Targets in working days: "within two working days", "by the end of the third working day".

A working day is a local date on which a shift begins. The start counts from the next open instant; the day of that
instant, the day of receipt, does not count. The target is the same local time of day on the n-th working day after it,
or the next open instant. By the end of the day it is the closing of that day's last shift, or of one that began before
and lasts longer; otherwise the end of a later day could come earlier. What is received after midnight, in a night shift
on whose second date nobody starts work, is received on the date the shift belongs to; otherwise a later receipt could
be due earlier.

Working time lost to pauses between start and target is added to the target until nothing changes. A target is never
inside a pause: where a clock stands still as the day of the target closes, the end of the day on which it goes on
holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from shared.worktime.layout import Layout
from shared.worktime.local_time import local_to_ticks, midnight_of
from shared.worktime.segments import Segment
from shared.worktime.ticks import from_ticks


def due_days(
    layout: Layout, zone: ZoneInfo, start: int, days: int, end_of_day: bool, pauses: Sequence[Segment[int]]
) -> int:
    """See `WorkingTime.due_days`.

    Args:
        start: ticks.
        pauses: ticks, as ``union`` returns them.
    """
    if days < 0:
        raise ValueError("a number of working days cannot be negative")
    begins = _next_open(layout, start)
    target = layout.position(begins if days == 0 else _same_time(layout, zone, begins, days))
    at = layout.latest_at(target)
    for paused, resumed in pauses:
        if at <= paused:
            break
        if resumed > begins:
            target += layout.position(resumed) - layout.position(max(paused, begins))
            at = layout.latest_at(target)
    return _closing(layout, zone, at, pauses) if end_of_day else at


def _same_time(layout: Layout, zone: ZoneInfo, begins: int, days: int) -> int:
    received = from_ticks(begins).astimezone(zone)
    index = _working_day(layout, received.toordinal())
    since_midnight = received.replace(tzinfo=None) - midnight_of(date.fromordinal(layout.days[index]))
    while index + days >= len(layout.days):
        layout.grow_ahead()
    return local_to_ticks(zone, midnight_of(date.fromordinal(layout.days[index + days])) + since_midnight)


def _closing(layout: Layout, zone: ZoneInfo, at: int, pauses: Sequence[Segment[int]]) -> int:
    closes = _end_of_day(layout, zone, at)
    for paused, resumed in pauses:
        if paused < closes <= resumed:
            closes = _end_of_day(layout, zone, _next_open(layout, resumed))
    return closes


def _end_of_day(layout: Layout, zone: ZoneInfo, at: int) -> int:
    index = _working_day(layout, from_ticks(at).astimezone(zone).toordinal())
    return layout.closings[index]


def _working_day(layout: Layout, today: int) -> int:
    """The index of the date on which one works at an open instant of ``today``: that date, or of a shift before it."""
    while not layout.days or layout.days[0] > today:
        layout.grow_back()
    return bisect_right(layout.days, today) - 1


def _next_open(layout: Layout, instant: int) -> int:
    return max(instant, layout.latest_at(layout.position(instant)))
