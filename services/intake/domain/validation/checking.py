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
from services.intake.domain.validation.comparing import Comparison, Given, find_broken
from services.intake.domain.validation.facts import SubmittedFacts, field_of
from services.intake.domain.validation.personal import find_personal
from services.intake.domain.validation.values import ValueType, is_of
from shared.rules.facts import STANDARD_FACTS

_ALWAYS_THERE = frozenset(STANDARD_FACTS)


def check(
    book: ValidationBook, facts: SubmittedFacts, *, submitted_at: datetime, recorded_at: datetime
) -> tuple[Finding, ...]:
    """Everything the rules have to say, in the order of the file; a rule that replaces another stands in its place.

    Attributes with names of personal data come first.

    Args:
        submitted_at: when the customer submitted it, with a zone.
        recorded_at: now, with a zone.
    """
    given = Given(facts, book.zones[facts.market], submitted_at, recorded_at)
    attributes = facts.attributes.keys()
    said = find_personal(book.personal, attributes)
    said += [
        Finding(rule.code, rule.severity, field_of(name), rule.message)
        for rule, about in rules_for(book, facts)
        if (not about or not about.isdisjoint(attributes)) and rule.condition.holds(facts)
        for name in _wrong(rule.check, book.types, given)
    ]
    return tuple(said)


def check_change(
    book: ValidationBook,
    before: SubmittedFacts,
    after: SubmittedFacts,
    *,
    submitted_at: datetime,
    recorded_at: datetime,
) -> tuple[Finding, ...]:
    """What there is to say of a change: by rules that look at what is different, or that were not asked before.

    What was wrong before and stays as it was does not stand in the way of another change.

    Args:
        before, after: of one request; kind, market and channel are the same.
        submitted_at, recorded_at: of the submission, with a zone.
    """
    changed = frozenset(name for name in (*STANDARD_FACTS, *after.attributes) if _differs(name, before, after))
    given = Given(after, book.zones[after.market], submitted_at, recorded_at)
    rules_before = {rule.code: rule for rule, _ in rules_for(book, before)}
    said = find_personal(book.personal, [name for name in after.attributes if name in changed])
    for rule, _ in rules_for(book, after):
        if not rule.condition.holds(after):
            continue
        was_asked = rules_before.get(rule.code) is rule and rule.condition.holds(before)
        for part in _concerning(rule.check, changed) if was_asked else (rule.check,):
            names = _wrong(part, book.types, given)
            said += [Finding(rule.code, rule.severity, field_of(name), rule.message) for name in names]
    return tuple(dict.fromkeys(said))  # two parts of a comparison may name the same attribute


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


def _differs(name: str, before: SubmittedFacts, after: SubmittedFacts) -> bool:
    """True and 1 are equal to Python and not to a rule."""
    one, other = before.get(name), after.get(name)
    return one != other or type(one) is not type(other)


def _concerning(check: Check, changed: frozenset[str]) -> Iterator[Check]:
    """What of the check is about facts that changed."""
    match check:
        case HasTypes(wanted):
            yield HasTypes(tuple((name, kind) for name, kind in wanted if name in changed))
        case Compares(comparison):
            for one, relation, other in comparison.pairs():
                if not changed.isdisjoint((one.name, other.name)):
                    yield Compares(Comparison((one, other), (relation,)))
        case Must(names=names):
            if not changed.isdisjoint(names):
                yield check
        case Requires(name) | Forbids(name):
            if name in changed:
                yield check


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
