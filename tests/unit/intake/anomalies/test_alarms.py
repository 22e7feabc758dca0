"""Alarms about channels: they start, they end, they do not flap, and they know what they cannot know."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.anomalies.alarms import Ringing, Watch, judge
from services.intake.domain.anomalies.causes import Cause
from services.intake.domain.anomalies.streams import Stream, hour_of, start_of
from tests.unit.intake.anomalies.streams_of import HONG_KONG, MONDAY, Counts, begun, generated, play, stream_of
from tests.unit.intake.validation.shipped import BOOK

LIMITS = BOOK.streams
WEEKS = 7
QUIET = generated(1, WEEKS, 400)
OTHERS = tuple(stream_of(generated(seed, WEEKS, 400)) for seed in (2, 3))
MONDAY_6 = hour_of(MONDAY) + 6 * 168  # midnight in Hong Kong
TUESDAY_6 = MONDAY_6 + 24


def changed(counts: Counts, since: int, hours: int, factor: float) -> Counts:
    return {at: round(count * factor) if since <= at < since + hours else count for at, count in counts.items()}


def told(
    counts: Counts, others: Sequence[Stream] = (), holidays: Collection[date] = ()
) -> list[tuple[str, int, int | None]]:
    """Of the last two weeks: cause, first hour and hour after the last, counted from the Monday of the last one."""
    news = play(stream_of(counts), LIMITS, since=MONDAY_6 - 168, others=others, holidays=holidays)
    return [
        (
            one.cause.value,
            hour_of(one.began_at) - MONDAY_6,
            None if one.ended_at is None else hour_of(one.ended_at) - MONDAY_6,
        )
        for one in news
    ]


def test_nothing_is_said_of_a_usual_week() -> None:
    assert told(QUIET) == []


def test_a_surge_starts_and_ends() -> None:
    assert told(changed(QUIET, TUESDAY_6 + 10, 4, 5)) == [("surge", 34, None), ("surge", 34, 38)]


def test_a_channel_that_fails_by_day_drops() -> None:
    assert told(changed(QUIET, TUESDAY_6 + 10, 5, 0)) == [("drop", 34, None), ("drop", 34, 39)]


def test_a_failure_over_days_is_one_alarm_and_not_one_each_day() -> None:
    events = told(changed(QUIET, TUESDAY_6 + 10, 50, 0))
    assert events[0] == ("drop", 34, None)
    assert events[1][:2] == ("drop", 34)
    assert events[1][2] in (84, 85)
    assert len(events) == 2


def test_a_channel_with_little_traffic_falls_silent() -> None:
    little = generated(4, WEEKS, 30)
    events = told(changed(little, TUESDAY_6, 120, 0))
    assert events[0][0] == "silence"
    assert 24 < events[0][1] < 48
    assert len([ended_at for _, _, ended_at in events if ended_at is None]) == 1


def test_nights_and_weekends_are_no_drop() -> None:
    by_day_only = {
        at: 0 if (at - hour_of(MONDAY)) % 24 < 8 or (at - hour_of(MONDAY)) % 168 >= 120 else count
        for at, count in QUIET.items()
    }
    assert told(by_day_only) == []


def test_a_new_channel_says_nothing() -> None:
    young = {at: count for at, count in QUIET.items() if at >= MONDAY_6 - 2 * 168}
    assert told(changed(young, TUESDAY_6 + 10, 5, 0)) == []
    assert told(changed(young, TUESDAY_6 + 10, 5, 9)) == []
    assert told(dict.fromkeys(QUIET, 0)) == []


def test_a_known_holiday_is_no_drop_and_no_silence() -> None:
    still = changed(QUIET, TUESDAY_6, 24, 0)
    assert [event[0] for event in told(still)] == ["silence", "silence"]  # before the morning could drop
    assert told(still, holidays={date(2026, 4, 14)}) == []
    assert start_of(TUESDAY_6).astimezone(HONG_KONG).date() == date(2026, 4, 14)


def test_an_unknown_holiday_blames_no_channel_when_all_are_down() -> None:
    still = changed(QUIET, TUESDAY_6, 24, 0.1)
    down = tuple(stream_of(changed(generated(seed, WEEKS, 400), TUESDAY_6, 24, 0.1)) for seed in (2, 3))
    assert told(still, others=down) == []
    assert len(told(still, others=OTHERS)) == 2


def test_a_surge_is_told_on_a_holiday_too() -> None:
    assert told(changed(QUIET, TUESDAY_6 + 10, 4, 5), holidays={date(2026, 4, 14)})[0][:2] == ("surge", 34)


def test_the_same_holiday_a_week_ago_does_not_matter() -> None:
    assert told(changed(QUIET, TUESDAY_6 - 168, 24, 0), holidays={date(2026, 4, 7)}) == []


def refusals(share: float, since: int, hours: int) -> dict[int, int]:
    """One in fifty is refused, and for some hours this share."""
    return {
        at: round(count * share / (1 - share)) if since <= at < since + hours else int(at % 5 == 0 and count > 5)
        for at, count in QUIET.items()
    }


@pytest.mark.parametrize(("share", "is_told"), [(0.5, True), (0.25, True), (0.05, False)])
def test_a_channel_whose_requests_are_refused_more_often_than_usual_is_named(share: float, is_told: bool) -> None:
    news = play(stream_of(QUIET, refusals(share, TUESDAY_6 + 10, 6)), LIMITS, since=MONDAY_6 - 168)
    assert [one.cause for one in begun(news)] == ([Cause.REFUSALS] if is_told else [])
    assert len(news) == (2 if is_told else 0)


def test_a_few_refusals_of_a_few_requests_say_nothing() -> None:
    little = generated(5, WEEKS, 10)
    some = dict.fromkeys(range(TUESDAY_6 + 10, TUESDAY_6 + 13), 2)
    assert play(stream_of(little, some), LIMITS) == []


# Hysteresis, clocks, storing


@given(factors=st.lists(st.sampled_from([0.2, 0.5, 1.0, 2.0, 5.0]), min_size=24, max_size=24))
@settings(max_examples=25, deadline=None)
def test_starts_and_ends_take_turns_and_calm_hours_lie_between(factors: list[float]) -> None:
    counts = dict(QUIET)
    for hour, factor in enumerate(factors):
        counts[TUESDAY_6 + hour] = round(counts[TUESDAY_6 + hour] * factor)
    by_cause: dict[Cause, list[tuple[datetime, datetime | None]]] = {}
    for one in play(stream_of(counts), LIMITS, since=TUESDAY_6):
        by_cause.setdefault(one.cause, []).append((one.began_at, one.ended_at))
    for alarms in by_cause.values():
        assert [ended_at is None for _, ended_at in alarms] == [n % 2 == 0 for n in range(len(alarms))]
        ends = [ended_at for _, ended_at in alarms if ended_at is not None]
        for ended_at, (began_at, _) in zip(ends, alarms[2::2], strict=False):
            assert began_at - ended_at >= timedelta(hours=LIMITS.calm_hours)


def test_hours_are_judged_once_however_often_one_looks() -> None:
    stream = stream_of(changed(QUIET, TUESDAY_6 + 10, 5, 0))
    now = start_of(TUESDAY_6 + 11) + timedelta(minutes=1)
    before = Watch(judged=TUESDAY_6 + 9)
    watch, news = judge(stream, before, now, HONG_KONG, LIMITS)
    assert [one.cause for one in news] == [Cause.DROP]
    assert judge(stream, watch, now + timedelta(minutes=30), HONG_KONG, LIMITS) == (watch, ())


def test_after_an_outage_the_hours_missed_are_judged_in_turn() -> None:
    stream = stream_of(changed(QUIET, TUESDAY_6 + 10, 5, 0))
    _, news = judge(stream, Watch(judged=TUESDAY_6), start_of(TUESDAY_6 + 20), HONG_KONG, LIMITS)
    assert [one.ended_at is None for one in news] == [True, False]


def test_a_clock_that_jumps_rings_nothing() -> None:
    stream, watch = stream_of(QUIET), Watch(judged=max(QUIET))
    end = start_of(max(QUIET) + 1)
    for now in (end + timedelta(days=400), end - timedelta(days=3), end + timedelta(days=400, hours=5)):
        stream = stream.watched(now, LIMITS)
        watch, news = judge(stream, watch, now, HONG_KONG, LIMITS)
        assert news == ()


def test_a_channel_that_comes_back_after_an_alarm_ends_it_though_the_past_is_gone() -> None:
    """The clock jumped ahead while an alarm rang: nothing supports it any more."""
    at = datetime(2027, 1, 1, tzinfo=UTC)
    hours = range(hour_of(at), hour_of(at) + LIMITS.calm_hours)
    stream = stream_of(dict.fromkeys(hours, 3))
    ringing = {Cause.DROP: Ringing(at - timedelta(days=90), at - timedelta(days=89))}
    watch, news = judge(stream, Watch(hours[0] - 1, ringing), start_of(hours[-1] + 1), HONG_KONG, LIMITS)
    assert watch.ringing == {}
    assert [(one.cause, one.ended_at) for one in news] == [(Cause.DROP, at - timedelta(days=89))]


def test_what_is_remembered_of_alarms_can_be_stored() -> None:
    stream = stream_of(changed(QUIET, TUESDAY_6 + 10, 5, 0))
    watch, _ = judge(stream, Watch(judged=TUESDAY_6), start_of(TUESDAY_6 + 13), HONG_KONG, LIMITS)
    assert watch.ringing.keys() == {Cause.DROP}
    assert Watch.from_data(json.loads(json.dumps(watch.to_data()))) == watch
    assert Watch.from_data(json.loads(json.dumps(Watch().to_data()))) == Watch()


def test_a_stream_nobody_watched_is_not_judged() -> None:
    watch, news = judge(Stream.counted([MONDAY]), Watch(), MONDAY + timedelta(hours=2), HONG_KONG, LIMITS)
    assert (watch.ringing, news) == ({}, ())
