from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.quantiles import median, quantile

VALUES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_quantile_is_the_value_at_its_rank(share: float, expected: float) -> None:
    assert quantile(list(range(100, 0, -1)), share) == expected


@given(VALUES, st.floats(min_value=0, max_value=1))
def test_a_quantile_was_measured_and_covers_its_share(values: list[float], share: float) -> None:
    found = quantile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


def test_the_median_of_an_odd_number_lies_in_the_middle() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0


def test_nothing_has_no_quantile() -> None:
    assert math.isnan(quantile([], 0.5))
