"""Reads what automation.yml says about reminders. Every error names file, line and field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from services.intake.domain.automation.reminders import OWNER, CountedSpan, Hours, ReminderRule
from shared.contracts.payload import Market
from shared.rules.calendars import calendars_of
from shared.rules.conditions import Condition
from shared.rules.document import Document, Field
from shared.rules.spans import read_span
from shared.rules.words import read_code

LONGEST = timedelta(days=366)
"""What waits longer is not mended by a reminder."""

MOST = 100
"""Reminders of one rule while a request is at a stage."""

_WORKING, _ELAPSED = "working", "elapsed"


def read_hours(document: Document, top: Mapping[str, Field]) -> Hours:
    """``calendars`` as in calendars.yml, and ``markets``: which of them each market works by."""
    if "calendars" not in top and "markets" not in top:
        return Hours()
    for name, other in (("calendars", "markets"), ("markets", "calendars")):
        if name not in top:
            raise top[other].fail(f"says nothing without {name}")
    calendars = calendars_of(document, top["calendars"])
    markets = top["markets"].members(frozenset(Market))
    for field in markets.values():
        if field.text() not in top["calendars"].entries():
            raise field.fail(f"there is no calendar {field.text()!r}; known are {', '.join(sorted(calendars))}")
    return Hours({Market(m): calendars[f.text()] for m, f in markets.items() if f.text() in calendars})


def read_reminder(field: Field, code: str, when: Condition, *, is_on: bool, has_calendars: bool) -> ReminderRule:
    """``{after: 4h working, every: 24h elapsed, at_most: 3, to: [owner, team_lead]}``.

    Args:
        has_calendars: the file says what working time is.
    """
    members = field.members(frozenset({"after"}), frozenset({"every", "at_most", "to"}))
    after = _span(members["after"], has_calendars=has_calendars)
    every = _span(members["every"], has_calendars=has_calendars) if "every" in members else None
    if every is not None and "at_most" not in members:
        raise members["every"].fail("at_most is missing: how many reminders come at all")
    if every is None and "at_most" in members:
        raise members["at_most"].fail("says nothing without every")
    return ReminderRule(
        code=code,
        when=when,
        after=after,
        every=every,
        at_most=members["at_most"].parse(_count) if "at_most" in members else 1,
        to=_roles(members["to"]) if "to" in members else (OWNER,),
        is_on=is_on,
    )


def _span(field: Field, *, has_calendars: bool) -> CountedSpan:
    span = field.parse(_counted_span)
    if span.is_working and not has_calendars:
        raise field.fail("working time needs calendars and markets, which this file does not have")
    return span


def _counted_span(text: str) -> CountedSpan:
    span, _, word = text.partition(" ")
    if word not in (_WORKING, _ELAPSED):
        raise ValueError("must be a span and `working` or `elapsed`, such as `8h working`")
    if word == _WORKING and "d" in span:
        raise ValueError("a working day has no fixed length; give working hours")
    length = read_span(span)
    if not timedelta(0) < length <= LONGEST:
        raise ValueError(f"must be longer than nothing and at most {LONGEST.days} days")
    return CountedSpan(length, is_working=word == _WORKING)


def _count(text: str) -> int:
    count = int(text) if text.isdecimal() and len(text) <= len(str(MOST)) else 0
    if not 1 < count <= MOST:
        raise ValueError(f"must be a number from 2 to {MOST}; the first reminder counts")
    return count


def _roles(field: Field) -> tuple[str, ...]:
    roles = field.distinct(read_code)
    if not roles:
        raise field.fail(f"needs at least one role, or `{OWNER}` for the role of the stage")
    return tuple(roles)
