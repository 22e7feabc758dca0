from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.estimation import Cell
from services.quality_audit.domain.verdict import Census, Score, Verdict, score


def judged(reviewed: int, errors: int, frame: int = 100_000) -> Score:
    return score([Cell("claim", ("claim.ordinary",), frame, reviewed, errors)], target=0.98, confidence=0.95)


@pytest.mark.parametrize(("errors", "needed"), [(0, 149), (1, 236), (2, 313), (3, 386)])
def test_98_percent_needs_so_many_reviews_to_be_shown(errors: int, needed: int) -> None:
    assert judged(needed, errors).verdict is Verdict.SHOWN
    assert judged(needed - 1, errors).verdict is Verdict.NOT_SHOWN_YET


def test_nothing_is_shown_before_the_first_review() -> None:
    found = judged(0, 0)
    assert (found.point, found.verdict) == (None, Verdict.NOT_SHOWN_YET)
    assert (found.displayed.low, found.displayed.high) == (0, 1)


def test_too_many_errors_refute() -> None:
    assert judged(200, 10).verdict is Verdict.REFUTED


def test_an_estimate_above_the_target_alone_shows_nothing() -> None:
    found = judged(100, 1)
    assert found.point == pytest.approx(0.99)
    assert found.verdict is Verdict.NOT_SHOWN_YET


@given(st.integers(1, 800), st.data())
def test_one_more_error_never_improves_the_verdict(reviewed: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, reviewed - 1))
    order = [Verdict.REFUTED, Verdict.NOT_SHOWN_YET, Verdict.SHOWN]
    assert order.index(judged(reviewed, errors + 1).verdict) <= order.index(judged(reviewed, errors).verdict)


def test_a_complete_review_decides_like_a_count() -> None:
    assert judged(100, 2, frame=100).verdict is Verdict.SHOWN
    assert judged(100, 3, frame=100).verdict is Verdict.REFUTED


def test_merged_strata_are_named() -> None:
    cells = [Cell("claim", ("claim.breached",), 10, 0, 0), Cell("claim", ("claim.ordinary",), 90, 9, 0)]
    assert score(cells, 0.98, 0.95).merged == (("claim.breached", "claim.ordinary"),)


def test_a_census_is_compared_as_it_is() -> None:
    assert Census(0, 0, 0.95).verdict is Verdict.NOT_SHOWN_YET
    assert Census(95, 5, 0.95).verdict is Verdict.SHOWN
    assert Census(949, 51, 0.95).verdict is Verdict.REFUTED
