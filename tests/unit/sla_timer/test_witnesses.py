"""The search for a request that meets some conditions and misses others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla_timer.domain import linting
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.rules import Policy
from services.sla_timer.domain.witnesses import Effort, TooHard, find_witness
from shared.rules.conditions import ALWAYS, AllOf, Among, AnyOf, Between, Condition, Known, Like, Not
from shared.rules.facts import VOCABULARIES
from tests.unit.sla_timer.strategies import facts, numbers

TEXTS = st.frozensets(st.sampled_from(["2", "02", "-1", "2.5", "true", "KLN-3", "motor"]), max_size=3)
LEAVES: st.SearchStrategy[Condition] = st.one_of(
    *(
        st.builds(Among, st.just(name), st.frozensets(st.sampled_from(sorted(words)), max_size=3))
        for name, words in VOCABULARIES.items()
    ),
    st.builds(Among, st.sampled_from(["product_line", "channel", "amount", "branch"]), TEXTS),
    st.builds(Between, st.sampled_from(["amount", "branch"]), at_least=numbers, below=st.none() | numbers),
    st.builds(Between, st.just("amount"), above=st.none() | numbers, at_most=numbers),
    st.builds(Known, st.sampled_from(["product_line", "amount", "channel"])),
    st.builds(Like, st.sampled_from(["branch", "amount"]), st.sampled_from([re.compile("KLN.*"), re.compile(".*2.*")])),
)


def _nest(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, max_size=3).map(tuple)
    return st.builds(AllOf, parts) | st.builds(AnyOf, parts) | st.builds(Not, inner)


CONDITIONS = st.lists(st.recursive(LEAVES, _nest, max_leaves=5), max_size=3)


@given(CONDITIONS, CONDITIONS)
def test_what_is_found_is_a_witness(meets: list[Condition], misses: list[Condition]) -> None:
    found = find_witness(meets, misses, Effort(100_000))
    if found is not None:
        assert all(condition.holds(found) for condition in meets)
        assert not any(condition.holds(found) for condition in misses)


@given(CONDITIONS, CONDITIONS, st.lists(facts(), min_size=30, max_size=30))
def test_nothing_found_means_that_there_is_none(
    meets: list[Condition], misses: list[Condition], requests: list[Facts]
) -> None:
    if find_witness(meets, misses, Effort(100_000), patterns_vary=True) is None:
        assert not any(
            all(condition.holds(request) for condition in meets)
            and not any(condition.holds(request) for condition in misses)
            for request in requests
        )


@given(st.recursive(LEAVES, _nest, max_leaves=5), facts())
def test_every_request_leads_to_a_witness_of_what_it_meets(condition: Condition, request: Facts) -> None:
    meets = condition if condition.holds(request) else Not(condition)
    assert find_witness([meets], [], Effort(100_000), patterns_vary=True) is not None


def test_the_same_number_can_be_written_in_many_ways() -> None:
    five = Between("amount", at_least=5, at_most=5)
    found = find_witness([five], [Among("amount", frozenset({"5", "05"}))], Effort(1000))
    assert found is not None
    assert found.get("amount") == "005"


def test_a_channel_is_always_there_and_a_product_line_is_not() -> None:
    assert find_witness([Not(Known("channel"))], [], Effort(1000)) is None
    assert find_witness([Not(Known("product_line"))], [], Effort(1000)) is not None


def test_a_search_ends_when_its_effort_is_spent() -> None:
    wide = [AnyOf((Among(f"a{n}", frozenset({"x"})), Among(f"b{n}", frozenset({"x"})))) for n in range(20)]
    contradiction: list[Condition] = [Known("amount"), Not(Known("amount"))]
    with pytest.raises(TooHard):
        find_witness([*wide, *contradiction], [], Effort(2000))


def test_nothing_is_said_about_policies_when_the_effort_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = Among("kind", frozenset({"claim"}))
    policies = [Policy("first", claim, ()), Policy("second", claim, ()), Policy("default", ALWAYS, ())]
    lines = {policy.code: 1 for policy in policies}
    assert len(linting.find_remarks(policies, lines, "policies.yml")) == 1
    monkeypatch.setattr(linting, "_EFFORT_OF_ALL", 3)
    assert linting.find_remarks(policies, lines, "policies.yml") == []
