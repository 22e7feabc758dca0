from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import services.sla_timer
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.linting import Remark, find_remarks
from services.sla_timer.domain.rulebook import RuleSources, lint
from services.sla_timer.domain.rules import Policy, Rulebook
from shared.contracts.payload import AttributeValue
from shared.rules.conditions import ALWAYS, AllOf, Among, AnyOf, Between, Condition, Known, Like, Not
from shared.rules.facts import VOCABULARIES
from tests.unit.sla_timer.strategies import facts
from tests.unit.sla_timer.test_differences import OFFICE

DATA = Path(services.sla_timer.__file__).with_name("data")

AMOUNTS: Sequence[AttributeValue | None] = [None, True, "much", *(half / 2 for half in range(-9, 10))]
EVERY_FACTS = [
    Facts(kind, "HK", "app", priority, "gold", line, {} if amount is None else {"amount": amount})
    for kind, priority, line, amount in product(
        sorted(VOCABULARIES["kind"]), sorted(VOCABULARIES["priority"]), [None, "motor", "home", "pet"], AMOUNTS
    )
]
"""Whatever a condition of those below can tell apart."""

_bounds = st.none() | st.integers(-3, 3).map(float)
LEAVES: st.SearchStrategy[Condition] = st.one_of(
    *(
        st.builds(Among, st.just(name), st.frozensets(st.sampled_from(sorted(VOCABULARIES[name])), min_size=1))
        for name in ("kind", "priority")
    ),
    st.builds(Among, st.just("product_line"), st.frozensets(st.sampled_from(["motor", "home"]), min_size=1)),
    st.builds(Among, st.just("amount"), st.frozensets(st.sampled_from(["much", "1", "2", "true"]), min_size=1)),
    st.builds(Between, st.just("amount"), _bounds, _bounds, _bounds, _bounds).filter(
        lambda between: between != Between("amount")
    ),
    st.builds(Known, st.sampled_from(["amount", "product_line"])),
    st.builds(Like, st.just("product_line"), st.just(re.compile("mo.*"))),
)


def _nest(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(AllOf, parts), st.builds(AnyOf, parts), st.builds(Not, inner))


CONDITIONS = st.recursive(LEAVES, _nest, max_leaves=5)


def policies_of(*conditions: Condition) -> list[Policy]:
    named = [Policy(f"p{number}", condition, ()) for number, condition in enumerate(conditions)]
    return [*named, Policy("default", ALWAYS, ())]


def remarks(*conditions: Condition) -> list[Remark]:
    policies = policies_of(*conditions)
    return find_remarks(policies, {policy.code: line for line, policy in enumerate(policies, 1)}, "policies.yml")


def said(*conditions: Condition) -> list[str]:
    return [f"{remark.policy} {remark.message}" for remark in remarks(*conditions)]


def _overlaps(found: Sequence[Remark]) -> Iterator[tuple[str, str]]:
    for remark in found:
        match = re.match(r"overlaps with (\w+),", remark.message)
        if match:
            yield remark.policy, match[1]


@given(st.lists(CONDITIONS, min_size=1, max_size=4), facts())
def test_a_policy_that_can_never_apply_never_does(conditions: list[Condition], facts: Facts) -> None:
    policies = policies_of(*conditions)
    unreachable = {remark.policy for remark in remarks(*conditions) if remark.message.startswith("can never apply")}
    assert Rulebook(1, tuple(policies), {}, {}).policy_for(facts).code not in unreachable


@settings(max_examples=60)
@given(st.lists(CONDITIONS, min_size=1, max_size=4))
def test_no_request_at_all_contradicts_a_remark(conditions: list[Condition]) -> None:
    policies = policies_of(*conditions)
    found = remarks(*conditions)
    unreachable = {remark.policy for remark in found if remark.message.startswith("can never apply")}
    rulebook = Rulebook(1, tuple(policies), {}, {})
    assert unreachable.isdisjoint(rulebook.policy_for(facts).code for facts in EVERY_FACTS)
    by_code = {policy.code: policy for policy in policies}
    for one, other in _overlaps(found):
        assert any(by_code[one].matches(facts) and by_code[other].matches(facts) for facts in EVERY_FACTS), one


def among(name: str, *values: str) -> Among:
    return Among(name, frozenset(values))


CLAIM, URGENT = among("kind", "claim"), among("priority", "urgent")


def test_a_policy_behind_one_that_takes_all_of_it_can_never_apply() -> None:
    assert said(CLAIM, AllOf((CLAIM, URGENT))) == ["p1 can never apply: p0 before it takes all of it"]
    assert said(Between("amount", at_least=1), Between("amount", above=1, below=5)) == [
        "p1 can never apply: p0 before it takes all of it"
    ]


def test_several_policies_can_take_all_of_another_together() -> None:
    assert said(CLAIM, among("kind", "complaint"), among("kind", "claim", "complaint"))[-1] == (
        "p2 can never apply: p0 and p1 before it take all of it"
    )


def test_the_values_that_are_known_beforehand_make_a_whole() -> None:
    usual = among("priority", "low", "normal", "high", "urgent")
    assert said(usual, CLAIM) == ["p1 can never apply: p0 before it takes all of it"]
    assert said(Not(URGENT), among("priority", "low")) == ["p1 can never apply: p0 before it takes all of it"]


def test_conditions_that_exclude_each_other_can_never_hold() -> None:
    never = "p0 can never apply: no request meets its conditions"
    assert said(Between("amount", at_least=5, below=5)) == [never]
    assert said(AllOf((CLAIM, among("kind", "complaint")))) == [never]


def test_two_policies_that_name_something_in_common_overlap() -> None:
    assert said(CLAIM, URGENT) == ["p1 overlaps with p0, which comes first and wins for what both name"]
    assert said(Between("amount", at_most=5), Between("amount", at_least=5)) == [
        "p1 overlaps with p0, which comes first and wins for what both name"
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (AllOf((CLAIM, URGENT)), CLAIM),  # the exception before the rule, as it should be
        (CLAIM, among("kind", "complaint")),
        (Between("amount", below=5), Between("amount", at_least=5)),
        (among("amount", "5"), Between("amount", at_least=5)),  # the exception before the rule, too
        (Like("branch", re.compile("KLN-.*")), Like("branch", re.compile("KLN-[0-9]"))),
        (AllOf((CLAIM, Not(among("branch", "KLN-3")))), CLAIM),
    ],
)
def test_nothing_is_said_about_what_is_in_order_or_uncertain(first: Condition, second: Condition) -> None:
    assert said(first, second) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Like("branch", re.compile("KLN-.*")), among("branch", "KLN-3")),
        (Known("broker"), among("broker", "ada")),
        (Not(among("broker", "ada")), Not(Known("broker"))),
        (among("a", "1", "2"), AllOf(tuple(AnyOf((among(name, "1"), among(name, "2"))) for name in "abcdefghi"))),
    ],
)
def test_patterns_negations_and_many_alternatives_are_seen_through(first: Condition, second: Condition) -> None:
    assert said(first, second) == ["p1 can never apply: p0 before it takes all of it"]


def test_a_remark_names_file_line_and_policy() -> None:
    text = (DATA / "policies.yml").read_text(encoding="utf-8")
    swapped = text.replace(
        "policy: claim_urgent\n    when: {kind: claim, priority: [urgent]}",
        "policy: claim_urgent\n    when: {kind: claim}",
    )
    sources = RuleSources(swapped, OFFICE)
    found = {remark.policy: remark for remark in lint(sources)}
    assert found.keys() == {"claim_mainland", "claim_taiwan", "claim"}
    line = next(n for n, line in enumerate(swapped.splitlines(), 1) if "policy: claim_taiwan" in line)
    assert str(found["claim_taiwan"]) == (
        f"policies.yml, line {line}, claim_taiwan: can never apply: claim_urgent before it takes all of it"
    )


def test_the_shipped_policies_hold_none_that_can_never_apply() -> None:
    sources = RuleSources((DATA / "policies.yml").read_text(encoding="utf-8"), OFFICE)
    assert [remark for remark in lint(sources) if "can never apply" in remark.message] == []
