"""Conditions over the facts of a request. Pure data with one question: does it hold?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import Protocol

from shared.contracts.payload import AttributeValue
from shared.rules.facts import Facts

TRUE, FALSE = "true", "false"

LONGEST_TEXT = 64
"""What is longer matches no pattern: channels send words of up to 64 characters, only numbers can be longer."""


class Condition(Protocol):
    def holds(self, facts: Facts) -> bool: ...

    def names(self) -> frozenset[str]:
        """The facts it asks for."""


def as_text(value: AttributeValue) -> str:
    """How a policy file writes a value: numbers without a needless fraction, booleans in lower case."""
    if isinstance(value, str):  # the usual case
        return str(value)
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@dataclass(frozen=True, slots=True)
class Among:
    """The fact has one of the values, written as in a policy file."""

    name: str
    values: frozenset[str]

    def holds(self, facts: Facts) -> bool:
        value = facts.get(self.name)
        return value is not None and as_text(value) in self.values

    def names(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True, slots=True)
class Between:
    """The fact is a number within bounds; a missing bound is none.

    Attributes:
        at_least, at_most: the bound itself belongs to the range.
        above, below: it does not.
    """

    name: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def holds(self, facts: Facts) -> bool:
        value = facts.get(self.name)
        if value is None or isinstance(value, bool):
            return False
        try:
            number = float(value)
        except ValueError:
            return False
        except OverflowError:  # an integer beyond all floats
            number = inf if isinstance(value, int) and value > 0 else -inf
        return (
            (self.at_least is None or number >= self.at_least)
            and (self.above is None or number > self.above)
            and (self.at_most is None or number <= self.at_most)
            and (self.below is None or number < self.below)
        )

    def names(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True, slots=True)
class Like:
    """The whole of the fact, at most ``LONGEST_TEXT`` characters, matches a regular expression."""

    name: str
    pattern: re.Pattern[str]

    def holds(self, facts: Facts) -> bool:
        value = facts.get(self.name)
        if value is None:
            return False
        text = as_text(value)
        return len(text) <= LONGEST_TEXT and self.pattern.fullmatch(text) is not None

    def names(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True, slots=True)
class Known:
    """The request has the fact, whatever its value."""

    name: str

    def holds(self, facts: Facts) -> bool:
        return facts.get(self.name) is not None

    def names(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; without parts it always does."""

    parts: tuple[Condition, ...] = ()

    def holds(self, facts: Facts) -> bool:
        for part in self.parts:  # noqa: SIM110  a generator costs more than most parts
            if not part.holds(facts):
                return False
        return True

    def names(self) -> frozenset[str]:
        return frozenset().union(*(part.names() for part in self.parts))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        for part in self.parts:  # noqa: SIM110  as above
            if part.holds(facts):
                return True
        return False

    def names(self) -> frozenset[str]:
        return frozenset().union(*(part.names() for part in self.parts))


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold; a missing fact makes it true."""

    part: Condition

    def holds(self, facts: Facts) -> bool:
        return not self.part.holds(facts)

    def names(self) -> frozenset[str]:
        return self.part.names()


ALWAYS = AllOf()
"""The condition of the default policy."""
