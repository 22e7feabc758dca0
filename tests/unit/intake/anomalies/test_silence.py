"""A channel that falls silent is told in time though some weeks before were bad, and one that often pauses is not."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.anomalies.causes import SILENT_ONE_IN, Cause
from services.intake.domain.anomalies.streams import hour_of
from tests.unit.intake.anomalies.streams_of import MONDAY, Counts, begun, play, stream_of
from tests.unit.intake.validation.shipped import BOOK

LIMITS = BOOK.streams
WEEK = 168
WEDNESDAY_9 = hour_of(MONDAY) + LIMITS.weeks * WEEK + 2 * 24 + 9
"""When the channel dies, after as many weeks as are remembered."""
PATIENCE = 3
"""Hours: with five requests in each, more than ``silence.usual`` are missing."""


def even(seed: int, dead_hours: int = 24) -> Counts:
    """Five to eight requests an hour, day and night; none from the death on."""
    random = Random(seed)
    hours = range(hour_of(MONDAY), WEDNESDAY_9 + dead_hours)
    return {at: random.randint(5, 8) if at < WEDNESDAY_9 else 0 for at in hours}


def without(counts: Counts, *outages: range) -> Counts:
    lost = {at for outage in outages for at in outage}
    return {at: 0 if at in lost else count for at, count in counts.items()}


def told_after(counts: Counts) -> int | None:
    """In which hour after the death silence is told, from 1; None: not at all."""
    news = [one for one in begun(play(stream_of(counts), LIMITS, since=WEDNESDAY_9)) if one.cause is Cause.SILENCE]
    return hour_of(news[0].began_at) - WEDNESDAY_9 + 1 if news else None


def outage(weeks_ago: int, begins: int, hours: int) -> range:
    """``begins``: hours from Wednesday, nine o'clock."""
    since = WEDNESDAY_9 - weeks_ago * WEEK + begins
    return range(since, since + hours)


@pytest.mark.parametrize(
    "outages",
    [
        pytest.param((), id="none"),
        pytest.param((outage(2, 0, 24),), id="a day two weeks before"),
        pytest.param((outage(2, 0, 4),), id="four hours two weeks before"),
        pytest.param((outage(5, -9, 24),), id="a holiday"),
        pytest.param((outage(1, -9, 24), outage(6, -2, 30)), id="a holiday and an outage"),
    ],
)
def test_it_is_told_after_three_hours_whatever_went_wrong_in_a_week_or_two_before(outages: tuple[range, ...]) -> None:
    found = told_after(without(even(3), *outages))
    assert found is not None
    assert found <= PATIENCE


outages = st.builds(outage, st.integers(1, LIMITS.weeks), st.integers(-24, 12), st.integers(1, 60))
"""None reaches the week after its own."""


@given(
    seed=st.integers(0, 1_000),
    bad=st.lists(outages, max_size=LIMITS.weeks // SILENT_ONE_IN, unique_by=lambda one: (WEDNESDAY_9 - one[0]) // WEEK),
)
@settings(max_examples=60, deadline=None)
def test_a_quarter_of_bad_weeks_delays_no_alarm(seed: int, bad: list[range]) -> None:
    found = told_after(without(even(seed, PATIENCE), *bad))
    assert found is not None


def pauses(weeks_ago: Iterable[int]) -> list[range]:
    return [outage(week, 0, 24) for week in weeks_ago]


@given(
    seed=st.integers(0, 1_000),
    silent=st.sets(st.integers(1, LIMITS.weeks), min_size=LIMITS.weeks // SILENT_ONE_IN + 1),
)
@settings(max_examples=40, deadline=None)
def test_a_channel_that_often_sends_nothing_at_these_hours_does_not_ring(seed: int, silent: set[int]) -> None:
    assert told_after(without(even(seed, 8), *pauses(silent))) is None


@given(
    known=st.integers(LIMITS.least_weeks, LIMITS.weeks), silent=st.integers(0, LIMITS.weeks), seed=st.integers(0, 99)
)
@settings(max_examples=60, deadline=None)
def test_a_young_channel_is_allowed_the_same_share(known: int, silent: int, seed: int) -> None:
    young = {at: count for at, count in even(seed, 8).items() if at >= WEDNESDAY_9 - known * WEEK}
    found = told_after(without(young, *pauses(range(1, min(silent, known) + 1))))
    assert (found is not None) == (min(silent, known) <= known // SILENT_ONE_IN)


def regular(*hours: int, each: int, missing_days: int, days_after: int = 30) -> Counts:
    """The same at some hours of every day; for some days, from the Wednesday on, nothing."""
    first, midnight = hour_of(MONDAY), WEDNESDAY_9 - 9
    lost = range(midnight, midnight + missing_days * 24)
    return {
        at: each if (at - first) % 24 in hours and at not in lost else 0
        for at in range(first, lost.stop + days_after * 24)
    }


def silences(counts: Counts) -> list[tuple[int, int | None]]:
    """When each began and, where it did, ended: days since the first day of silence, rounded down."""
    midnight = WEDNESDAY_9 - 9
    news = [one for one in play(stream_of(counts), LIMITS, since=midnight) if one.cause is Cause.SILENCE]
    began, ended = news[0::2], news[1::2]
    days = [(hour_of(one.ended_at) - midnight) // 24 for one in ended if one.ended_at is not None]
    return [
        ((hour_of(one.began_at) - midnight) // 24, days[number] if number < len(days) else None)
        for number, one in enumerate(began)
    ]


@pytest.mark.parametrize(
    ("hours", "each", "missing_days", "began", "ended"),
    [
        pytest.param((2,), 8, 2, 1, 2, id="a nightly file that does not come for two nights"),
        pytest.param((10, 15), 1, 8, 5, 8, id="two a day that do not come for eight days"),
        pytest.param((10, 15), 8, 1, 0, 1, id="two large ones a day that do not come for a day"),
    ],
)
def test_a_silence_of_a_channel_that_is_mostly_silent_ends_when_it_is_back(
    hours: tuple[int, ...], each: int, missing_days: int, began: int, ended: int
) -> None:
    assert silences(regular(*hours, each=each, missing_days=missing_days)) == [(began, ended)]


@pytest.mark.parametrize("hours", [(2,), (10, 15), tuple(range(24))])
def test_the_silence_of_a_channel_that_has_ended_is_no_news_after_some_weeks(hours: tuple[int, ...]) -> None:
    dead_for = 7 * LIMITS.weeks
    ((began, ended),) = silences(regular(*hours, each=8, missing_days=dead_for, days_after=0))
    assert began <= 1
    assert ended is not None
    assert 14 < ended <= 7 * (LIMITS.weeks // SILENT_ONE_IN + 2)
