"""Comparisons between attributes and the instants of a submission: ``policy_from <= incident_date <= policy_to``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from operator import ge, gt, le, lt
from typing import Any
from zoneinfo import ZoneInfo

from services.intake.domain.validation.values import MOMENTS, NUMBERS, Moment, ValueType, date_of, is_of, read_moment
from shared.rules.facts import Facts
from shared.values import value

SUBMITTED_AT, RECORDED_AT = "submitted_at", "recorded_at"
INSTANTS = frozenset({SUBMITTED_AT, RECORDED_AT})
"""When the customer submitted the request, and when it came to us. No attribute of these names can be asked for."""

RELATIONS = {"<": lt, "<=": le, ">": gt, ">=": ge}

MOST_DAYS = 73_000
"""Some two hundred years: longer than any life that is insured, and far from where dates end."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")
_SHIFT = re.compile(r"([0-9]{1,5})d")


@dataclass(frozen=True, slots=True)
class Term:
    """A fact or an instant, moved by whole days."""

    name: str
    shift: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A chain of terms with a relation between each and the next.

    Attributes:
        terms: at least two.
        relations: one fewer.
    """

    terms: tuple[Term, ...]
    relations: tuple[str, ...]

    def pairs(self) -> Iterator[tuple[Term, str, Term]]:
        """Each term with its neighbour."""
        for (one, other), relation in zip(pairwise(self.terms), self.relations, strict=True):
            yield one, relation, other

    def names(self) -> frozenset[str]:
        """Of the facts it asks for."""
        return frozenset(term.name for term in self.terms) - INSTANTS


@value
class Given:
    """A submission as rules see it.

    Attributes:
        zone: the market's; dates are dates there.
        submitted_at, recorded_at: with a zone.
    """

    facts: Facts
    zone: ZoneInfo
    submitted_at: datetime
    recorded_at: datetime


def read_comparison(text: str) -> Comparison:
    """Terms and relations with spaces between them; ``- 730d`` and ``+ 1d`` move a term.

    Raises:
        ValueError: anything else.
    """
    words = text.split()
    terms: list[Term] = []
    relations: list[str] = []
    while True:
        terms.append(_take_term(words))
        if not words:
            break
        relation = words.pop(0)
        if relation not in RELATIONS:
            raise ValueError(f"{relation!r} is not one of {', '.join(RELATIONS)}")
        relations.append(relation)
    if not relations:
        raise ValueError("compares nothing; write for instance `policy_from <= policy_to`")
    comparison = Comparison(tuple(terms), tuple(relations))
    for one, _, other in comparison.pairs():
        if one.name == other.name:
            raise ValueError(f"compares {one.name} with itself")
        if not {one.name, other.name} - INSTANTS:
            raise ValueError("compares two instants that no channel chooses freely; name an attribute")
    return comparison


def _take_term(words: list[str]) -> Term:
    if not words or not _NAME.fullmatch(words[0]):
        raise ValueError("needs names with one of " + ", ".join(RELATIONS) + " between them")
    name = words.pop(0)
    if not words or words[0] not in ("+", "-"):
        return Term(name)
    sign = words.pop(0)
    days = _SHIFT.fullmatch(words.pop(0)) if words else None
    if days is None or int(days[1]) > MOST_DAYS:
        raise ValueError(f"after {sign} a number of days is needed, such as 30d, at most {MOST_DAYS}d")
    return Term(name, timedelta(days=int(days[1]) * (-1 if sign == "-" else 1)))


def find_obstacle(comparison: Comparison, types: Mapping[str, ValueType]) -> str | None:
    """Why the terms cannot be compared; None when they can."""
    for one, _, other in comparison.pairs():
        kinds = [_type_of(term, types) for term in (one, other)]
        for term, kind in zip((one, other), kinds, strict=True):
            if kind is None:
                return f"no rule says which type {term.name} has; add one with `types`"
            if kind not in NUMBERS | MOMENTS:
                return f"{term.name} is of type {kind} and has no order"
            if term.shift and kind not in MOMENTS:
                return f"{term.name} is of type {kind}, which days cannot move"
        if (kinds[0] in NUMBERS) != (kinds[1] in NUMBERS):
            return f"{one.name} is of type {kinds[0]}, {other.name} of type {kinds[1]}"
    return None


def find_broken(comparison: Comparison, types: Mapping[str, ValueType], given: Given) -> str | None:
    """The fact to name because a relation does not hold; None when all hold.

    A pair of which one is missing or of another type than ``types`` says is not compared. A date and an instant are
    compared as dates in the market's zone.
    """
    for one, relation, other in comparison.pairs():
        left, right = (_value(term, types, given) for term in (one, other))
        if left is None or right is None:
            continue
        if type(left) is not type(right) and isinstance(left, date) and isinstance(right, date):
            left, right = date_of(left, given.zone), date_of(right, given.zone)
        if not RELATIONS[relation](left, right):
            return one.name if one.name not in INSTANTS else other.name
    return None


def _type_of(term: Term, types: Mapping[str, ValueType]) -> ValueType | None:
    return ValueType.INSTANT if term.name in INSTANTS else types.get(term.name)


def _value(term: Term, types: Mapping[str, ValueType], given: Given) -> Any:
    """A number, a date or an instant."""
    if term.name in INSTANTS:
        return _shifted(given.submitted_at if term.name == SUBMITTED_AT else given.recorded_at, term.shift)
    value, kind = given.facts.get(term.name), types[term.name]
    if value is None or not is_of(value, kind):
        return None
    if kind in NUMBERS:
        return value
    moment = read_moment(value, kind, given.zone)
    return None if moment is None else _shifted(moment, term.shift)


def _shifted(moment: Moment, shift: timedelta) -> Moment:
    """Policies run to 9999-12-31 when they have no end, so what lies beyond the calendar is its last or first day."""
    try:
        return moment + shift
    except OverflowError:
        edge = date.max if shift > timedelta(0) else date.min
        return moment.replace(year=edge.year, month=edge.month, day=edge.day)
