"""Rows become events: case, activity, instant, resource, and the values that the request needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from typing import NamedTuple

from punctual.replay.logs import Entry, Malformed, Row
from punctual.replay.mapping.instants import InstantReader, InstantUnreadable
from punctual.replay.mapping.model import LogMap

SEPARATOR = " / "


class LogEvent(NamedTuple):
    """One event of a case; compact, because a log has hundreds of thousands.

    Attributes:
        order: 0, 1, 2, ... in the order of the log; decides between equal instants.
        values: in the order of ``LogMap.value_columns``; empty where the row has none.
    """

    instant: datetime
    order: int
    line: int
    case: str
    activity: str
    resource: str
    values: tuple[str, ...]


@dataclass
class EventLog:
    """Everything read.

    Attributes:
        events: sorted by instant, then by the order of the log.
        rows: rows read, good or bad.
        filtered: rows that the map's filters left out.
    """

    events: list[LogEvent] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)
    rows: int = 0
    filtered: int = 0


def collect_events(entries: Iterable[Entry], log_map: LogMap) -> EventLog:
    """Read the whole log; what cannot be used is in ``malformed``."""
    log = EventLog()
    reader = _RowReader(log_map)
    for entry in entries:
        log.rows += 1
        if isinstance(entry, Malformed):
            log.malformed.append(entry)
        elif not reader.is_wanted(entry):
            log.filtered += 1
        else:
            for found in reader.events(entry, len(log.events)):
                if isinstance(found, Malformed):
                    log.malformed.append(found)
                else:
                    log.events.append(found)
    log.events.sort(key=lambda event: (event.instant, event.order))
    return log


class _RowReader:
    def __init__(self, log_map: LogMap) -> None:
        self._columns = log_map.columns
        self._filters = [(rule.column, frozenset(rule.only), frozenset(rule.without)) for rule in log_map.filters]
        self._missing = frozenset(log_map.missing) | {""}
        self._value_columns = log_map.value_columns()
        self._instants = InstantReader(log_map.instants)

    def is_wanted(self, row: Row) -> bool:
        for column, only, without in self._filters:
            value = row.values.get(column, "")
            if (only and value not in only) or value in without:
                return False
        return True

    def events(self, row: Row, order: int) -> Iterator[LogEvent | Malformed]:
        case = self._value(row, self._columns.case)
        if not case:
            yield Malformed(row.line, f"no case (column {self._columns.case})")
            return
        resource = intern(self._value(row, self._columns.resource)) if self._columns.resource else ""
        values = tuple(intern(self._value(row, column)) for column in self._value_columns)
        for activity, column in self._activities(row):
            text = self._value(row, column)
            if not activity:
                yield Malformed(row.line, f"no activity (column {' and '.join(self._columns.activity)})")
            elif not text and self._columns.instants:
                continue  # in a wide log an empty instant means that it has not happened
            elif not text:
                yield Malformed(row.line, f"no instant (column {column})")
            else:
                try:
                    instant = self._instants.read(text)
                except InstantUnreadable as error:
                    yield Malformed(row.line, f"{error} (column {column})")
                    continue
                yield LogEvent(instant, order, row.line, intern(case), intern(activity), resource, values)
                order += 1

    def _activities(self, row: Row) -> Iterator[tuple[str, str]]:
        """Activity and the column of its instant."""
        yield from self._columns.instants.items()
        if self._columns.instant is not None:
            parts = (self._value(row, column) for column in self._columns.activity)
            yield SEPARATOR.join(part for part in parts if part), self._columns.instant

    def _value(self, row: Row, column: str | None) -> str:
        value = row.values.get(column or "", "").strip()
        return "" if value in self._missing else value
