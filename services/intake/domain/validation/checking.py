"""Asks the rules about one request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from services.intake.domain.validation.book import (
    Check,
    Compares,
    Concern,
    Finding,
    Forbids,
    HasTypes,
    Must,
    Requires,
    Rule,
    Severity,
    ValidationBook,
)
from services.intake.domain.validation.comparing import Given, find_broken
from services.intake.domain.validation.facts import SubmittedFacts, field_of
from services.intake.domain.validation.values import ValueType, is_of
from shared.rules.facts import STANDARD_FACTS

_ALWAYS_THERE = frozenset(STANDARD_FACTS)


def check(
    book: ValidationBook, facts: SubmittedFacts, *, submitted_at: datetime, recorded_at: datetime
) -> tuple[Finding, ...]:
    """Everything the rules have to say, in the order of the file; a rule that replaces another stands in its place.

    Args:
        submitted_at: when the customer submitted it, with a zone.
        recorded_at: now, with a zone.
    """
    given = Given(facts, book.zones[facts.market], submitted_at, recorded_at)
    attributes = facts.attributes.keys()
    return tuple(
        [
            Finding(rule.code, rule.severity, field_of(name), rule.message)
            for rule, about in rules_for(book, facts)
            if (not about or not about.isdisjoint(attributes)) and rule.condition.holds(facts)
            for name in _wrong(rule.check, book.types, given)
        ]
    )


def is_refused(findings: Iterable[Finding]) -> bool:
    """Whether the request cannot be taken in."""
    return any(finding.severity is Severity.REFUSE for finding in findings)


def rules_for(book: ValidationBook, facts: SubmittedFacts) -> tuple[Concern, ...]:
    """The rules that are asked about a request; of each code the last."""
    line = facts.product_line if facts.product_line in book.product_lines else None
    sort = (facts.kind, facts.market, line)
    concerns = book.concerns.get(sort)
    if concerns is None:
        by_code: dict[str, Rule] = {}
        for schema in book.schemas:
            if schema.is_for(facts):
                by_code |= {rule.code: rule for rule in schema.rules}
        concerns = book.concerns[sort] = tuple((rule, _about(rule.check)) for rule in by_code.values())
    return concerns


def _about(check: Check) -> frozenset[str]:
    """The attributes without any of which the rule has nothing to say; none where it may speak all the same."""
    match check:
        case HasTypes(wanted):
            names = frozenset(name for name, _ in wanted)
        case Must(names=asked):
            names = frozenset(asked)
        case Compares(comparison):
            names = comparison.names()
        case Forbids(name):
            names = frozenset({name})
        case Requires():
            names = frozenset()
    return frozenset() if names & _ALWAYS_THERE else names


def _wrong(check: Check, types: Mapping[str, ValueType], given: Given) -> Iterator[str]:
    """The facts to be named."""
    facts = given.facts
    match check:
        case Requires(name) | Forbids(name):
            if (facts.get(name) is None) is isinstance(check, Requires):
                yield name
        case HasTypes(wanted):
            values = ((name, kind, facts.get(name)) for name, kind in wanted)
            yield from (name for name, kind, value in values if value is not None and not is_of(value, kind))
        case Must(name, condition, names=names):
            if None not in map(facts.get, names) and not condition.holds(facts):
                yield name
        case Compares(comparison):
            broken = find_broken(comparison, types, given)
            if broken is not None:
                yield broken
