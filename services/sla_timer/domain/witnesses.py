"""Finds a request that meets some conditions and misses others, or shows that there can be none.

The values of each fact are cut into cells within which no condition changes its answer: every value that is named,
every bound, what lies between two bounds, whatever is left, and a missing fact. One value stands for each cell, so
trying the cells tries everything. A pattern alone cuts across cells; see ``find_witness``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, nextafter

from services.sla_timer.domain.facts import Facts
from shared.contracts.payload import AttributeValue
from shared.rules.conditions import AllOf, Among, AnyOf, Between, Condition, Known, Like, Not, as_text
from shared.rules.facts import STANDARD_FACTS, VOCABULARIES

_Leaf = Among | Between | Like | Known

_ALWAYS_THERE = frozenset(STANDARD_FACTS) - {"product_line"}
_ANY = {name: min(VOCABULARIES.get(name, frozenset({"other"}))) for name in _ALWAYS_THERE}


class TooHard(Exception):
    """The effort was spent before there was an answer."""


@dataclass(slots=True)
class Effort:
    """How many conditions may still be looked at."""

    left: int

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise TooHard


def find_witness(
    meets: Sequence[Condition], misses: Sequence[Condition], effort: Effort, *, patterns_vary: bool = False
) -> Facts | None:
    """Facts that meet every one of ``meets`` and none of ``misses``.

    Args:
        patterns_vary: take for granted that a fact can match any pattern, and miss it. Then None proves that there are
            no such facts, while facts that were found may be none; without it facts are real, and None proves nothing
            where patterns are asked.

    Raises:
        TooHard: no answer within the effort.
    """
    return _Search(meets, misses, effort, patterns_vary=patterns_vary).run()


@dataclass(frozen=True, slots=True)
class _Cell:
    """Attributes:
    value: one of its values.
    is_single: it has no other.
    facts: any, with this value.
    """

    value: AttributeValue | None
    is_single: bool
    facts: Facts


class _Search:
    def __init__(
        self, meets: Sequence[Condition], misses: Sequence[Condition], effort: Effort, *, patterns_vary: bool
    ) -> None:
        self._goals = [*((condition, True) for condition in meets), *((condition, False) for condition in misses)]
        self._effort = effort
        self._patterns_vary = patterns_vary
        self._leaves = [leaf for condition, _ in self._goals for leaf in _leaves(condition)]
        self._cells: dict[str, list[_Cell]] = {}
        self._chosen: dict[str, _Cell] = {}
        self._matches: dict[_Leaf, bool] = {}  # what patterns are taken to answer

    def run(self) -> Facts | None:
        self._effort.spend(len(self._leaves))
        if not self._is_found():
            return None
        return _facts({name: cell.value for name, cell in self._chosen.items()})

    def _is_found(self) -> bool:
        self._effort.spend(len(self._goals))
        undecided: Condition | None = None
        for condition, wanted in self._goals:
            answer = self._answer(condition)
            if answer is None:
                undecided = condition if undecided is None else undecided
            elif answer is not wanted:
                return False
        if undecided is None:
            return True
        leaf = next(leaf for leaf in _leaves(undecided) if self._answer(leaf) is None)
        name = leaf.name
        if name in self._chosen:
            return self._tries_pattern(leaf)
        for cell in self._cells_of(name):
            self._chosen[name] = cell
            if self._is_found():
                return True
        del self._chosen[name]
        return False

    def _tries_pattern(self, leaf: _Leaf) -> bool:
        for answer in (True, False):
            self._matches[leaf] = answer
            if self._is_found():
                return True
        del self._matches[leaf]
        return False

    def _answer(self, condition: Condition) -> bool | None:
        """None while it depends on facts that are not chosen yet."""
        if isinstance(condition, _Leaf):
            return self._answer_leaf(condition)
        match condition:
            case AllOf(parts=parts):
                return self._join(parts, deciding=False)
            case AnyOf(parts=parts):
                return self._join(parts, deciding=True)
            case Not(part=part):
                answer = self._answer(part)
                return None if answer is None else not answer
            case _:
                raise TypeError(f"unknown condition {type(condition).__name__}")

    def _join(self, parts: Sequence[Condition], *, deciding: bool) -> bool | None:
        """One part with the deciding answer is enough."""
        joined: bool | None = not deciding
        for part in parts:
            answer = self._answer(part)
            if answer is deciding:
                return deciding
            if answer is None:
                joined = None
        return joined

    def _answer_leaf(self, leaf: _Leaf) -> bool | None:
        cell = self._chosen.get(leaf.name)
        if cell is None:
            return None
        if self._patterns_vary and isinstance(leaf, Like) and not cell.is_single:
            return self._matches.get(leaf)
        return leaf.holds(cell.facts)

    def _cells_of(self, name: str) -> list[_Cell]:
        if name not in self._cells:
            values = _values(name, [leaf for leaf in self._leaves if leaf.name == name])
            self._cells[name] = [_Cell(value, is_single, _facts({name: value})) for value, is_single in values]
        return self._cells[name]


def _values(name: str, leaves: Sequence[_Leaf]) -> Iterator[tuple[AttributeValue | None, bool]]:
    """A value of each cell, and whether it is its only one."""
    if name in VOCABULARIES:
        yield from ((value, True) for value in sorted(VOCABULARIES[name]))
        return
    texts = sorted({text for leaf in leaves if isinstance(leaf, Among) for text in leaf.values})
    yield from ((text, True) for text in texts)
    yield from ((_write(number, texts), False) for number in _numbers(leaves))
    other = "other"
    while other in texts:
        other += "_"
    yield other, False
    if name not in _ALWAYS_THERE:
        yield None, True


def _numbers(leaves: Sequence[_Leaf]) -> list[float]:
    """One number of each range between the bounds, and the bounds."""
    bounds = {
        bound
        for leaf in leaves
        if isinstance(leaf, Between)
        for bound in (leaf.at_least, leaf.above, leaf.at_most, leaf.below)
        if bound is not None
    }
    return sorted({number for bound in bounds for number in (nextafter(bound, -inf), bound, nextafter(bound, inf))})


def _write(number: float, texts: Sequence[str]) -> AttributeValue:
    """The number, written so that it is none of the texts."""
    if as_text(number) not in texts:
        return number
    text = f"0{as_text(number)}"
    while text in texts:
        text = f"0{text}"
    return text


def _leaves(condition: Condition) -> Iterator[_Leaf]:
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _leaves(part)
        case Not(part=part):
            yield from _leaves(part)
        case Among() | Between() | Like() | Known():
            yield condition
        case _:
            raise TypeError(f"unknown condition {type(condition).__name__}")


def _facts(values: Mapping[str, AttributeValue | None]) -> Facts:
    """Facts with these values; the others are any."""
    standard: dict[str, str] = dict(_ANY)
    attributes: dict[str, AttributeValue] = {}
    for name, value in values.items():
        if value is None:
            continue
        if name in STANDARD_FACTS:
            standard[name] = as_text(value)
        else:
            attributes[name] = value
    return Facts(**standard, attributes=attributes)
