"""Whether any request can meet a condition: never a wrong no."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from services.intake.domain.validation.possible import is_possible
from shared.contracts.payload import AttributeValue
from shared.rules.conditions import AllOf, Among, AnyOf, Between, Condition, Known, Like, Not
from tests.unit.intake.validation.shipped import facts

NAMES = st.sampled_from(["amount", "broker"])
WORDS = st.sampled_from(["a", "b", "1", "2", "true"])
BOUNDS = st.sampled_from([None, 0.0, 1.0, 1.5, 2.0])
VALUES: st.SearchStrategy[AttributeValue] = st.sampled_from([True, False, 0, 1, 1.25, 2, -5, 99, "a", "b", "c", "1"])

LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Among, NAMES, st.frozensets(WORDS, min_size=1)),
    st.builds(Among, st.just("kind"), st.frozensets(st.sampled_from(["claim", "enquiry"]), min_size=1)),
    st.builds(Between, NAMES, BOUNDS, BOUNDS, BOUNDS, BOUNDS),
    st.builds(Like, NAMES, st.sampled_from([re.compile("a|1"), re.compile("[ab]"), re.compile(".*")])),
    st.builds(Known, NAMES),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.builds(AllOf, st.lists(parts, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(parts, max_size=3).map(tuple)),
        st.builds(Not, parts),
    ),
    max_leaves=8,
)


@example(condition=Between("amount", None, None, None, None), attributes={"amount": 0}, kind="claim")
@given(
    condition=CONDITIONS,
    attributes=st.dictionaries(NAMES, VALUES),
    kind=st.sampled_from(["claim", "enquiry", "complaint"]),
)
def test_what_a_request_meets_is_possible(
    condition: Condition, attributes: dict[str, AttributeValue], kind: str
) -> None:
    if condition.holds(facts(attributes, kind=kind)):
        assert is_possible([condition])
    else:
        assert is_possible([Not(condition)])


@given(condition=CONDITIONS)
def test_a_condition_or_its_opposite_is_possible(condition: Condition) -> None:
    assert is_possible([condition]) or is_possible([Not(condition)])


def test_what_contradicts_itself_is_not() -> None:
    assert not is_possible([Known("amount"), Not(Known("amount"))])
    assert not is_possible([Among("kind", frozenset({"claim"})), Among("kind", frozenset({"enquiry"}))])
    assert not is_possible([AnyOf(())])
