from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla_timer.domain.facts import Facts, changes_of
from shared.contracts.payload import AttributeValue, Priority
from shared.contracts.requests import RequestChanged
from shared.rules.conditions import (
    ALWAYS,
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
from tests.unit.sla_timer.strategies import ATTRIBUTES, NAMES, VALUES, facts, numbers

REQUEST_ID = "01977c00-0000-7000-8000-000000000001"
Naive = Callable[[dict[str, AttributeValue]], bool]
"""The same question, asked of a plain mapping of what is known."""


def known_of(facts: Facts) -> dict[str, AttributeValue]:
    standard = {
        "kind": facts.kind,
        "market": facts.market,
        "channel": facts.channel,
        "priority": facts.priority,
        "customer_tier": facts.customer_tier,
    }
    line = {"product_line": facts.product_line} if facts.product_line is not None else {}
    return {**facts.attributes, **standard, **line}


def _among(name: str, values: frozenset[str]) -> tuple[Condition, Naive]:
    return Among(name, values), lambda known: name in known and any(as_text(known[name]) == value for value in values)


def _between(name: str, low: float | None, high: float | None, is_open: bool) -> tuple[Condition, Naive]:
    bounds = {"above": low, "below": high} if is_open else {"at_least": low, "at_most": high}

    def holds(known: dict[str, AttributeValue]) -> bool:
        if name not in known or isinstance(known[name], bool) or not re.fullmatch(r"-?\d+(\.\d+)?", str(known[name])):
            return False
        number = float(known[name])
        is_low = low is None or (number > low if is_open else not number < low)
        return is_low and (high is None or (number < high if is_open else not number > high))

    return Between(name, **bounds), holds


def _like(name: str, start: str) -> tuple[Condition, Naive]:
    pattern = re.compile(f"{re.escape(start)}.*")
    return Like(name, pattern), lambda known: name in known and as_text(known[name]).startswith(start)


LEAVES: st.SearchStrategy[tuple[Condition, Naive]] = st.one_of(
    st.builds(_among, NAMES, st.frozensets(VALUES.map(as_text), min_size=1, max_size=3)),
    st.builds(_between, NAMES, st.none() | numbers, st.none() | numbers, st.booleans()),
    st.builds(_like, NAMES, VALUES.map(lambda value: as_text(value)[:2])),
    NAMES.map(lambda name: (Known(name), lambda known: name in known)),
)


def _nest(inner: st.SearchStrategy[tuple[Condition, Naive]]) -> st.SearchStrategy[tuple[Condition, Naive]]:
    several = st.lists(inner, max_size=3)
    return st.one_of(
        several.map(
            lambda parts: (AllOf(tuple(c for c, _ in parts)), lambda known: all(ask(known) for _, ask in parts))
        ),
        several.map(
            lambda parts: (AnyOf(tuple(c for c, _ in parts)), lambda known: any(ask(known) for _, ask in parts))
        ),
        inner.map(lambda part: (Not(part[0]), lambda known: not part[1](known))),
    )


@given(st.recursive(LEAVES, _nest, max_leaves=8), facts())
def test_a_condition_holds_when_a_plain_reading_of_it_does(pair: tuple[Condition, Naive], facts: Facts) -> None:
    condition, ask = pair
    assert condition.holds(facts) is ask(known_of(facts))


@given(st.recursive(LEAVES, _nest, max_leaves=8), facts(), ATTRIBUTES)
def test_a_condition_asks_only_for_the_facts_it_names(
    pair: tuple[Condition, Naive], facts: Facts, others: dict[str, AttributeValue]
) -> None:
    condition, _ = pair
    unasked = {name: value for name, value in others.items() if name not in condition.names()}
    assert condition.holds(facts.changed({"attributes": unasked})) is condition.holds(facts)


def asked(**attributes: AttributeValue) -> Facts:
    return Facts("claim", "HK", "app", "normal", "gold", "motor", attributes)


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (3.0, "3"), (3.5, "3.5"), (7, "7"), ("a.b", "a.b")]
)
def test_values_are_compared_as_policy_files_write_them(value: AttributeValue, text: str) -> None:
    assert as_text(value) == text
    assert Among("x", frozenset({text})).holds(asked(x=value))


def test_an_empty_condition_always_holds_and_an_empty_choice_never() -> None:
    assert ALWAYS.holds(asked())
    assert not AnyOf(()).holds(asked())


@pytest.mark.parametrize(
    ("bounds", "holding"),
    [
        ({"at_least": 5.0}, [5, 6]),
        ({"above": 5.0}, [6]),
        ({"at_most": 5.0}, [4, 5]),
        ({"below": 5.0}, [4]),
        ({"above": 4.0, "below": 6.0}, [5]),
        ({}, [4, 5, 6]),
    ],
)
def test_a_bound_belongs_to_its_range_or_not(bounds: dict[str, float], holding: list[int]) -> None:
    assert [n for n in (4, 5, 6) if Between("amount", **bounds).holds(asked(amount=n))] == holding


@pytest.mark.parametrize("value", ["much", "", True])
def test_what_is_no_number_is_within_no_bounds(value: AttributeValue) -> None:
    assert not Between("amount", at_least=0).holds(asked(amount=value))
    assert not Between("amount").holds(asked())


def test_a_number_sent_as_text_is_a_number() -> None:
    assert Between("amount", at_least=100).holds(asked(amount="250.5"))


def test_a_pattern_is_about_the_whole_of_a_fact() -> None:
    like = Like("branch", re.compile("KLN-.*"))
    assert like.holds(asked(branch="KLN-3"))
    assert not like.holds(asked(branch="HK KLN-3"))
    assert not like.holds(asked())


def test_the_negation_of_a_fact_that_is_missing_holds() -> None:
    assert Not(Among("broker", frozenset({"ada"}))).holds(asked())
    assert Not(Known("broker")).holds(asked())
    assert Known("broker").holds(asked(broker=False))


def test_a_fact_is_a_standard_one_or_an_attribute_and_never_both() -> None:
    both = asked(kind="attribute")
    assert both.get("kind") == "claim"
    assert both.get("nothing") is None
    assert Facts("claim", "HK", "app", "normal", "gold").get("product_line") is None


def test_a_change_leaves_what_it_does_not_name() -> None:
    changed = RequestChanged.model_validate(
        {"request_id": REQUEST_ID, "reason": "review", "priority": "urgent", "attributes": {"amount": 5}}
    )
    assert changes_of(changed) == {"priority": "urgent", "attributes": {"amount": 5}}
    after = asked(amount=1, broker="ada").changed(changes_of(changed))
    assert after == Facts("claim", "HK", "app", Priority.URGENT, "gold", "motor", {"amount": 5, "broker": "ada"})
