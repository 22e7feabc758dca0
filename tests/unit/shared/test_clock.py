"""Business time: agreed between processes, steered only by what it is given; real time beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import Clock, ManualClock, ScaledClock, SystemClock, monotonic, real_now

MONDAY_AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

speeds = st.floats(min_value=0.1, max_value=100_000)
ages = st.timedeltas(timedelta(0), timedelta(days=1))  # a demo; at the top speed that is 274 years already


def test_the_system_clock_is_real_time() -> None:
    before_at = real_now()
    business_at = SystemClock().now()

    assert before_at <= business_at <= real_now()
    assert business_at.tzinfo is UTC
    assert SystemClock().speed == 1.0


def test_the_scaled_clock_starts_where_it_was_told_to() -> None:
    anchor_at = real_now()
    clock = ScaledClock(MONDAY_AT, anchor_at, speed=1.0)

    passed = clock.now() - MONDAY_AT

    assert timedelta(0) <= passed <= real_now() - anchor_at


@given(speed=speeds, age=ages)
def test_processes_that_share_start_anchor_and_speed_agree(speed: float, age: timedelta) -> None:
    anchor_at = real_now() - age
    one, other = ScaledClock(MONDAY_AT, anchor_at, speed), ScaledClock(MONDAY_AT, anchor_at, speed)

    first_at, second_at, third_at = one.now(), other.now(), one.now()

    assert first_at <= second_at <= third_at


@given(speed=speeds, age=ages)
def test_the_scaled_clock_has_moved_speed_times_real_time(speed: float, age: timedelta) -> None:
    anchor_at = real_now() - age
    clock = ScaledClock(MONDAY_AT, anchor_at, speed)

    earliest_at = MONDAY_AT + (real_now() - anchor_at) * speed
    business_at = clock.now()
    latest_at = MONDAY_AT + (real_now() - anchor_at) * speed

    assert earliest_at <= business_at <= latest_at


@given(speed=speeds, span=st.timedeltas(timedelta(seconds=1), timedelta(days=400)))
def test_the_real_wait_is_the_business_span_divided_by_the_speed(speed: float, span: timedelta) -> None:
    clock = ScaledClock(MONDAY_AT, real_now(), speed)
    due_at = clock.now() + span

    wait = clock.real_seconds_until(due_at)

    assert wait <= span.total_seconds() / speed
    assert wait > span.total_seconds() / speed - 5  # real seconds this test may have taken


@pytest.mark.parametrize("clock", [SystemClock(), ScaledClock(MONDAY_AT, real_now(), 3600.0), ManualClock(MONDAY_AT)])
def test_the_wait_for_an_instant_that_has_passed_is_negative(clock: Clock) -> None:
    assert clock.real_seconds_until(clock.now() - timedelta(hours=1)) < 0


def test_the_manual_clock_moves_only_when_told_to() -> None:
    clock = ManualClock(MONDAY_AT)
    assert clock.now() == clock.now() == MONDAY_AT

    clock.advance(timedelta(minutes=5))
    assert clock.now() == MONDAY_AT + timedelta(minutes=5)
    assert clock.real_seconds_until(MONDAY_AT + timedelta(minutes=6)) == 60

    clock.set(MONDAY_AT)
    assert clock.now() == MONDAY_AT


def test_the_monotonic_clock_never_goes_back() -> None:
    readings = [monotonic() for _ in range(1000)]

    assert readings == sorted(readings)
