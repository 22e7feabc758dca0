"""Reads the single fields of a calendar: windows, dates, spans, and rules for computed holidays.

A reader that takes None gives nothing for a field that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from shared.rules.document import Field
from shared.worktime import WEEKDAYS, Annual, Easter, HolidayRule, NthWeekday, Window, parse_local, parse_time_of_day

_LEAP_YEAR = 2000  # so that 02-29 is a date
_MOST_DAYS_FROM_EASTER = 120  # every feast that moves with it lies from Carnival to Corpus Christi
_NTH = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "last": -1}

Weekly = tuple[tuple[Window, ...], ...]


def weekly_hours(field: Field) -> Weekly:
    """Seven tuples, Monday first; a day that is not given is closed."""
    days = field.members(frozenset(), frozenset(WEEKDAYS))
    weekly = tuple(windows(days[day]) if day in days else () for day in WEEKDAYS)
    if not any(weekly):
        raise field.fail("has no open time at all; no budget could ever be spent")
    return weekly


def windows(field: Field) -> tuple[Window, ...]:
    found: list[Window] = []
    for entry in field.items():
        opens, closes = _pair(entry, 'must be two times, such as ["09:00", "18:00"]')
        window = Window(opens.parse(parse_time_of_day), closes.parse(parse_time_of_day))
        if window.closes <= window.opens:
            raise entry.fail("must end after it starts; a night shift ends past 24:00, such as 31:00")
        if found and window.opens < found[-1].closes:
            raise entry.fail("overlaps the window before it")
        found.append(window)
    return tuple(found)


def named_dates(field: Field | None) -> dict[date, str]:
    """Dates with what people call them."""
    return {day: entry.text() for day, entry in _fields_by_date(field).items()}


def _fields_by_date(field: Field | None) -> dict[date, Field]:
    found: dict[date, Field] = {}
    for text, entry in _entries(field).items():
        try:
            found[_date(text)] = entry
        except ValueError as error:
            raise entry.fail(str(error)) from None
    return found


def overrides(field: Field | None) -> dict[date, tuple[Window, ...]]:
    return {day: windows(entry) for day, entry in _fields_by_date(field).items()}


def makeup_days(field: Field | None, weekly: Weekly) -> Mapping[date, tuple[Window, ...]]:
    """Weekend days worked with the hours of a weekday, to make up for a day off."""
    if field is None:
        return {}
    members = field.members(frozenset({"hours_of", "dates"}))
    return dict.fromkeys(named_dates(members["dates"]), weekly[members["hours_of"].parse(_weekday)])


def annual_dates(field: Field | None) -> frozenset[tuple[int, int]]:
    return frozenset(entry.parse(_month_and_day) for entry in _items(field))


def weekdays(field: Field | None) -> frozenset[int]:
    return frozenset(entry.parse(_weekday) for entry in _items(field))


def holiday_rules(field: Field | None) -> tuple[HolidayRule, ...]:
    """Computed holidays by what people call them."""
    return tuple(_rule(entry) for entry in _entries(field).values())


def local_spans(field: Field | None) -> tuple[tuple[datetime, datetime], ...]:
    """Pairs of local dates with times, each from the first to before the second."""
    spans: list[tuple[datetime, datetime]] = []
    for entry in _items(field):
        begins, ends = _pair(entry, "must be two local dates with times")
        span = begins.parse(parse_local), ends.parse(parse_local)
        if span[1] <= span[0]:
            raise entry.fail("must end after it starts")
        spans.append(span)
    return tuple(spans)


def known_until(field: Field | None) -> date | None:
    return field.parse(_date) if field is not None else None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date such as 2026-02-17") from None


def _rule(field: Field) -> HolidayRule:
    names = field.entries().keys()
    if "easter" in names:
        return Easter(field.members(frozenset({"easter"}))["easter"].parse(_days_from_easter))
    if "date" in names:
        return Annual(*field.members(frozenset({"date"}))["date"].parse(_month_and_day))
    members = field.members(frozenset({"nth", "weekday", "month"}), frozenset({"easter", "date"}))
    return NthWeekday(members["nth"].parse(_nth), members["weekday"].parse(_weekday), members["month"].parse(_month))


def _items(field: Field | None) -> list[Field]:
    return field.items() if field is not None else []


def _entries(field: Field | None) -> dict[str, Field]:
    return field.entries() if field is not None else {}


def _pair(field: Field, message: str) -> tuple[Field, Field]:
    edges = field.items()
    if len(edges) != len(Window._fields):
        raise field.fail(message)
    return edges[0], edges[1]


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise ValueError(f"must be one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(text)


def _month_and_day(text: str) -> tuple[int, int]:
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{text}")
    except ValueError:
        raise ValueError(f"{text!r} is not a month and day such as 12-25") from None
    return day.month, day.day


def _days_from_easter(text: str) -> int:
    days = int(text) if text.lstrip("+-").isdecimal() and len(text) <= len("-120") else None
    if days is None or abs(days) > _MOST_DAYS_FROM_EASTER:
        raise ValueError(f"must be a number of days, at most {_MOST_DAYS_FROM_EASTER} either way; -2 is Good Friday")
    return days


def _nth(text: str) -> int:
    if text not in _NTH:
        raise ValueError(f"must be one of {', '.join(_NTH)}")
    return _NTH[text]


def _month(text: str) -> int:
    if text not in {str(month) for month in range(1, 13)}:
        raise ValueError("must be a month from 1 to 12")
    return int(text)
