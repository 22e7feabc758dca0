"""Periods are calendar quarters, written ``2026Q4``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
"""Quarters begin at midnight here. Hong Kong, mainland China and Taiwan share the offset and keep no summer time. It is
no setting: if it could change, a case could belong to two periods."""

_PERIOD = re.compile(r"([0-9]{4})Q([1-4])")
_QUARTERS = 4
_MONTHS = 3


def period_of(instant: datetime) -> str:
    """The quarter an instant falls into.

    Raises:
        ValueError: it is outside the calendar there.
    """
    try:
        local = instant.astimezone(ZONE)
    except OverflowError:
        raise ValueError(f"{instant.isoformat()} is outside the calendar of the quarters") from None
    return f"{local.year:04d}Q{(local.month - 1) // _MONTHS + 1}"


def bounds_of(period: str) -> tuple[datetime, datetime]:
    """The first instant of a quarter and the first one after it.

    Raises:
        ValueError: it is not written like ``2026Q4``, or outside the calendar.
    """
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise ValueError(f"{period!r} is no quarter such as 2026Q4")
    quarters = int(match.group(1)) * _QUARTERS + int(match.group(2)) - 1
    try:
        return _beginning(quarters), _beginning(quarters + 1)
    except OverflowError:
        raise ValueError(f"{period!r} begins before the year 1 in UTC") from None


def _beginning(quarters: int) -> datetime:
    year, quarter = divmod(quarters, _QUARTERS)
    return datetime(year, quarter * _MONTHS + 1, 1, tzinfo=ZONE).astimezone(UTC)
