"""Reads working calendars, of calendars.yml and of other files. Every error names file, line and field."""

from __future__ import annotations

from collections.abc import Mapping

from shared.rules.calendar_dates import OWN_DATES, read_own_dates
from shared.rules.calendar_fields import weekly_hours
from shared.rules.document import Document, Field, InvalidDocument
from shared.worktime import NO_HOURS, Calendar, Combination, has_open_time

FORMAT = "1"

_SOURCES = ("weekly", "based_on", *Combination)
"""Where a calendar has its hours from; each calendar names one, a based one may have weekly hours of its own."""


def read_calendars(text: str, file: str) -> dict[str, Calendar]:
    """The calendars by name.

    Raises:
        InvalidDocument: names every wrong field.
    """
    document = Document(text, file)
    top = document.root.members(frozenset({"format", "calendars"}))
    if top["format"].text() != FORMAT:
        raise top["format"].fail(f"this program reads format {FORMAT}")
    calendars = calendars_of(document, top["calendars"])
    document.finish()
    return calendars


def calendars_of(document: Document, field: Field) -> dict[str, Calendar]:
    """The calendars of a mapping in a document about other things, too. What is wrong with one is collected there.

    Raises:
        InvalidDocument: there is none.
    """
    fields = field.entries()
    if not fields:
        raise field.fail("needs at least one calendar")
    return _Reader(document, fields).read_all()


class _Reader:
    """Reads calendars that refer to each other, each once, in whatever order they stand."""

    def __init__(self, document: Document, fields: Mapping[str, Field]) -> None:
        self._document = document
        self._fields = fields
        self._read: dict[str, Calendar] = {}
        self._broken: set[str] = set()
        self._under_way: list[str] = []

    def read_all(self) -> dict[str, Calendar]:
        for name in self._fields:
            if name not in self._broken:  # named already, by one that refers to it
                with self._document.collecting():
                    self._calendar(name)
        return {name: self._read[name] for name in self._fields if name in self._read}

    def _calendar(self, name: str) -> Calendar:
        if name not in self._read:
            self._under_way.append(name)
            try:
                self._read[name] = self._build(name, self._fields[name])
            except InvalidDocument:
                self._broken.add(name)
                raise
            finally:
                self._under_way.pop()
        return self._read[name]

    def _referred(self, field: Field) -> Calendar:
        name = field.text()
        if name not in self._fields:
            raise field.fail(f"there is no calendar {name!r}; known are {', '.join(sorted(self._fields))}")
        if name in self._under_way:
            circle = " -> ".join([*self._under_way[self._under_way.index(name) :], name])
            raise field.fail(f"goes round in a circle: {circle}")
        if name in self._broken:
            raise field.fail(f"calendar {name} cannot be used, it has an error of its own")
        return self._calendar(name)

    def _build(self, name: str, field: Field) -> Calendar:
        sources = [source for source in _SOURCES if source in field.entries()]
        if not sources:
            raise field.fail("weekly is missing, or one of based_on, any_of, all_of")
        if len(sources) > 1 and sources != ["weekly", "based_on"]:
            raise field.fail(f"can have only one of {', '.join(sources)}")
        source = sources[-1]
        if source == "weekly":
            return _plain(name, field)
        if source == "based_on":
            return self._based(name, field)
        return self._combined(name, field, Combination(source))

    def _based(self, name: str, field: Field) -> Calendar:
        """The dates of another calendar and own ones; where both say something about a date, the own holds."""
        members = field.members(frozenset({"based_on"}), OWN_DATES | {"weekly"})
        other = self._referred(members["based_on"])
        weekly = weekly_hours(members["weekly"]) if "weekly" in members else other.weekly
        own = read_own_dates(members, weekly)
        return own.calendar(
            name=name,
            timezone=own.timezone or other.timezone,
            weekly=weekly,
            parts=other.parts,
            combination=other.combination,
            beside=other,
        )

    def _combined(self, name: str, field: Field, combination: Combination) -> Calendar:
        members = field.members(frozenset({combination.value}), OWN_DATES)
        parts = tuple(self._referred(entry) for entry in members[combination].items())
        if not parts:
            raise members[combination].fail("needs at least one calendar")
        own = read_own_dates(members, NO_HOURS)
        zones = sorted({part.timezone for part in parts})
        if own.timezone is None and len(zones) > 1:
            raise field.fail(f"timezone is missing; its parts are in {', '.join(zones)}")
        calendar = own.calendar(
            name=name, timezone=own.timezone or zones[0], weekly=NO_HOURS, parts=parts, combination=combination
        )
        if not has_open_time(calendar):
            raise members[combination].fail("has no open time at all; its parts are never open together")
        return calendar


def _plain(name: str, field: Field) -> Calendar:
    members = field.members(frozenset({"timezone", "weekly", "known_until"}), OWN_DATES)
    weekly = weekly_hours(members["weekly"])
    return read_own_dates(members, weekly).calendar(name=name, timezone=members["timezone"].text(), weekly=weekly)
