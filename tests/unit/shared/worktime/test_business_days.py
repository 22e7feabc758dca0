from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ConfigurationError
from shared.worktime import ALWAYS_OPEN, NO_HOURS, Calendar, Window, WorkingTime, parse_local
from tests.unit.shared.worktime.calendar_strategies import calendars, exact_instants, pause_lists

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
OFFICE = WorkingTime(
    Calendar(
        name="office",
        timezone="UTC",
        weekly=((Window(9 * HOUR, 12 * HOUR), Window(13 * HOUR, 18 * HOUR)),) * 5 + ((), ()),
        holidays=frozenset({date(2026, 6, 3)}),
        date_overrides={date(2026, 6, 6): (Window(9 * HOUR, 12 * HOUR),)},
    )
)
NIGHT = WorkingTime(Calendar("night", "UTC", ((Window(22 * HOUR, 30 * HOUR),),) * 5 + ((), ())))

Pauses = list[tuple[datetime, datetime]]
few_days = st.integers(0, 8)


def at(day: int, hour: float = 0) -> datetime:
    """June 2026; the first is a Monday, the third a holiday, the sixth a Saturday that is worked until noon."""
    return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour)


def test_the_day_of_receipt_does_not_count() -> None:
    assert OFFICE.due_days(at(1, 10), 1) == at(2, 10)
    assert OFFICE.due_days(at(1, 10), 1, end_of_day=True) == at(2, 18)


def test_a_holiday_is_passed_over_and_a_make_up_day_counts() -> None:
    assert OFFICE.due_days(at(2, 11), 1) == at(4, 11)
    assert OFFICE.due_days(at(2, 11), 3) == at(6, 11)
    assert OFFICE.due_days(at(2, 11), 4) == at(8, 11)


@pytest.mark.parametrize("received", [at(2, 18), at(2, 23), at(3, 12), at(4, 3), at(4, 9)])
def test_what_comes_outside_hours_is_received_at_the_next_opening(received: datetime) -> None:
    assert OFFICE.due_days(received, 1) == at(5, 9)
    assert OFFICE.due_days(received, 1, end_of_day=True) == at(5, 18)


def test_no_days_at_all_are_due_at_once_or_at_the_end_of_the_day() -> None:
    assert OFFICE.due_days(at(1, 10), 0) == at(1, 10)
    assert OFFICE.due_days(at(1, 12.5), 0) == at(1, 13)
    assert OFFICE.due_days(at(1, 20), 0, end_of_day=True) == at(2, 18)


def test_a_time_of_day_at_which_the_target_day_is_closed_is_due_at_the_next_opening() -> None:
    assert OFFICE.due_days(at(5, 15), 1) == at(8, 9)
    assert OFFICE.due_days(at(5, 15), 1, end_of_day=True) == at(8, 18)
    assert OFFICE.due_days(at(5, 11), 1, end_of_day=True) == at(6, 12)


def test_a_negative_number_of_days_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        OFFICE.due_days(at(1), -1)


def test_days_that_a_calendar_does_not_have_are_refused() -> None:
    once = WorkingTime(Calendar("once", "UTC", NO_HOURS, date_overrides={date(2026, 6, 6): (Window(HOUR, 2 * HOUR),)}))
    with pytest.raises(ConfigurationError, match="too little open time"):
        once.due_days(at(1), 1)


def test_working_time_lost_to_a_pause_is_added() -> None:
    assert OFFICE.due_days(at(1, 10), 1, pauses=[(at(1, 11), at(1, 14))]) == at(2, 12) + HOUR
    assert OFFICE.due_days(at(1, 10), 1, pauses=[(at(1, 14), at(2, 9.5))]) == at(2, 15.5)
    assert OFFICE.due_days(at(1, 10), 1, pauses=[(at(1, 18), at(2, 9))]) == at(2, 10)


def test_a_pause_that_moves_the_target_past_another_counts_that_one_too() -> None:
    pauses = [(at(2, 10.5), at(2, 11)), (at(1, 15), at(1, 16))]
    assert OFFICE.due_days(at(1, 10), 1, pauses=pauses) == at(2, 11.5)


def test_a_pause_that_begins_at_the_target_or_ended_before_the_start_moves_nothing() -> None:
    assert OFFICE.due_days(at(1, 10), 1, pauses=[(at(2, 10), at(2, 17)), (at(1, 9), at(1, 10))]) == at(2, 10)


def test_a_target_is_never_inside_a_pause_that_began_while_it_was_closed() -> None:
    assert OFFICE.due_days(at(1, 9), 1, pauses=[(at(1, 20), at(2, 11))]) == at(2, 11)


def test_a_pause_within_the_day_of_the_target_does_not_move_its_end() -> None:
    assert OFFICE.due_days(at(1, 10), 1, end_of_day=True, pauses=[(at(1, 11), at(1, 12))]) == at(2, 18)
    assert OFFICE.due_days(at(1, 10), 1, end_of_day=True, pauses=[(at(2, 11), at(2, 17))]) == at(2, 18)


def test_pauses_that_move_the_target_to_another_day_move_the_end_with_it() -> None:
    assert OFFICE.due_days(at(1, 17), 1, end_of_day=True, pauses=[(at(2, 9), at(2, 11))]) == at(4, 18)


def test_a_day_that_ends_in_a_pause_is_not_the_end() -> None:
    assert OFFICE.due_days(at(1, 10), 1, end_of_day=True, pauses=[(at(2, 17), at(4, 10))]) == at(4, 18)


def test_a_shift_that_outlasts_those_of_the_next_day_ends_that_day_too() -> None:
    hours = (Window(9 * HOUR, 38 * HOUR),), (Window(9 * HOUR, 12 * HOUR),)  # until 14:00 of the next day
    working = WorkingTime(Calendar("long", "UTC", (*hours, (), (), (), (), ())))
    assert working.due_days(at(1, 10), 0, end_of_day=True) == at(2, 14)
    assert working.due_days(at(1, 10), 1, end_of_day=True) == at(2, 14)
    assert working.due_days(at(1, 10), 2, end_of_day=True) == at(9, 14)


def test_after_midnight_a_night_shift_is_worked_on_the_date_before() -> None:
    assert NIGHT.due_days(at(6, 2), 0, end_of_day=True) == at(6, 6)
    assert NIGHT.due_days(at(5, 23), 1, end_of_day=True) == at(9, 6)
    assert NIGHT.due_days(at(6, 2), 1) == at(9, 2)


def test_a_long_shift_of_the_day_before_may_outlast_those_of_the_day() -> None:
    weekly = ((Window(0 * HOUR, 48 * HOUR),), (Window(9 * HOUR, 10 * HOUR),), (), (), (), (), ())
    assert WorkingTime(Calendar("long", "UTC", weekly)).due_days(at(2, 20), 0, end_of_day=True) == at(3)


def test_a_day_that_is_closed_by_a_closure_is_no_working_day() -> None:
    closure = parse_local("2026-06-02T00:00"), parse_local("2026-06-02T24:00")
    office = WorkingTime(Calendar("office", "UTC", OFFICE.calendar.weekly, closures=(closure,)))
    assert office.due_days(at(1, 10), 1) == at(3, 10)


def test_every_day_is_a_working_day_where_nothing_closes() -> None:
    always = WorkingTime(ALWAYS_OPEN)
    assert always.due_days(at(1, 10), 400) == at(401, 10)
    assert always.due_days(at(1, 10), 2, end_of_day=True) == at(4)


def test_the_local_time_of_day_is_kept_over_a_change_of_the_clocks() -> None:
    berlin = WorkingTime(Calendar("berlin", "Europe/Berlin", ((Window(0 * HOUR, 24 * HOUR),),) * 7))
    start = datetime(2026, 3, 28, 8, tzinfo=UTC)  # nine in the morning
    assert berlin.due_days(start, 1) == start + 23 * HOUR
    assert berlin.due_days(datetime(2026, 3, 28, 1, 30, tzinfo=UTC), 1) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_the_end_of_a_working_day_of_the_year_before_is_found() -> None:
    new_year = WorkingTime(NIGHT.calendar)
    assert new_year.due_days(datetime(2026, 1, 1, 2, tzinfo=UTC), 0, end_of_day=True) == datetime(
        2026, 1, 2, 6, tzinfo=UTC
    )
    eve_only = Calendar("eve", "UTC", NO_HOURS, date_overrides={date(2025, 12, 31): (Window(22 * HOUR, 30 * HOUR),)})
    end = WorkingTime(eve_only).due_days(datetime(2026, 1, 1, 2, tzinfo=UTC), 0, end_of_day=True)
    assert end == datetime(2026, 1, 1, 6, tzinfo=UTC)


@settings(max_examples=25, deadline=None)
@given(calendars(), exact_instants, few_days, pause_lists())
def test_a_target_is_open_and_not_before_the_start(
    calendar: Calendar, start: datetime, days: int, pauses: Pauses
) -> None:
    working = WorkingTime(calendar)
    target = working.due_days(start, days, pauses=pauses)
    assert target >= working.next_open(start)
    assert working.is_open(target)
    assert not any(paused < target < resumed for paused, resumed in pauses)


@settings(max_examples=25, deadline=None)
@given(calendars(), exact_instants, few_days, pause_lists())
def test_pauses_add_exactly_the_working_time_they_take_before_the_target(
    calendar: Calendar, start: datetime, days: int, pauses: Pauses
) -> None:
    working = WorkingTime(calendar)
    plain, paused = working.due_days(start, days), working.due_days(start, days, pauses=pauses)
    assert working.elapsed(start, paused, pauses) == working.elapsed(start, plain)
    assert paused >= plain


@settings(max_examples=25, deadline=None)
@given(calendars(), exact_instants, few_days, pause_lists())
def test_the_end_of_a_day_is_a_closing_after_the_target_outside_of_pauses(
    calendar: Calendar, start: datetime, days: int, pauses: Pauses
) -> None:
    working = WorkingTime(calendar)
    end = working.due_days(start, days, end_of_day=True, pauses=pauses)
    assert end > working.due_days(start, days, pauses=pauses)
    assert working.previous_close(end) == end
    assert not any(paused < end <= resumed for paused, resumed in pauses)


@settings(max_examples=25, deadline=None)
@given(calendars(), exact_instants, exact_instants, few_days, few_days)
def test_more_days_or_a_later_start_are_never_due_earlier(
    calendar: Calendar, one: datetime, other: datetime, days: int, more: int
) -> None:
    # Without changes of the clocks: a time of day that is left out moves past later ones that are not.
    working = WorkingTime(replace(calendar, timezone="Asia/Kathmandu"))
    start, later = sorted((one, other))
    for end_of_day in (False, True):
        due = working.due_days(start, days, end_of_day=end_of_day)
        assert due <= working.due_days(start, days + more, end_of_day=end_of_day)
        assert due <= working.due_days(later, days, end_of_day=end_of_day)
