"""Local dates and times of a zone, and the instants they mean.

An edge inside a spring gap moves forward by the length of the gap, an edge inside an autumn fold means its first
occurrence (``fold=0`` of PEP 495 does both).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import ConfigurationError
from shared.worktime.ticks import to_ticks

_LATEST = timedelta(days=2)
_TIME = re.compile(r"^(\d{2}):([0-5]\d)(?::([0-5]\d))?$")


def find_zone(name: str) -> ZoneInfo:
    """Raises:
    ConfigurationError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f"there is no time zone {name!r}") from None


def local_to_instant(zone: ZoneInfo, local: datetime) -> datetime:
    """The UTC instant at which clocks in ``zone`` show ``local`` (a datetime without zone)."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def local_to_ticks(zone: ZoneInfo, local: datetime) -> int:
    return to_ticks(local.replace(tzinfo=zone, fold=0))


def midnight_of(day: date) -> datetime:
    """Local, without zone."""
    return datetime.combine(day, time())


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
    if span > _LATEST:
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
    return midnight_of(date.fromisoformat(day)) + parse_time_of_day(clock)
