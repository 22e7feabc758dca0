"""The incomplete beta function against what it is: sums of binomial probabilities."""

from __future__ import annotations

from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.beta import beta_cdf, beta_quantile

probabilities = st.floats(0.0005, 0.9995)
shapes = st.floats(0.5, 3000)


def at_least(k: int, n: int, p: float) -> float:
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.01, 0.99))
def test_it_is_the_probability_of_at_least_k_successes(k: int, more: int, p: float) -> None:
    n = k + more
    assert isclose(beta_cdf(p, k, n - k + 1), at_least(k, n, p), rel_tol=1e-11, abs_tol=1e-14)


@given(probabilities, shapes, shapes)
def test_the_mirror_image_adds_up_to_one(x: float, a: float, b: float) -> None:
    assert isclose(beta_cdf(x, a, b) + beta_cdf(1 - x, b, a), 1.0, rel_tol=1e-10)


@given(probabilities, shapes, shapes)
def test_the_quantile_undoes_the_distribution(probability: float, a: float, b: float) -> None:
    assert isclose(beta_cdf(beta_quantile(probability, a, b), a, b), probability, rel_tol=1e-8)


@given(probabilities, probabilities, shapes, shapes)
def test_the_quantile_grows_with_the_probability(one: float, other: float, a: float, b: float) -> None:
    low, high = sorted((one, other))
    assert beta_quantile(low, a, b) <= beta_quantile(high, a, b) * (1 + 1e-12)


def test_the_uniform_and_the_arcsine_distribution_are_met_exactly() -> None:
    assert beta_cdf(0.3, 1, 1) == pytest.approx(0.3, abs=1e-15)
    assert beta_cdf(0.75, 0.5, 0.5) == pytest.approx(2 / 3, abs=1e-14)
    assert beta_quantile(0.25, 1, 1) == pytest.approx(0.25, abs=1e-15)


def test_a_million_reviews_are_no_trouble() -> None:
    # With no error among n the exact limit has a closed form.
    n = 1_000_000
    assert beta_quantile(0.95, 1, n) == pytest.approx(1 - 0.05 ** (1 / n), rel=1e-9)
    median = beta_quantile(0.5, 20_000, 980_001)
    assert median == pytest.approx(0.02, abs=1e-6)


def test_outside_the_unit_interval_nothing_is_left() -> None:
    assert (beta_cdf(-1, 2, 3), beta_cdf(0, 2, 3), beta_cdf(1, 2, 3), beta_cdf(2, 2, 3)) == (0, 0, 1, 1)
    assert (beta_quantile(0, 2, 3), beta_quantile(1, 2, 3)) == (0, 1)
