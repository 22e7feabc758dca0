"""What is different between two versions of a calendar, in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from shared.worktime import WEEKDAYS, Calendar, Window

_MINUTE = timedelta(minutes=1)


def find_calendar_differences(before: Calendar, after: Calendar) -> Iterator[str]:
    """One line for each date, weekday or field."""
    if before.timezone != after.timezone:
        yield f"timezone {before.timezone} becomes {after.timezone}"
    if before.known_until != after.known_until:
        yield f"known_until {before.known_until or 'for ever'} becomes {after.known_until or 'for ever'}"
    for weekday, old, new in zip(WEEKDAYS, before.weekly, after.weekly, strict=True):
        if old != new:
            yield f"{weekday} {_hours(old)} becomes {_hours(new)}"
    yield from _dates("holiday", before.holidays, after.holidays)
    yield from _dates("annual holiday", _month_days(before), _month_days(after))
    yield from _dates("worked holiday", before.worked_holidays, after.worked_holidays)
    for day in sorted({*before.date_overrides, *after.date_overrides}):
        old_hours, new_hours = (_override(calendar, day) for calendar in (before, after))
        if old_hours != new_hours:
            yield f"hours on {day} {old_hours} becomes {new_hours}"
    yield from _dates("closure", _segments(before.closures), _segments(after.closures))
    yield from _dates("extra hours", _segments(before.extra_hours), _segments(after.extra_hours))
    for what in ("holiday_rules", "substitute_on", "parts", "combination"):
        if getattr(before, what) != getattr(after, what):
            yield f"other {_LABELS[what]}"


_LABELS = {
    "holiday_rules": "computed holidays",
    "substitute_on": "substitutes for holidays on a weekend",
    "parts": "calendars it is made of, or other dates of theirs",
    "combination": "combination of the calendars it is made of",
}


def _dates(what: str, before: Iterable[object], after: Iterable[object]) -> Iterator[str]:
    old, new = {str(entry) for entry in before}, {str(entry) for entry in after}
    yield from (f"{what} {entry} removed" for entry in sorted(old - new))
    yield from (f"{what} {entry} added" for entry in sorted(new - old))


def _month_days(calendar: Calendar) -> list[str]:
    return [f"{month:02}-{day:02}" for month, day in calendar.annual_holidays]


def _segments(segments: Iterable[tuple[datetime, datetime]]) -> list[str]:
    return [f"{start:%Y-%m-%dT%H:%M} to {end:%Y-%m-%dT%H:%M}" for start, end in segments]


def _override(calendar: Calendar, day: date) -> str:
    windows = calendar.date_overrides.get(day)
    return "as usual" if windows is None else _hours(windows)


def _hours(windows: Sequence[Window]) -> str:
    return ", ".join(f"{_time(window.opens)}-{_time(window.closes)}" for window in windows) or "closed"


def _time(since_midnight: timedelta) -> str:
    """Past 24:00 for a night shift, as calendars write it."""
    hours, minutes = divmod(since_midnight // _MINUTE, 60)
    return f"{hours:02}:{minutes:02}"
