"""Reads a condition. Every error names file, line and field."""

from __future__ import annotations

import re

from shared.rules.conditions import AllOf, Among, AnyOf, Between, Condition, Known, Like, Not
from shared.rules.document import Field
from shared.rules.facts import REQUEST_FACTS, Vocabulary
from shared.rules.patterns import read_pattern
from shared.rules.words import read_truth, read_word

MOST_CONDITIONS = 200
"""In one ``when``. Aliases in a text can stand for more conditions than anybody could count."""

ATTRIBUTE = "attributes."
"""Before the name of an attribute that would mean something else without it, such as ``all``."""

_BOUNDS = frozenset({"at_least", "above", "at_most", "below"})
_NAME = re.compile(r"(attributes\.)?[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")


def read_condition(field: Field, vocabulary: Vocabulary = REQUEST_FACTS) -> Condition:
    """Everything in a mapping must hold: facts by name, and ``all``, ``any``, ``not``."""
    return _Reader(field, vocabulary).mapping(field)


class _Reader:
    def __init__(self, when: Field, vocabulary: Vocabulary) -> None:
        self._when = when
        self._vocabulary = vocabulary
        self._count = 0

    def mapping(self, field: Field) -> Condition:
        parts: list[Condition] = []
        for name, entry in field.entries().items():
            self._count += 1
            if self._count > MOST_CONDITIONS:
                raise self._when.fail(f"holds more than {MOST_CONDITIONS} conditions")
            if name == "all":
                parts.append(AllOf(self._list(entry)))
            elif name == "any":
                parts.append(AnyOf(self._list(entry)))
            elif name == "not":
                parts.append(Not(self.mapping(entry)))
            elif _NAME.fullmatch(name):
                parts.append(_fact(name, entry, self._vocabulary))
            else:
                raise entry.fail("is not the name of a fact")
        if not parts:
            raise field.fail("holds no condition; leave `when` out of the default policy")
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _list(self, field: Field) -> tuple[Condition, ...]:
        parts = tuple(self.mapping(entry) for entry in field.items())
        if not parts:
            raise field.fail("needs at least one condition")
        return parts


def _fact(name: str, field: Field, vocabulary: Vocabulary) -> Condition:
    if name not in vocabulary.names and name.removeprefix(ATTRIBUTE) in vocabulary.names:
        raise field.fail(f"a standard fact is no attribute; leave `{ATTRIBUTE}` out")
    name = name.removeprefix(ATTRIBUTE)
    if not field.is_mapping:
        return Among(name, _values(name, field, vocabulary))
    members = field.members(frozenset(), _BOUNDS | {"like", "known", "is"})
    parts: list[Condition] = []
    bounds = {bound: members[bound].parse(_number) for bound in _BOUNDS & members.keys()}
    if bounds:
        if name in vocabulary.names - vocabulary.numbers:
            raise field.fail("has no order; give the values")
        parts.append(Between(name, **bounds))
    if "is" in members:
        parts.append(Among(name, _values(name, members["is"], vocabulary)))
    if "like" in members:
        parts.append(Like(name, members["like"].parse(read_pattern)))
    if "known" in members:
        known = Known(name)
        parts.append(known if members["known"].parse(read_truth) else Not(known))
    if not parts:
        raise field.fail("holds no condition")
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _values(name: str, field: Field, vocabulary: Vocabulary) -> frozenset[str]:
    known = vocabulary.values.get(name)
    entries = field.items_or_self()
    if known is not None:
        for entry in entries:
            if entry.text() not in known:
                raise entry.fail(f"{entry.text()!r} is not one of {', '.join(sorted(known))}")
    return frozenset(entry.parse(read_word) for entry in entries)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124  NaN differs from itself
        raise ValueError(f"{text!r} is not a number")
    return number
