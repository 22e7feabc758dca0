"""Business time of a local system over restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from punctual.local.business_clock import OUTLIVED, ClockState, read_state, resume, write_state

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CHOSEN = datetime(2026, 3, 2, 1, tzinfo=UTC)

seconds = st.floats(0, 1e6).map(lambda value: timedelta(seconds=value))
speeds = st.sampled_from([0.5, 1.0, 60.0, 3600.0, 1e5])


def test_a_system_at_real_speed_has_no_clock_of_its_own() -> None:
    assert resume(None, speed=1.0, start=None, now=NOW) is None


def test_the_first_start_begins_at_the_chosen_instant() -> None:
    state = resume(None, speed=3600.0, start=CHOSEN, now=NOW)
    assert state is not None
    assert (state.start, state.anchor, state.speed) == (CHOSEN, NOW, 3600.0)


def test_a_fast_clock_without_a_chosen_instant_begins_now() -> None:
    state = resume(None, speed=60.0, start=None, now=NOW)
    assert state is not None
    assert state.start == NOW


def test_after_an_orderly_stop_time_goes_on_where_it_stopped() -> None:
    reached = CHOSEN + timedelta(days=3)
    kept = ClockState(CHOSEN, NOW, 3600.0, reached, is_stopped=True)
    state = resume(kept, speed=60.0, start=CHOSEN, now=NOW + timedelta(days=9))
    assert state is not None
    assert (state.start, state.speed) == (reached, 60.0)


def test_once_simulated_a_home_never_falls_back_to_real_time() -> None:
    kept = ClockState(CHOSEN, NOW, 3600.0, NOW + timedelta(days=400), is_stopped=True)
    state = resume(kept, speed=1.0, start=None, now=NOW)
    assert state is not None
    assert state.start == NOW + timedelta(days=400)


@given(wrote_after=seconds, killed_after=seconds, lived_on=seconds, back_after=seconds, speed=speeds)
def test_a_kill_never_sets_business_time_back(
    wrote_after: timedelta, killed_after: timedelta, lived_on: timedelta, back_after: timedelta, speed: float
) -> None:
    """Whatever a child may have read from the old clock lies before the new start."""
    killed_after += wrote_after
    # The supervisor writes every second and children outlive it by less than half a minute, as the module assumes.
    killed_after = min(killed_after, wrote_after + timedelta(seconds=1))
    lived_on = min(lived_on, OUTLIVED - timedelta(seconds=1))
    first = resume(None, speed=speed, start=CHOSEN, now=NOW)
    assert first is not None
    written = ClockState(CHOSEN, NOW, speed, CHOSEN + wrote_after * speed, is_stopped=False)
    last_seen = first.start + (killed_after + lived_on) * speed
    back_at = NOW + killed_after + lived_on + back_after
    second = resume(written, speed=1.0, start=None, now=back_at)
    assert second is not None
    assert second.start >= last_seen
    assert second.start <= written.reached_at + OUTLIVED * speed


@given(ran_for=seconds, speed=speeds)
def test_children_found_alive_have_seen_the_clock_until_now(ran_for: timedelta, speed: float) -> None:
    kept = ClockState(CHOSEN, NOW, speed, CHOSEN, is_stopped=False)
    state = resume(kept, speed=speed, start=None, now=NOW + ran_for, ran_until_now=True)
    assert state is not None
    assert state.start == CHOSEN + ran_for * speed


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    state = ClockState(CHOSEN, NOW, 3600.0, CHOSEN, is_stopped=False)
    file = tmp_path / "clock.json"
    assert read_state(file) is None
    write_state(file, state, CHOSEN + timedelta(hours=1), is_stopped=True)
    assert read_state(file) == ClockState(CHOSEN, NOW, 3600.0, CHOSEN + timedelta(hours=1), is_stopped=True)
