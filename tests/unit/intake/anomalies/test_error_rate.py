"""The data-error rate: confirmed findings only, with its interval."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.anomalies.error_rate import ErrorRate, Records, Verdict, error_rates
from services.intake.domain.anomalies.shares import wilson

PARTS = st.integers(0, 500)
RECORDS = st.builds(
    lambda channel, kind, rest, parts: Records(channel, kind, rest + sum(parts), *parts),
    st.sampled_from(["app", "web"]),
    st.sampled_from(["claim", "enquiry"]),
    st.integers(0, 10_000),
    st.tuples(PARTS, PARTS, PARTS),
)


def house(*records: Records) -> ErrorRate:
    return error_rates(records)[None, None]


@given(count=st.integers(0, 300), more=st.integers(0, 10_000), deviations=st.floats(0.5, 4))
def test_an_interval_holds_the_share_and_never_leaves_0_to_1(count: int, more: int, deviations: float) -> None:
    total = count + more
    interval = wilson(count, total, deviations)
    assert 0 <= interval.low <= interval.high <= 1
    if total:
        assert interval.low <= count / total <= interval.high


@given(count=st.integers(1, 300), more=st.integers(1, 10_000))
def test_both_limits_lie_as_far_from_the_share_as_asked(count: int, more: int) -> None:
    """Wilson's limits are the shares from which what was seen lies just so many of their own deviations away."""
    total = count + more
    interval = wilson(count, total, 1.96)
    for limit in (interval.low, interval.high):
        assert abs(count / total - limit) == pytest.approx(1.96 * sqrt(limit * (1 - limit) / total), rel=1e-6)


def test_nothing_counted_says_nothing() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="is no share"):
        wilson(2, 1)


@given(records=st.lists(RECORDS, max_size=8))
def test_doubts_that_nobody_judged_are_in_neither_part(records: list[Records]) -> None:
    judged = [
        Records(one.channel, one.kind, one.taken_in - one.unjudged, one.confirmed, one.dismissed) for one in records
    ]
    left, right = error_rates(records), error_rates(judged)
    for key, rate in left.items():
        assert (rate.records, rate.wrong, rate.interval) == (right[key].records, right[key].wrong, right[key].interval)


@given(records=st.lists(RECORDS, max_size=8))
def test_the_parts_add_up(records: list[Records]) -> None:
    rates = error_rates(records)
    for channel in ("app", "web", None):
        parts = [rate for (one, kind), rate in rates.items() if one == channel and kind is not None]
        if (channel, None) in rates:
            assert rates[channel, None].records == sum(part.records for part in parts)
            assert rates[channel, None].wrong == sum(part.wrong for part in parts)


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        (Records("app", "claim", 10_000, confirmed=20), Verdict.SHOWN),
        (Records("app", "claim", 10_000, confirmed=90), Verdict.REFUTED),
        (Records("app", "claim", 10_000, confirmed=45), Verdict.NOT_SHOWN_YET),
        (Records("app", "claim", 100), Verdict.NOT_SHOWN_YET),
        (Records("app", "claim", 10_000, unjudged=10_000), Verdict.NOT_SHOWN_YET),
        (Records("app", "claim", 10_000, dismissed=500), Verdict.SHOWN),
    ],
)
def test_the_target_is_shown_only_when_the_whole_interval_lies_below_it(records: Records, verdict: Verdict) -> None:
    assert house(records).verdict() is verdict


def test_a_share_of_nothing_is_none() -> None:
    assert house().share is None
    assert house(Records("app", "claim", 200, confirmed=1)).share == 0.005


def test_dismissed_doubts_tell_how_good_the_rules_are() -> None:
    rate = house(Records("app", "claim", 1_000, confirmed=9, dismissed=1))
    assert rate.precision.low < 0.9 < rate.precision.high


@pytest.mark.parametrize("parts", [(101, 0, 0), (50, 50, 1), (-1, 0, 0)])
def test_more_findings_than_records_are_refused(parts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="100 records cannot be divided"):
        Records("app", "claim", 100, *parts)
