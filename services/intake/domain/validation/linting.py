"""Remarks about rules that can be used but may not mean what their author meant. They say only what is certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.intake.domain.validation.book import (
    Compares,
    Forbids,
    HasTypes,
    Must,
    Requires,
    Rule,
    Schema,
    ValidationBook,
)
from services.intake.domain.validation.comparing import INSTANTS
from services.intake.domain.validation.possible import is_possible
from shared.rules.conditions import AllOf, Among, AnyOf, Condition, Known, Not
from shared.rules.document import Document


@dataclass(frozen=True, slots=True)
class Remark:
    """Attributes:
    line: of the rule, from 1.
    rule: ``schema.rule``.
    """

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, {self.rule}: {self.message}"


def find_remarks(book: ValidationBook, lines: Mapping[tuple[int, int], int], file: str) -> list[Remark]:
    """Rules that can never fire, that another of the same code replaces everywhere, or that contradict each other.

    Args:
        lines: where each rule begins, as ``rule_lines`` gives them.

    Returns:
        In the order of the text.
    """
    placed = [
        _Placed(schema, rule, (i, j)) for i, schema in enumerate(book.schemas) for j, rule in enumerate(schema.rules)
    ]
    return [
        Remark(file, lines[one.place], one.name, message)
        for index, one in enumerate(placed)
        for message in (
            *_remarks_on(one, placed[:index], placed[index + 1 :]),
            *(
                f"asks about {name}, which no request may have: it is `personal`"
                for name in sorted(_facts_of(one.rule))
                if book.personal.is_personal(name)
            ),
        )
    ]


def rule_lines(text: str, file: str) -> dict[tuple[int, int], int]:
    """The line on which each rule of a readable text begins, by the positions of its schema and of itself."""
    return {
        (i, j): rule.line
        for i, schema in enumerate(Document(text, file).root.entries()["schemas"].items())
        for j, rule in enumerate(schema.entries()["rules"].items())
    }


@dataclass(frozen=True, slots=True)
class _Placed:
    """A rule where it stands."""

    schema: Schema
    rule: Rule
    place: tuple[int, int]

    @property
    def name(self) -> str:
        return f"{self.schema.name}.{self.rule.code}"

    @property
    def asked(self) -> Condition:
        """When it is asked: its schema's scope and its own ``when``."""
        schema = self.schema
        scope: list[Condition] = [
            Among(name, words)
            for name, words in (
                ("kind", schema.kinds),
                ("product_line", schema.product_lines),
                ("market", schema.markets),
            )
            if words
        ]
        return AllOf((*scope, self.rule.condition))


def _remarks_on(one: _Placed, before: list[_Placed], after: list[_Placed]) -> Iterator[str]:
    for other in after:
        if other.rule.code == one.rule.code and other.schema.covers(one.schema):
            yield f"is never asked: {other.name} further down has the same code and is for all that this is for"
            return
    if not is_possible([one.asked]):
        yield "is never asked: no request meets its conditions"
        return
    if not is_possible([one.asked, _broken(one.rule)]):
        yield "can never fire: every request that it is asked about keeps it"
        return
    if isinstance(one.rule.check, Must) and not _can_keep([one]):
        yield "can never be kept: every request that it is asked about breaks it"
        return
    for other in before:
        if _may_contradict(one.rule, other.rule) and _can_keep([other]) and not _can_keep([other, one]):
            yield f"contradicts {other.name}: no request that both are asked about keeps both"


def _facts_of(rule: Rule) -> frozenset[str]:
    """All that it looks at."""
    match rule.check:
        case Requires(name) | Forbids(name):
            names = frozenset({name})
        case HasTypes(types):
            names = frozenset(name for name, _ in types)
        case Must(_, condition):
            names = condition.names()
        case Compares(comparison):
            names = comparison.names()
    return names | rule.condition.names()


def _may_contradict(one: Rule, other: Rule) -> bool:
    """What forbids a fact does not contradict a rule that speaks only of a fact that is there."""
    checks = one.check, other.check
    is_presence = all(isinstance(check, Requires | Forbids) for check in checks)
    return one.code != other.code and (is_presence or all(isinstance(check, Must) for check in checks))


def _can_keep(rules: list[_Placed]) -> bool:
    """Whether a request that all the rules are asked about, and have something to say of, may keep all of them.

    True, too, when there is no such request: then nothing contradicts.
    """
    asked = [*(one.asked for one in rules), *(_concerned(one.rule) for one in rules)]
    return not is_possible(asked) or is_possible([*asked, *(_kept(one.rule) for one in rules)])


def _broken(rule: Rule) -> Condition:
    """Holds for every request that breaks the rule, and for others."""
    match rule.check:
        case Requires(name):
            return Not(Known(name))
        case Forbids(name):
            return Known(name)
        case Must(_, condition):
            return AllOf((_concerned(rule), Not(condition)))
        case _:
            return _concerned(rule)


def _kept(rule: Rule) -> Condition:
    """Holds for every request that keeps the rule, and for others."""
    match rule.check:
        case Requires(name):
            return Known(name)
        case Forbids(name):
            return Not(Known(name))
        case Must(_, condition):
            return condition
        case _:
            return AllOf()


def _concerned(rule: Rule) -> Condition:
    """Holds for every request that the rule has something to say of, and for others."""
    match rule.check:
        case Must(_, condition):
            return AllOf(tuple(Known(name) for name in sorted(condition.names())))
        case HasTypes(types):
            return AnyOf(tuple(Known(name) for name, _ in types))
        case Compares(comparison):
            return AnyOf(
                tuple(
                    AllOf(tuple(Known(term.name) for term in (one, other) if term.name not in INSTANTS))
                    for one, _, other in comparison.pairs()
                )
            )
        case _:
            return AllOf()
