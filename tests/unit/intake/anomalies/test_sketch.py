"""The past of a number: what is read off a sketch is near what the values themselves say."""

from __future__ import annotations

import json
from math import log
from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.anomalies.sketch import ERROR, LARGEST, SMALLEST, Sketch

SUMS = st.floats(SMALLEST, 1e12)
PASTS = st.lists(SUMS, min_size=1, max_size=60)
ANY = st.lists(st.floats(-1e300, 1e300) | st.integers(-(2**53), 2**53), max_size=30)


@given(values=PASTS)
def test_the_median_is_right_to_within_the_error(values: list[float]) -> None:
    assert Sketch.of(values).median == pytest.approx(median_low(values), rel=ERROR + 1e-9)


@given(values=PASTS)
def test_the_spread_is_right_to_within_two_ranges(values: list[float]) -> None:
    logs = [log(value) for value in values]
    exact = median_low([abs(number - median_low(logs)) for number in logs])
    assert Sketch.of(values).spread == pytest.approx(exact, abs=2 * log((1 + ERROR) / (1 - ERROR)))


@given(one=ANY, other=ANY, third=ANY)
def test_pasts_are_merged_in_any_order(one: list[float], other: list[float], third: list[float]) -> None:
    a, b, c = Sketch.of(one), Sketch.of(other), Sketch.of(third)
    assert a.merged(b) == b.merged(a) == Sketch.of(one + other)
    assert a.merged(b).merged(c) == a.merged(b.merged(c))
    assert a.merged(Sketch()) == a
    assert a.merged(b).total == len(one) + len(other)


@given(values=PASTS, factor=st.sampled_from([3, 5, 9]))
def test_the_same_past_several_times_over_has_the_same_middle(values: list[float], factor: int) -> None:
    once, often = Sketch.of(values), Sketch.of(values * factor)
    assert (often.median, often.spread) == (once.median, once.spread)
    assert often.total == factor * once.total


@given(values=st.lists(st.floats(-1e300, 1e300), max_size=200))
def test_memory_is_bounded_whatever_comes(values: list[float]) -> None:
    ranges = Sketch.of([*values, 0.0, -1.0, SMALLEST, LARGEST, 1e300]).counts
    assert max(ranges) - min(ranges) < 1_200


@given(values=ANY)
def test_what_is_stored_is_what_is_read(values: list[float]) -> None:
    past = Sketch.of(values)
    assert Sketch.from_data(json.loads(json.dumps(past.to_data()))) == past


def test_nothing_and_less_count_as_a_cent() -> None:
    assert Sketch.of([0.0]) == Sketch.of([-500.0]) == Sketch.of([SMALLEST])


def test_an_empty_past_has_no_middle() -> None:
    with pytest.raises(ValueError, match="there is no past"):
        _ = Sketch().median
