"""What the intervals promise, by exact sums over everything a sample can show."""

from __future__ import annotations

from collections.abc import Iterable
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.intervals import Interval, Method, clopper_pearson, jeffreys

methods = st.sampled_from([jeffreys, clopper_pearson])
TAIL = 0.025


@st.composite
def samples(draw: st.DrawFn) -> tuple[int, int]:
    reviewed = draw(st.integers(1, 400))
    return draw(st.integers(0, reviewed)), reviewed


def coverages(method: Method, n: int, truths: Iterable[float]) -> list[float]:
    """For each truth the exact probability that the interval holds it."""
    limits = [method(k, n, TAIL) for k in range(n + 1)]
    return [
        sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k, i in enumerate(limits) if i.low <= p <= i.high)
        for p in truths
    ]


@pytest.mark.parametrize("n", [5, 20, 59, 149])
def test_clopper_pearson_never_covers_less_than_promised(n: int) -> None:
    assert min(coverages(clopper_pearson, n, (p / 400 for p in range(1, 400)))) >= 0.95


@pytest.mark.parametrize("n", [20, 59, 149])
def test_jeffreys_covers_as_promised_on_average(n: int) -> None:
    grid = coverages(jeffreys, n, ((p + 0.5) / 200 for p in range(200)))
    assert sum(grid) / len(grid) == pytest.approx(0.95, abs=0.01)


@given(methods, samples())
def test_the_interval_holds_the_observed_share(method: Method, sample: tuple[int, int]) -> None:
    errors, reviewed = sample
    interval = method(errors, reviewed, TAIL)
    assert 0 <= interval.low <= errors / reviewed <= interval.high <= 1


@given(methods, samples())
def test_one_more_error_moves_both_limits_up(method: Method, sample: tuple[int, int]) -> None:
    errors, reviewed = sample
    if errors < reviewed:
        before, later = method(errors, reviewed, TAIL), method(errors + 1, reviewed, TAIL)
        assert before.low < later.low
        assert before.high < later.high or before.high == 1


@given(methods, samples(), st.floats(0.001, 0.2), st.floats(0.001, 0.2))
def test_more_certainty_costs_width(method: Method, sample: tuple[int, int], one: float, other: float) -> None:
    small, big = sorted((one, other))
    wide, narrow = method(*sample, small), method(*sample, big)
    assert wide.low <= narrow.low + 1e-12
    assert narrow.high <= wide.high + 1e-12


@given(methods, samples())
def test_errors_and_passes_are_treated_alike(method: Method, sample: tuple[int, int]) -> None:
    errors, reviewed = sample
    turned = method(reviewed - errors, reviewed, TAIL).complement
    interval = method(errors, reviewed, TAIL)
    assert (interval.low, interval.high) == pytest.approx((turned.low, turned.high), abs=1e-9)


def test_the_complement_swaps_the_limits() -> None:
    assert Interval(0.25, 0.5).complement == Interval(0.5, 0.75)
