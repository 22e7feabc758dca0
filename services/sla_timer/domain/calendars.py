"""Reads calendars.yml. Every error names file, line and field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from services.sla_timer.domain.document import Document, Field
from shared.errors import ConfigurationError
from shared.worktime import WEEKDAYS, Calendar, Window, parse_local, parse_time_of_day

FORMAT = "1"

_OPTIONAL = frozenset({"holidays", "annual_holidays", "date_overrides", "makeup_days", "closures"})
_LEAP_YEAR = 2000  # so that 02-29 is a date


def read_calendars(text: str, file: str) -> dict[str, Calendar]:
    """The calendars by name.

    Raises:
        InvalidDocument: names every wrong field.
    """
    document = Document(text, file)
    top = document.root.members(frozenset({"format", "calendars"}))
    if top["format"].text() != FORMAT:
        raise top["format"].fail(f"this program reads format {FORMAT}")
    calendars: dict[str, Calendar] = {}
    for name, field in top["calendars"].entries().items():
        with document.collecting():
            calendars[name] = _calendar(name, field)
    document.finish()
    if not calendars:
        raise top["calendars"].fail("needs at least one calendar")
    return calendars


def _calendar(name: str, field: Field) -> Calendar:
    members = field.members(frozenset({"timezone", "weekly", "known_until"}), _OPTIONAL)
    weekly_fields = members["weekly"].members(frozenset(), frozenset(WEEKDAYS))
    weekly = tuple(_windows(weekly_fields[day]) if day in weekly_fields else () for day in WEEKDAYS)
    if not any(weekly):
        raise members["weekly"].fail("has no open time at all; no budget could ever be spent")
    holidays = _dates(members["holidays"]) if "holidays" in members else {}
    overrides = {day: _windows(entry) for day, entry in _entries_by_date(members.get("date_overrides")).items()}
    for day, entry in _makeup_days(members.get("makeup_days"), weekly).items():
        if day in overrides or day in holidays:
            raise members["makeup_days"].fail(f"{day} is a holiday or an override too")
        overrides[day] = entry
    try:
        return Calendar(
            name=name,
            timezone=members["timezone"].text(),
            weekly=weekly,
            holidays=frozenset(holidays),
            annual_holidays=_annual(members["annual_holidays"]) if "annual_holidays" in members else frozenset(),
            date_overrides=overrides,
            closures=_closures(members["closures"]) if "closures" in members else (),
            known_until=members["known_until"].parse(_date),
        )
    except ConfigurationError as error:
        raise members["timezone"].fail(str(error)) from None


def _windows(field: Field) -> tuple[Window, ...]:
    windows: list[Window] = []
    for entry in field.items():
        edges = entry.items()
        if len(edges) != len(Window._fields):
            raise entry.fail('must be two times, such as ["09:00", "18:00"]')
        window = Window(edges[0].parse(parse_time_of_day), edges[1].parse(parse_time_of_day))
        if window.closes <= window.opens:
            raise entry.fail("must end after it starts; a night shift ends past 24:00, such as 31:00")
        if windows and window.opens < windows[-1].closes:
            raise entry.fail("overlaps the window before it")
        windows.append(window)
    return tuple(windows)


def _dates(field: Field) -> dict[date, str]:
    return {day: entry.text() for day, entry in _entries_by_date(field).items()}


def _entries_by_date(field: Field | None) -> dict[date, Field]:
    found: dict[date, Field] = {}
    for text, entry in (field.entries() if field is not None else {}).items():
        try:
            found[_date(text)] = entry
        except ValueError as error:
            raise entry.fail(str(error)) from None
    return found


def _makeup_days(field: Field | None, weekly: tuple[tuple[Window, ...], ...]) -> Mapping[date, tuple[Window, ...]]:
    """Weekend days worked with the hours of a weekday, to make up for a day off."""
    if field is None:
        return {}
    members = field.members(frozenset({"hours_of", "dates"}))
    if members["hours_of"].text() not in WEEKDAYS:
        raise members["hours_of"].fail(f"must be one of {', '.join(WEEKDAYS)}")
    windows = weekly[WEEKDAYS.index(members["hours_of"].text())]
    return dict.fromkeys(_dates(members["dates"]), windows)


def _annual(field: Field) -> frozenset[tuple[int, int]]:
    return frozenset(entry.parse(_month_and_day) for entry in field.items())


def _closures(field: Field) -> tuple[tuple[datetime, datetime], ...]:
    closures: list[tuple[datetime, datetime]] = []
    for entry in field.items():
        edges = entry.items()
        if len(edges) != len(Window._fields):
            raise entry.fail("must be two local dates with times")
        closure = edges[0].parse(parse_local), edges[1].parse(parse_local)
        if closure[1] <= closure[0]:
            raise entry.fail("must end after it starts")
        closures.append(closure)
    return tuple(closures)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date such as 2026-02-17") from None


def _month_and_day(text: str) -> tuple[int, int]:
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{text}")
    except ValueError:
        raise ValueError(f"{text!r} is not a month and day such as 12-25") from None
    return day.month, day.day
