"""Time of the reference: a row of cells of a quarter of an hour, counted one by one.

Every instant has to lie on a quarter of an hour, and every edge of a calendar too; calendars are weekly hours in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from services.sla_timer.domain.rules import Rulebook

ORIGIN = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
CELL = timedelta(minutes=15)
CELLS_A_DAY, CELLS_AN_HOUR = 96, 4
DAYS = 150
SIGHT = DAYS * CELLS_A_DAY
"""How far the reference sees; nothing that is asked of it lies beyond."""

Span = tuple[int, int]


def cell(at: datetime) -> int:
    number, rest = divmod(at - ORIGIN, CELL)
    assert not rest, f"{at} is not on a quarter of an hour"
    return number


def instant(number: int) -> datetime:
    return ORIGIN + number * CELL


_open_cells: dict[str, bytearray] = {}


def open_cells(rulebook: Rulebook, calendar: str | None) -> bytearray:
    name = calendar or next(iter(rulebook.calendar_names.values()))
    if name not in _open_cells:
        cells = bytearray(SIGHT)
        for day in range(DAYS):
            for opens, closes in rulebook.calendars[name].calendar.weekly[day % 7]:
                for at in range(opens // CELL, closes // CELL):
                    cells[min(day * CELLS_A_DAY + at, SIGHT - 1)] = 1
        _open_cells[name] = cells
    return _open_cells[name]


ALWAYS = bytearray(b"\1" * SIGHT)


def walk(start: int, count: float, hours: bytearray, still: bytearray) -> int | None:
    """Where so many cells have been counted; None when that is out of sight."""
    at, left = start, count
    assert left == int(left)
    while left > 0:
        if at >= SIGHT:
            return None
        left -= hours[at] and not still[at]
        at += 1
    return at


def joined(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for start, stop in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(stop, found[-1][1])
        else:
            found.append((start, stop))
    return found
