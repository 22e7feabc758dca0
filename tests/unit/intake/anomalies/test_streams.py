"""What is remembered of a channel: counts by hour, and which hours were watched."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.anomalies.streams import (
    LONGEST_GAP,
    Hour,
    Stream,
    hour_of,
    start_of,
    together,
    weeks_before,
)
from tests.unit.intake.anomalies.streams_of import HONG_KONG
from tests.unit.intake.validation.shipped import BOOK

LIMITS = BOOK.streams
NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

INSTANTS = st.lists(st.integers(0, 5 * 3600).map(lambda seconds: NOW + timedelta(seconds=seconds)), max_size=20)
STREAMS = st.builds(Stream.counted, INSTANTS, INSTANTS)


def looked(stream: Stream, *minutes: float, longest_gap: timedelta = timedelta(hours=2)) -> Stream:
    """Watched by a clock of a speed at which that much business time lies between two looks at most."""
    for minute in minutes:
        stream = stream.watched(NOW + minute * MINUTE, LIMITS, longest_gap / LONGEST_GAP)
    return stream


def whole_hours(stream: Stream) -> list[int]:
    return sorted(at - hour_of(NOW) for at, hour in stream.hours.items() if hour.is_whole)


@given(one=STREAMS, other=STREAMS, third=STREAMS)
def test_counts_are_merged_in_any_order(one: Stream, other: Stream, third: Stream) -> None:
    assert one.merged(other) == other.merged(one)
    assert one.merged(other).merged(third) == one.merged(other.merged(third))
    assert one.merged(Stream()) == one


@given(one=INSTANTS, other=INSTANTS)
def test_what_two_processes_counted_is_what_one_would_have(one: list[datetime], other: list[datetime]) -> None:
    assert Stream.counted(one).merged(Stream.counted(other)) == Stream.counted(one + other)


@given(stream=STREAMS, minutes=st.lists(st.floats(0, 600), max_size=5))
def test_what_is_stored_is_what_is_read(stream: Stream, minutes: list[float]) -> None:
    seen = looked(stream, *minutes)
    assert Stream.from_data(json.loads(json.dumps(seen.to_data()))) == seen


def test_an_hour_is_whole_once_it_was_watched_from_beginning_to_end() -> None:
    looks = [0, 29, 31, 60, 89, 90, 120, 151]  # 01:30 is the first, so the hour from 02:00 is the first whole one
    assert whole_hours(looked(Stream(), *looks)) == [1, 2]


def test_an_hour_without_requests_is_known_to_have_had_none() -> None:
    stream = looked(Stream(), 0, 60, 120)
    assert stream.whole(hour_of(NOW) + 1) == Hour(0, 0, is_whole=True)
    assert stream.whole(hour_of(NOW)) is None


def test_hours_in_which_nobody_looked_are_unknown() -> None:
    stream = looked(Stream(), 0, 60, 120, 120 + 121, 361, 421)  # not for two hours and a minute
    assert whole_hours(stream) == [1, 5, 6]


@pytest.mark.parametrize(("outage", "unknown"), [(4, []), (6, [4]), (50, [4]), (117, [4, 5])])
def test_an_outage_of_intake_is_no_quiet_hour(outage: int, unknown: list[int]) -> None:
    begins = 3 * 60 + 31  # at 05:01
    looks = [minute for minute in range(420) if not begins <= minute < begins + outage]
    seen = looked(Stream(), *looks, longest_gap=LONGEST_GAP)
    assert whole_hours(seen) == [at for at in range(1, 7) if at not in unknown]


def test_a_clock_that_jumps_ahead_makes_no_quiet_hours() -> None:
    stream = looked(Stream(), 0, 60, 120, 60 * 24 * 3, 60 * 24 * 3 + 90)
    assert whole_hours(stream) == [1, 73]


def test_a_clock_that_goes_back_forgets_what_is_yet_to_come() -> None:
    stream = Stream.counted([NOW + timedelta(hours=3)])
    ahead = looked(stream, 0, 60, 120, 180, 240)
    back = looked(ahead, 60, 110, 150)
    assert max(back.hours) <= hour_of(NOW) + 2
    assert whole_hours(back) == [2]
    assert all(hour.accepted == 0 for hour in back.hours.values())


@given(minutes=st.lists(st.floats(0, 60 * 24 * 30), max_size=12))
def test_whatever_the_clock_does_an_hour_is_whole_only_within_one_watch(minutes: list[float]) -> None:
    stream = Stream()
    known: set[int] = set()
    for one, other in pairwise([0.0, *minutes]):
        stream = looked(stream, one, other)
        new = set(whole_hours(stream)) - known
        if not 0 <= other - one <= 120:
            assert not {at for at in new if at * 60 > max(one, other)}
        known |= new
    assert len(stream.hours) <= (LIMITS.weeks + 1) * 168 + 1


def test_memory_is_bounded_by_the_weeks() -> None:
    old = Stream.counted([NOW - timedelta(weeks=20)])
    assert looked(old, 0).hours == {}


def test_together_the_channels_are_one_stream() -> None:
    one, other = Stream.counted([NOW]), looked(Stream.counted([NOW], [NOW]), 0, 60, 120)
    assert together([one, other]).hours[hour_of(NOW)] == Hour(2, 1)
    assert together([one, other]).whole(hour_of(NOW) + 1) is not None
    assert together([]) == Stream()


def test_a_week_before_clocks_showed_the_same_though_they_moved_since() -> None:
    zone = ZoneInfo("Europe/Rome")
    after = datetime(2026, 4, 1, 10, tzinfo=zone)  # clocks moved on 29 March
    (before,) = weeks_before(hour_of(after), 1, zone)
    assert start_of(before).astimezone(zone).hour == 10
    assert hour_of(after) - before == 167


@given(hour=st.integers(400_000, 500_000))
def test_in_a_zone_that_never_moves_its_clocks_a_week_has_168_hours(hour: int) -> None:
    assert weeks_before(hour, 3, HONG_KONG) == (hour - 168, hour - 336, hour - 504)
