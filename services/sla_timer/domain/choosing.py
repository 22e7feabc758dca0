"""Why a request got its policy: every condition that was asked before, and how the facts answered."""

from __future__ import annotations

from services.sla_timer.domain.case import Case, Terms
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.rules import Policy
from shared.rules.conditions import (
    AllOf,
    Among,
    AnyOf,
    Between,
    Condition,
    Known,
    Like,
    Not,
    as_text,
)
from shared.values import value


@value
class Finding:
    """One condition and its answer.

    Attributes:
        text: what was asked, and of a single fact what it is.
        parts: the conditions it is made of.
    """

    text: str
    holds: bool
    parts: tuple[Finding, ...] = ()


@value
class Asked:
    """A policy that was looked at, up to the one that applies."""

    policy: Policy
    finding: Finding


@value
class Choice:
    """The policies as they were asked at the beginning of terms; the last one applies."""

    terms: Terms
    asked: tuple[Asked, ...]


def explain_choices(case: Case) -> list[Choice]:
    """For every change of terms, which policy applied and why."""
    return [Choice(terms, tuple(_ask(terms))) for terms in case.terms]


def _ask(terms: Terms) -> list[Asked]:
    asked: list[Asked] = []
    for policy in terms.rulebook.policies:
        asked.append(Asked(policy, find(policy.condition, terms.facts)))
        if asked[-1].finding.holds:
            break
    return asked


def find(condition: Condition, facts: Facts) -> Finding:
    """A condition with the answers of all its parts."""
    holds = condition.holds(facts)
    match condition:
        case AllOf(parts=()):
            return Finding("applies to everything", holds)
        case AllOf(parts=parts):
            return Finding("all of", holds, tuple(find(part, facts) for part in parts))
        case AnyOf(parts=parts):
            return Finding("any of", holds, tuple(find(part, facts) for part in parts))
        case Not(part=part):
            return Finding("not", holds, (find(part, facts),))
        case Among(name=name, values=values):
            wanted = " or ".join(sorted(values))
        case Between(name=name):
            wanted = _bounds(condition)
        case Like(name=name, pattern=pattern):
            wanted = f"like {pattern.pattern}"
        case Known(name=name):
            wanted = "known"
        case _:
            raise TypeError(f"unknown condition {type(condition).__name__}")
    found = facts.get(name)
    return Finding(f"{name} {wanted} (is {'not known' if found is None else as_text(found)})", holds)


def _bounds(between: Between) -> str:
    bounds = {
        "at least": between.at_least,
        "above": between.above,
        "at most": between.at_most,
        "below": between.below,
    }
    return " and ".join(f"{word} {as_text(bound)}" for word, bound in bounds.items() if bound is not None)
