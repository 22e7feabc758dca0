"""Implausible values beside a recorded past."""

from __future__ import annotations

from math import exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punctual.demo.catalogue import LINES, attributes
from services.intake.domain.anomalies.limits import PlausibilityLimits
from services.intake.domain.anomalies.plausibility import Oddity, group_of, judge, number_of, usual_of
from services.intake.domain.anomalies.sketch import Sketch
from shared.contracts.payload import Market, RequestKind
from tests.unit.intake.validation.shipped import BOOK, facts

LIMITS = BOOK.plausibility


def judged(attribute: str, value: float, past: Sketch, limits: PlausibilityLimits) -> Oddity | None:
    return judge(attribute, value, usual_of(past), limits)


def lognormal(seed: int, count: int, sigma: float = 0.7, typical: float = 14_000) -> list[float]:
    random = Random(seed)
    return [typical * random.lognormvariate(0, sigma) for _ in range(count)]


PAST = Sketch.of(lognormal(1, 1_000))


def test_a_value_far_from_the_past_is_named_with_what_is_usual() -> None:
    oddity = judged("amount", 1_400_000 * 5, PAST, LIMITS)
    assert oddity is not None
    assert oddity.code == "implausibly_high"
    assert oddity.usual == pytest.approx(14_000, rel=0.1)
    assert oddity.deviations == pytest.approx(6.2 / 0.7, rel=0.15)
    assert oddity.observations == 1_000


@pytest.mark.parametrize("value", [0, 0.5, -3, 20])
def test_next_to_nothing_is_implausible_where_sums_are_large(value: float) -> None:
    oddity = judged("amount", value, PAST, LIMITS)
    assert oddity is not None
    assert oddity.code == "implausibly_low"


@given(value=st.floats(14_000 / 30, 14_000 * 30))
def test_what_lies_within_the_usual_skew_is_plausible(value: float) -> None:
    assert judged("amount", value, PAST, LIMITS) is None


@given(value=st.floats(-1e15, 1e15))
def test_a_small_past_says_nothing(value: float) -> None:
    assert judged("amount", value, Sketch.of(lognormal(2, LIMITS.least_observations - 1)), LIMITS) is None


@given(factor=st.floats(0.001, 1000), value=st.floats(1, 1e9))
def test_the_currency_does_not_matter(factor: float, value: float) -> None:
    """The same past and value in another currency are judged the same, but for the width of two ranges."""
    values = lognormal(3, 400)
    one = judged("amount", value, Sketch.of(values), LIMITS)
    other = judged("amount", value * factor, Sketch.of([number * factor for number in values]), LIMITS)
    if one is not None and abs(one.deviations) > LIMITS.deviations * 1.2:
        assert other is not None
        assert other.code == one.code


def test_a_third_of_wrong_values_in_the_past_hides_none() -> None:
    poisoned = Sketch.of([*lognormal(4, 700), *([1e9] * 300)])
    oddity = judged("amount", 1e9, poisoned, LIMITS)
    assert oddity is not None


def test_sums_that_are_all_alike_may_differ_by_a_tenth() -> None:
    past = Sketch.of([500.0] * 300)
    assert judged("amount", 550, past, LIMITS) is None
    assert judged("amount", 500 * exp(0.7), past, LIMITS) is not None


def test_hardly_any_honest_value_is_doubted() -> None:
    """The demonstration's sums are lognormal with 0.7; beyond six deviations lie two in a thousand million."""
    random = Random(5)
    doubted = 0
    for line in LINES:
        amounts = [float(attributes(random, RequestKind.CLAIM, line, Market.HONG_KONG)["amount"]) for _ in range(2_000)]
        past = Sketch.of(amounts[:1_000])
        doubted += sum(judged("amount", amount, past, LIMITS) is not None for amount in amounts[1_000:])
    assert doubted == 0


def test_a_tail_heavier_than_that_is_doubted_seldom() -> None:
    """Student's t with three degrees of freedom as the logarithm: worse than any sums of insurers that we know."""
    random = Random(6)

    def heavy() -> float:
        return 1_000 * exp(0.7 * random.gauss(0, 1) / (random.gammavariate(1.5, 2 / 3) ** 0.5))

    past = Sketch.of([heavy() for _ in range(2_000)])
    doubted = sum(judged("amount", heavy(), past, LIMITS) is not None for _ in range(4_000))
    assert doubted / 4_000 < 0.01


def test_a_group_has_the_values_of_the_facts_it_is_made_by() -> None:
    about = facts({"currency": "HKD", "amount": 5})
    assert group_of(about, LIMITS) == ("claim", "motor", "HK", "HKD")
    assert group_of(facts(line=None, kind="enquiry"), LIMITS) == ("enquiry", "", "HK", "")


@pytest.mark.parametrize(("value", "number"), [(5, 5.0), (0.5, 0.5), (True, None), ("5", None), (None, None)])
def test_only_numbers_are_watched(value: bool | float | str | None, number: float | None) -> None:
    assert number_of(value) == number
