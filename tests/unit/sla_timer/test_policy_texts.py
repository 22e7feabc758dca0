"""Conditions and ladders written as a policy would write them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.policy_texts import write_condition, write_longest_pause, write_rung
from services.sla_timer.domain.rules import BudgetKind, LongestPause, Rung, RungKind
from shared.rules.conditions import AllOf, Among, AnyOf, Between, Condition, Known, Like, Not
from shared.rules.document import Document
from shared.rules.facts import VOCABULARIES
from shared.rules.reading import read_condition
from tests.unit.sla_timer.strategies import facts, numbers

HOUR = timedelta(hours=1)
ATTRIBUTES = st.sampled_from(["amount", "branch", "all", "not", "a:b"])
WORDS = st.sampled_from(["2", "true", "KLN-3", "a:", "motor", "x:y", "null", "1e5"])
LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(
        Among, st.just("kind"), st.frozensets(st.sampled_from(sorted(VOCABULARIES["kind"])), min_size=1, max_size=2)
    ),
    st.builds(Among, ATTRIBUTES, st.frozensets(WORDS, max_size=3)),
    st.builds(Between, ATTRIBUTES, at_least=numbers, below=st.none() | st.sampled_from([1e-9, 2.5, 1e22])),
    st.builds(Like, ATTRIBUTES, st.sampled_from([re.compile(r'KL[N"]\-.*'), re.compile("模.*")])),
    st.builds(Known, ATTRIBUTES),
)


def _nest(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.builds(AllOf, parts) | st.builds(AnyOf, parts) | st.builds(Not, inner)


def read(text: str) -> Condition:
    return read_condition(Document(f"{{{text}}}", "policies.yml").root)


@given(st.recursive(LEAVES, _nest, max_leaves=8), st.lists(facts(), min_size=5, max_size=5))
def test_a_condition_is_written_as_it_is_read(condition: Condition, requests: list[Facts]) -> None:
    again = read(write_condition(condition))
    assert [again.holds(request) for request in requests] == [condition.holds(request) for request in requests]


@pytest.mark.parametrize(
    "text",
    [
        "kind: claim, amount: {at_least: 1000, below: 5000.5}",
        "kind: [claim, complaint], any: [{customer_tier: gold}, {not: {channel: partner}}]",
        "all: [{any: [{a: 1}, {b: 2}]}, {any: [{c: 3}, {d: 4}]}]",
        'branch: {like: "KLN-.*"}, broker: {known: false}',
        'attributes.all: {known: true}, colour: "red:dark"',
    ],
)
def test_a_condition_reads_as_in_a_file(text: str) -> None:
    assert write_condition(read(text)) == text


@pytest.mark.parametrize(
    ("rung", "text"),
    [
        (Rung(RungKind.WARNING, 1, fraction=0.75, roles=("a",)), "fraction: 0.75, roles: [a]"),
        (
            Rung(RungKind.WARNING, 1, after=-2 * HOUR, counts=BudgetKind.WORKING, roles=("a", "b")),
            "before: 2h working, roles: [a, b]",
        ),
        (Rung(RungKind.BREACH, 1, roles=("a",)), "roles: [a]"),
        (
            Rung(RungKind.ESCALATION, 1, after=48 * HOUR, roles=("a",), every=HOUR, times=5),
            "after: 2d elapsed, roles: [a], every: 1h, times: 5",
        ),
    ],
)
def test_a_rung_reads_as_in_a_file(rung: Rung, text: str) -> None:
    assert write_rung(rung) == text


def test_a_longest_pause_reads_as_in_a_file() -> None:
    longest = LongestPause(26 * HOUR, BudgetKind.ELAPSED, ("a",), resumes=True)
    assert write_longest_pause(longest) == "after: 1d2h elapsed, roles: [a], resumes: true"
    assert write_longest_pause(None) == "none"
