"""A working calendar as data: weekly hours in a zone, and the dates that differ.

Windows are wall-clock times of the date they start on. An edge inside a spring gap moves forward by the length of the
gap, an edge inside an autumn fold means its first occurrence (``fold=0`` of PEP 495 does both).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import ConfigurationError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = timedelta(days=1)
_TIME = re.compile(r"^(\d{2}):([0-5]\d)(?::([0-5]\d))?$")


class Window(NamedTuple):
    """Open from ``opens`` to just before ``closes``, both counted from the local midnight of its date.

    ``closes`` may pass 24 hours: a night shift belongs to the date it starts on.
    """

    opens: timedelta
    closes: timedelta


@dataclass(frozen=True)
class Calendar:
    """When an office works.

    Attributes:
        name: what policies call it.
        timezone: IANA zone of every local date and time here.
        weekly: seven tuples of windows, Monday first.
        holidays: local dates closed from midnight to midnight; shifts that would start on them do not take place.
        annual_holidays: ``(month, day)`` closed every year.
        date_overrides: windows that replace the weekly ones of that date. A holiday beats an override.
        closures: local ``(from, to)`` closed inside otherwise open windows; they beat everything.
        known_until: the last date for which holidays are published; later answers are provisional. None: no limit.

    Raises:
        ConfigurationError: unknown zone, a window that ends before it starts, or no open time at all.
    """

    name: str
    timezone: str
    weekly: tuple[tuple[Window, ...], ...]
    holidays: frozenset[date] = frozenset()
    annual_holidays: frozenset[tuple[int, int]] = frozenset()
    date_overrides: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)
    closures: tuple[tuple[datetime, datetime], ...] = ()
    known_until: date | None = None

    def __post_init__(self) -> None:
        find_zone(self.timezone)
        for window in (w for windows in (*self.weekly, *self.date_overrides.values()) for w in windows):
            if not timedelta(0) <= window.opens < window.closes <= 2 * _DAY or window.opens >= _DAY:
                raise ConfigurationError(
                    f"calendar {self.name}: a window opens at {window.opens}, closes {window.closes}"
                )
        if not any(self.weekly) and not any(self.date_overrides.values()):
            raise ConfigurationError(f"calendar {self.name} has no open time at all; no budget could ever be spent")

    @property
    def zone(self) -> ZoneInfo:
        return find_zone(self.timezone)

    def is_holiday(self, day: date) -> bool:
        return day in self.holidays or (day.month, day.day) in self.annual_holidays

    def windows_on(self, day: date) -> tuple[Window, ...]:
        """The windows that start on a date, closures not yet taken out."""
        if self.is_holiday(day):
            return ()
        override = self.date_overrides.get(day)
        return self.weekly[day.weekday()] if override is None else override

    def is_known_at(self, instant: datetime) -> bool:
        """Whether the calendar is published for the local date of ``instant``."""
        return self.known_until is None or instant.astimezone(self.zone).date() <= self.known_until


def find_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f"there is no time zone {name!r}") from None


def local_to_instant(zone: ZoneInfo, local: datetime) -> datetime:
    """The UTC instant at which clocks in ``zone`` show ``local`` (a datetime without zone)."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def parse_time_of_day(text: str) -> timedelta:
    """``HH:MM`` or ``HH:MM:SS`` since midnight; up to ``48:00``.

    Raises:
        ValueError: anything else.
    """
    match = _TIME.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time of day such as 09:00 or 24:00")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if span > 2 * _DAY:
        raise ValueError(f"{text!r} lies past the end of the next day")
    return span


def parse_local(text: str) -> datetime:
    """A local date and time such as ``2026-02-16T12:00``; ``T24:00`` is the end of the day.

    Raises:
        ValueError: anything else.
    """
    day, separator, clock = text.replace(" ", "T").partition("T")
    if not separator:
        raise ValueError(f"{text!r} is not a local date and time such as 2026-02-16T12:00")
    return datetime.combine(date.fromisoformat(day), time()) + parse_time_of_day(clock)


ALWAYS_OPEN = Calendar("always_open", "UTC", ((Window(timedelta(0), _DAY),),) * 7)
"""Elapsed time is working time on a calendar that never closes."""
