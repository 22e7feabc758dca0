"""Asks the rules about one request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from services.intake.domain.validation.book import (
    Check,
    Compares,
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
from services.intake.domain.validation.facts import field_of
from services.intake.domain.validation.values import ValueType, is_of
from shared.contracts.payload import Market
from shared.rules.facts import Facts


def check(book: ValidationBook, facts: Facts, *, submitted_at: datetime, recorded_at: datetime) -> tuple[Finding, ...]:
    """Everything the rules have to say, in the order of the file; a rule that replaces another stands in its place.

    Args:
        facts: with a ``market`` that is one.
        submitted_at: when the customer submitted it, with a zone.
        recorded_at: now, with a zone.
    """
    given = Given(facts, book.zones[Market(str(facts.get("market")))], submitted_at, recorded_at)
    return tuple(
        Finding(rule.code, rule.severity, field_of(name), rule.message)
        for rule in rules_for(book, facts)
        if rule.condition.holds(facts)
        for name in _wrong(rule.check, book.types, given)
    )


def is_refused(findings: Iterable[Finding]) -> bool:
    """Whether the request cannot be taken in."""
    return any(finding.severity is Severity.REFUSE for finding in findings)


def rules_for(book: ValidationBook, facts: Facts) -> Iterable[Rule]:
    """The rules that are asked about a request; of each code the last."""
    by_code: dict[str, Rule] = {}
    for schema in book.schemas:
        if schema.is_for(facts):
            by_code |= {rule.code: rule for rule in schema.rules}
    return by_code.values()


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
        case Must(name, condition):
            if all(facts.get(asked) is not None for asked in condition.names()) and not condition.holds(facts):
                yield name
        case Compares(comparison):
            broken = find_broken(comparison, types, given)
            if broken is not None:
                yield broken
