from __future__ import annotations

from math import comb, isclose
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.estimation import Cell, error_rate, interval, merge_empty
from services.quality_audit.domain.intervals import EVERYTHING, Interval, Method, clopper_pearson, jeffreys

TAIL = 0.025
methods = st.sampled_from([jeffreys, clopper_pearson])


@st.composite
def cells(draw: st.DrawFn, least_reviewed: int = 0) -> Cell:
    frame = draw(st.integers(max(1, least_reviewed), 2000))
    reviewed = draw(st.integers(least_reviewed, min(frame, 150)))
    name = (draw(st.text("abc", min_size=1, max_size=3)),)
    return Cell(draw(st.sampled_from("xyz")), name, frame, reviewed, draw(st.integers(0, reviewed)))


reviewed_cells = st.lists(cells(least_reviewed=1), min_size=1, max_size=5)


def test_a_plain_mean_of_a_risk_weighted_sample_would_mislead() -> None:
    # 100 reviews in each of three strata: the truth is an error rate of 0.84 %, the plain mean says 6 %.
    quiet = Cell("claim", ("auto",), 16_000, 100, 0)
    middle = Cell("claim", ("manual",), 3_600, 100, 3)
    risky = Cell("claim", ("dispute",), 400, 100, 15)
    assert error_rate([quiet, middle, risky]) == pytest.approx(0.0084)


@given(reviewed_cells)
def test_the_estimate_lies_between_the_strata(given_cells: list[Cell]) -> None:
    rate = error_rate(given_cells)
    assert rate is not None
    rates = [cell.error_rate for cell in given_cells]
    assert min(rates) - 1e-12 <= rate <= max(rates) + 1e-12


@given(methods, st.lists(cells(), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_neither_names_nor_order_of_the_strata_matter(method: Method, given_cells: list[Cell], chance: Random) -> None:
    shuffled = chance.sample(given_cells, len(given_cells))
    renamed = [Cell("other", ("n",), c.frame, c.reviewed, c.errors) for c in shuffled]
    one, other = interval(given_cells, method, TAIL), interval(renamed, method, TAIL)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-12)


@given(methods, cells(least_reviewed=1))
def test_one_stratum_has_its_own_limits(method: Method, cell: Cell) -> None:
    limits, own = interval([cell], method, TAIL), cell.limits(method, TAIL)
    assert (limits.low, limits.high) == pytest.approx((own.low, own.high), abs=1e-12)


@given(methods, st.lists(cells(least_reviewed=1), min_size=1, max_size=4))
def test_a_census_has_no_sampling_error(method: Method, given_cells: list[Cell]) -> None:
    censuses = [Cell(c.group, c.name, c.reviewed, c.reviewed, c.errors) for c in given_cells]
    limits = interval(censuses, method, TAIL)
    assert isclose(limits.low, limits.high, abs_tol=1e-12)


@given(methods, reviewed_cells)
def test_the_interval_holds_the_estimate(method: Method, given_cells: list[Cell]) -> None:
    rate, limits = error_rate(given_cells), interval(given_cells, method, TAIL)
    assert rate is not None
    assert 0 <= limits.low <= rate + 1e-12
    assert rate - 1e-12 <= limits.high <= 1


@pytest.mark.parametrize(("method", "least"), [(clopper_pearson, 0.95), (jeffreys, 0.93)])
def test_stratified_limits_cover_the_truth_where_the_usual_ones_flatter(method: Method, least: float) -> None:
    """Two strata of 5,000 and 500 units with 2 % and 10 % errors, 100 and 60 reviews: summed over every outcome.

    The interval by effective sample size covers 84 % here, nearly always missing on the flattering side.
    """
    frames, reviews, truths = (5_000, 500), (100, 60), (0.02, 0.10)
    truth = sum(f * t for f, t in zip(frames, truths, strict=True)) / sum(frames)
    covered = 0.0
    for first in range(13):  # beyond these lies less than 1e-6 of the probability
        for second in range(21):
            found = [
                Cell("claim", (str(n),), frame, n, k)
                for frame, n, k in zip(frames, reviews, (first, second), strict=True)
            ]
            probability = 1.0
            for n, k, p in zip(reviews, (first, second), truths, strict=True):
                probability *= comb(n, k) * p**k * (1 - p) ** (n - k)
            limits = interval(found, method, TAIL)
            covered += probability * (limits.low <= truth <= limits.high)
    assert covered >= least


@given(st.lists(cells(), max_size=8))
def test_merging_loses_no_unit_no_review_and_no_name(given_cells: list[Cell]) -> None:
    merged = merge_empty(given_cells)
    filled = [cell for cell in given_cells if cell.frame]
    for count in ("frame", "reviewed", "errors"):
        assert sum(getattr(cell, count) for cell in merged) == sum(getattr(cell, count) for cell in filled)
    assert [name for cell in merged for name in cell.name] == [name for cell in filled for name in cell.name]


@given(st.lists(cells(), max_size=8))
def test_after_merging_an_empty_stratum_stands_alone_in_its_group(given_cells: list[Cell]) -> None:
    ordered = sorted(given_cells, key=lambda cell: cell.group)
    merged = merge_empty(ordered)
    for cell in merged:
        assert cell.reviewed or [other.group for other in merged].count(cell.group) == 1


def test_an_empty_stratum_goes_to_its_riskier_neighbour() -> None:
    risky, empty, calm = (Cell("claim", (n,), 100, r, 0) for n, r in (("risky", 5), ("empty", 0), ("calm", 5)))
    assert [cell.name for cell in merge_empty([risky, empty, calm])] == [("risky", "empty"), ("calm",)]
    assert [cell.name for cell in merge_empty([empty, calm])] == [("empty", "calm")]


def test_a_kind_that_nobody_reviewed_is_not_judged_by_other_kinds() -> None:
    known = Cell("enquiry", ("enquiry.ordinary",), 1000, 500, 0)
    unknown = Cell("claim", ("claim.ordinary",), 1000, 0, 0)
    limits = interval(merge_empty([unknown, known]), clopper_pearson, TAIL)
    assert limits.high > 0.5


def test_without_a_review_everything_is_possible() -> None:
    assert interval([], jeffreys, TAIL) == EVERYTHING
    assert interval([Cell("claim", ("a",), 10, 0, 0)], jeffreys, TAIL) == Interval(0, 1)
    assert error_rate([Cell("claim", ("a",), 10, 0, 0)]) is None
