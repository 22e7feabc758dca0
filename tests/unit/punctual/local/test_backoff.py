"""The pause before a dead child is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from punctual.local.backoff import BackOff


def test_the_first_restart_comes_soon_and_later_ones_double() -> None:
    row, waits = BackOff(), []
    for _ in range(9):
        row = row.after_death(ran_seconds=1)
        waits.append(row.seconds)
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_child_that_ran_for_a_minute_starts_a_new_row() -> None:
    row = BackOff(deaths=7).after_death(ran_seconds=61)
    assert row.seconds == 0.5


@given(st.integers(0, 10_000))
def test_no_row_is_too_long_to_wait_for(deaths: int) -> None:
    assert 0 <= BackOff(deaths).seconds <= 30
