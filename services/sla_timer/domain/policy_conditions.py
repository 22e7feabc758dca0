"""Reads ``when`` of a policy. Every error names file, line and field."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.sla_timer.domain.conditions import AllOf, Among, AnyOf, Between, Condition, Known, Like, Not
from services.sla_timer.domain.document import Field
from services.sla_timer.domain.facts import STANDARD_FACTS
from services.sla_timer.domain.policy_patterns import read_pattern
from services.sla_timer.domain.policy_words import read_truth, read_word
from shared.contracts.payload import CustomerTier, Market, Priority, RequestKind

VOCABULARIES: Mapping[str, frozenset[str]] = {
    "kind": frozenset(RequestKind),
    "market": frozenset(Market),
    "priority": frozenset(Priority),
    "customer_tier": frozenset(CustomerTier),
}
"""The facts whose values are known beforehand."""

MOST_CONDITIONS = 200
"""In one policy. Aliases in a text can stand for more conditions than anybody could count."""

ATTRIBUTE = "attributes."
"""Before the name of an attribute that would mean something else without it, such as ``all``."""

_BOUNDS = frozenset({"at_least", "above", "at_most", "below"})
_NAME = re.compile(r"(attributes\.)?[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")


def read_condition(field: Field) -> Condition:
    """Everything in a mapping must hold: facts by name, and ``all``, ``any``, ``not``."""
    return _Reader(field).mapping(field)


class _Reader:
    def __init__(self, when: Field) -> None:
        self._when = when
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
                parts.append(_fact(name, entry))
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


def _fact(name: str, field: Field) -> Condition:
    if name not in STANDARD_FACTS and name.removeprefix(ATTRIBUTE) in STANDARD_FACTS:
        raise field.fail(f"a standard fact is no attribute; leave `{ATTRIBUTE}` out")
    name = name.removeprefix(ATTRIBUTE)
    if not field.is_mapping:
        return Among(name, _values(name, field))
    members = field.members(frozenset(), _BOUNDS | {"like", "known", "is"})
    parts: list[Condition] = []
    bounds = {bound: members[bound].parse(_number) for bound in _BOUNDS & members.keys()}
    if bounds:
        if name in STANDARD_FACTS:
            raise field.fail("has no order; give the values")
        parts.append(Between(name, **bounds))
    if "is" in members:
        parts.append(Among(name, _values(name, members["is"])))
    if "like" in members:
        parts.append(Like(name, members["like"].parse(read_pattern)))
    if "known" in members:
        known = Known(name)
        parts.append(known if members["known"].parse(read_truth) else Not(known))
    if not parts:
        raise field.fail("holds no condition")
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _values(name: str, field: Field) -> frozenset[str]:
    vocabulary = VOCABULARIES.get(name)
    entries = field.items_or_self()
    if vocabulary is not None:
        for entry in entries:
            if entry.text() not in vocabulary:
                raise entry.fail(f"{entry.text()!r} is not one of {', '.join(sorted(vocabulary))}")
    return frozenset(entry.parse(read_word) for entry in entries)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124  NaN differs from itself
        raise ValueError(f"{text!r} is not a number")
    return number
