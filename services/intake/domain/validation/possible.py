"""Whether any request can meet conditions. Says no only when that is certain.

Each condition is written as alternatives, and each alternative as questions about single facts. The values of a fact
are cut where a question changes its answer: at every value that is named, at every bound and just beside it, and at
one that nobody named. An alternative is possible when each fact has a value for its questions. A pattern cuts
elsewhere, so it decides only about values that are named; about others it may say anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import inf, nextafter

from shared.contracts.payload import AttributeValue
from shared.rules.conditions import AllOf, Among, AnyOf, Between, Condition, Known, Like, Not
from shared.rules.facts import STANDARD_FACTS, VOCABULARIES

MOST_ALTERNATIVES = 2000
"""A usual rule has fewer than ten; what has more takes long and is taken for possible."""

_ALWAYS_THERE = frozenset(STANDARD_FACTS) - {"product_line"}

_Question = tuple[Among | Between | Like | Known, bool]
_Way = tuple[_Question, ...]


class _TooMany(Exception):
    """More alternatives than are tried."""


def is_possible(conditions: Sequence[Condition]) -> bool:
    """False when it is certain that no request meets all of them."""
    try:
        ways = _ways(AllOf(tuple(conditions)), wanted=True)
    except _TooMany:
        return True
    return any(_can_be(way) for way in ways)


def _ways(condition: Condition, *, wanted: bool) -> list[_Way]:
    match condition:
        case Not(part):
            return _ways(part, wanted=not wanted)
        case AllOf(parts) | AnyOf(parts):
            lists = [_ways(part, wanted=wanted) for part in parts]
            if isinstance(condition, AllOf) is wanted:
                return _crossed(lists)
            return _limited(way for ways in lists for way in ways)
        case Among() | Between() | Like() | Known():
            return [((condition, wanted),)]
        case _:
            raise _TooMany  # a condition of a sort that is unknown here


def _crossed(lists: Sequence[list[_Way]]) -> list[_Way]:
    crossed: list[_Way] = [()]
    for ways in lists:
        crossed = _limited(one + other for one, other in product(crossed, ways))
    return crossed


def _limited(ways: Iterable[_Way]) -> list[_Way]:
    found: list[_Way] = []
    for way in ways:
        found.append(way)
        if len(found) > MOST_ALTERNATIVES:
            raise _TooMany
    return found


def _can_be(way: _Way) -> bool:
    by_name: dict[str, list[_Question]] = {}
    for question in way:
        by_name.setdefault(question[0].name, []).append(question)
    return all(
        any(_answers(name, value, is_named, questions) for value, is_named in _values(name, questions))
        for name, questions in by_name.items()
    )


def _answers(name: str, value: AttributeValue | None, is_named: bool, questions: Sequence[_Question]) -> bool:
    facts = {} if value is None else {name: value}
    return all(
        _One(facts).answers(question, wanted=wanted)
        for question, wanted in questions
        if value is None or is_named or not isinstance(question, Like)
    )


class _One:
    """A request of which a single fact is known."""

    def __init__(self, facts: dict[str, AttributeValue]) -> None:
        self._facts = facts

    def get(self, name: str) -> AttributeValue | None:
        return self._facts.get(name)

    def answers(self, question: Condition, *, wanted: bool) -> bool:
        return question.holds(self) is wanted


def _values(name: str, questions: Sequence[_Question]) -> Iterator[tuple[AttributeValue | None, bool]]:
    """One value for each cell, and whether it is all of its cell."""
    if name in VOCABULARIES:
        yield from ((word, True) for word in VOCABULARIES[name])
        return
    if name not in _ALWAYS_THERE:
        yield None, True
    named = {word for question, _ in questions if isinstance(question, Among) for word in question.values}
    yield from ((word, True) for word in sorted(named))
    yield next(word for number in range(len(named) + 1) if (word := f"other{number}") not in named), False
    bounds = {
        bound
        for question, _ in questions
        if isinstance(question, Between)
        for bound in (question.at_least, question.above, question.at_most, question.below)
        if bound is not None
    }
    for bound in sorted(bounds) or [0.0]:  # without any bound every number meets it
        yield from ((value, False) for value in (nextafter(bound, -inf), bound, nextafter(bound, inf)))
