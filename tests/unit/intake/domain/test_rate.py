"""A token bucket lets no more through than it says, and no less."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.rate import Bucket, Rate, Verdict, take

rates = st.builds(Rate, st.floats(0.01, 10_000), st.integers(1, 1_000))
gaps = st.lists(st.floats(0, 100), min_size=1, max_size=60)


def run(rate: Rate, instants: Sequence[float]) -> list[Verdict]:
    bucket: Bucket | None = None
    verdicts = []
    for at in instants:
        verdicts.append(take(bucket, rate, at))
        bucket = verdicts[-1].bucket
    return verdicts


@given(rates, gaps)
def test_no_stretch_of_time_lets_through_more_than_the_burst_and_the_rate(rate: Rate, gaps: list[float]) -> None:
    instants = list(accumulate(gaps))
    granted = [at for at, verdict in zip(instants, run(rate, instants), strict=True) if verdict.is_granted]
    for first in range(len(granted)):
        for last in range(first, len(granted)):
            most = rate.burst + rate.per_second * (granted[last] - granted[first])
            assert last - first + 1 <= most * (1 + 1e-9) + 1e-6


@given(rates, gaps)
def test_who_keeps_to_the_rate_is_never_refused(rate: Rate, gaps: list[float]) -> None:
    instants = list(accumulate(gap + 1.000001 / rate.per_second for gap in gaps))
    assert all(verdict.is_granted for verdict in run(rate, instants))


@given(rates, gaps)
def test_who_waits_as_told_is_let_through(rate: Rate, gaps: list[float]) -> None:
    instants = list(accumulate(gaps))
    for at, verdict in zip(instants, run(rate, instants), strict=True):
        assert (verdict.retry_seconds == 0) == verdict.is_granted
        again = take(verdict.bucket, rate, at + verdict.retry_seconds * (1 + 1e-9) + 1e-6)
        assert again.is_granted or verdict.is_granted


@given(rates, gaps)
def test_what_remains_is_true_and_the_bucket_is_full_when_it_says(rate: Rate, gaps: list[float]) -> None:
    instants = list(accumulate(gaps))
    last = run(rate, instants)[-1]
    assert 0 <= last.remaining < rate.burst
    following = run_from(last.bucket, rate, instants[-1], last.remaining)
    assert all(verdict.is_granted for verdict in following)
    full = run_from(last.bucket, rate, instants[-1] + last.reset_seconds * (1 + 1e-9) + 1e-3, rate.burst)
    assert all(verdict.is_granted for verdict in full)


@given(rates.filter(lambda rate: rate.burst > 1), gaps)
def test_single_calls_below_the_rate_are_let_through_beside_a_batch(rate: Rate, gaps: list[float]) -> None:
    """The batch has a line for every turn that it gets."""
    bucket: Bucket | None = None
    line_at = 0.0
    for at in accumulate(gap + 1.000001 / rate.per_second for gap in gaps):
        for _ in range(2 * rate.burst):
            if line_at > at:
                break
            line = take(bucket, rate, line_at, leave=rate.reserve)
            bucket, line_at = line.bucket, line_at + line.retry_seconds * (1 + 1e-9)
        single = take(bucket, rate, at)
        assert single.is_granted
        bucket, line_at = single.bucket, max(line_at, at)


@given(rates, gaps)
def test_a_line_that_waits_as_told_is_let_through_and_leaves_the_reserve(rate: Rate, gaps: list[float]) -> None:
    bucket: Bucket | None = None
    for at in accumulate(gap + 1.0 for gap in gaps):
        line = take(bucket, rate, at, leave=rate.reserve)
        if not line.is_granted:
            line = take(line.bucket, rate, at + line.retry_seconds * (1 + 1e-9) + 1e-6, leave=rate.reserve)
        assert line.is_granted
        assert line.remaining >= rate.reserve
        bucket = take(line.bucket, rate, line.bucket.filled_at).bucket


def run_from(bucket: Bucket, rate: Rate, at: float, count: int) -> list[Verdict]:
    verdicts = []
    for _ in range(count):
        verdicts.append(take(bucket, rate, at))
        bucket = verdicts[-1].bucket
    return verdicts


@given(rates, st.floats(0, 100), st.floats(0, 100))
def test_a_clock_that_stands_back_fills_nothing(rate: Rate, at: float, back: float) -> None:
    bucket = take(None, rate, at).bucket
    assert take(bucket, rate, at - back).bucket.filled_at == at
    assert take(bucket, rate, at - back).bucket.tokens <= bucket.tokens
