"""Instants and spans as whole microseconds, which is what the arithmetic is done in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def to_ticks(instant: datetime) -> int:
    """Microseconds since 1970 of an aware datetime in any zone."""
    return (instant - EPOCH) // _TICK


def from_ticks(ticks: int) -> datetime:
    """The UTC instant so many microseconds after 1970.

    Raises:
        OverflowError: it lies past the year 9999.
    """
    return EPOCH + ticks * _TICK


def span_to_ticks(span: timedelta) -> int:
    return span // _TICK


def ticks_to_span(ticks: int) -> timedelta:
    return ticks * _TICK
