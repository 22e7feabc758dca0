from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.errors import ConfigurationError
from shared.worktime import ALWAYS_OPEN, Calendar, Window, WorkingTime, elapsed_across, parse_local

HOUR = timedelta(hours=1)
OFFICE = WorkingTime(
    Calendar(
        name="office",
        timezone="UTC",
        weekly=((Window(9 * HOUR, 12 * HOUR), Window(13 * HOUR, 18 * HOUR)),) * 5 + ((), ()),
        holidays=frozenset({date(2026, 6, 3)}),
        date_overrides={date(2026, 6, 6): (Window(9 * HOUR, 12 * HOUR),)},
        closures=((parse_local("2026-06-04T16:00"), parse_local("2026-06-05T10:00")),),
    )
)
NIGHT = WorkingTime(
    Calendar(
        name="night",
        timezone="UTC",
        weekly=((Window(22 * HOUR, 30 * HOUR),),) * 7,
        holidays=frozenset({date(2026, 6, 3)}),
    )
)


def at(day: int, hour: float = 0) -> datetime:
    """June 2026; the first is a Monday."""
    return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour)


def test_a_budget_that_runs_out_at_closing_is_due_at_closing() -> None:
    assert OFFICE.due(at(1, 13), 5 * HOUR) == at(1, 18)


def test_a_budget_of_nothing_is_due_at_its_start_even_when_closed() -> None:
    assert OFFICE.due(at(6, 20), timedelta(0)) == at(6, 20)


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        OFFICE.due(at(1), -HOUR)
    with pytest.raises(ValueError, match="negative"):
        OFFICE.due_back(at(1), -HOUR)


def test_a_budget_passes_over_lunch_holiday_closure_and_weekend_and_uses_the_make_up_day() -> None:
    # Tue 8 h, Wed holiday, Thu 6 h until the closure, Fri 7 h after it, Sat make-up 3 h, Mon
    assert OFFICE.due(at(2, 9), 25 * HOUR) == at(8, 10)


def test_the_answer_is_utc_whatever_zone_the_question_has() -> None:
    zoned = at(1, 13).astimezone(tz=datetime.fromisoformat("2026-01-01T00:00+08:00").tzinfo)
    assert OFFICE.due(zoned, HOUR) == at(1, 14)
    assert OFFICE.due(zoned, HOUR).tzinfo is UTC


def test_a_pause_moves_the_deadline_by_its_working_time_only() -> None:
    assert OFFICE.due(at(1, 9), 4 * HOUR, [(at(1, 11), at(1, 13.5))]) == at(1, 15.5)
    assert OFFICE.due(at(1, 9), 4 * HOUR, [(at(1, 12), at(1, 13))]) == at(1, 14)


def test_overlapping_pauses_count_once() -> None:
    assert OFFICE.due(at(1, 9), 2 * HOUR, [(at(1, 10), at(1, 11)), (at(1, 9.5), at(1, 10.5))]) == at(1, 13.5)


def test_a_pause_after_the_deadline_moves_nothing() -> None:
    assert OFFICE.due(at(1, 9), 2 * HOUR, [(at(1, 11), at(1, 18))]) == at(1, 11)


def test_only_what_a_pause_takes_after_the_start_moves_the_deadline() -> None:
    assert OFFICE.due(at(1, 9), 2 * HOUR, [(at(1, 1), at(1, 10))]) == at(1, 12)
    assert OFFICE.due(at(1, 9), 2 * HOUR, [(at(1, 1), at(1, 8))]) == at(1, 11)


def test_a_night_shift_belongs_to_the_date_it_starts_on() -> None:
    assert NIGHT.elapsed(at(1, 20), at(2, 8)) == 8 * HOUR


def test_a_holiday_closes_its_date_and_the_shift_that_would_start_on_it() -> None:
    assert NIGHT.windows(at(2, 21), at(5, 0)) == [(at(2, 22), at(3, 0)), (at(4, 22), at(5, 0))]


def test_time_runs_back_from_the_end_to_the_latest_start() -> None:
    assert OFFICE.due_back(at(8, 9), 3 * HOUR) == at(6, 9)
    assert OFFICE.due_back(at(8, 9), timedelta(0)) == at(8, 9)
    assert OFFICE.due_back(at(8, 10), HOUR) == at(8, 9)


def test_a_pause_moves_the_latest_start_back_by_its_working_time() -> None:
    assert OFFICE.due_back(at(2, 12), 2 * HOUR, [(at(2, 10), at(2, 11))]) == at(2, 9)
    assert OFFICE.due_back(at(2, 12), 3 * HOUR, [(at(2, 10), at(2, 11))]) == at(1, 17)
    assert OFFICE.due_back(at(2, 12), 2 * HOUR, [(at(2, 8), at(2, 10)), (at(2, 12), at(2, 15))]) == at(2, 10)


def test_the_last_closing_of_an_instant_until_which_it_is_open_is_itself() -> None:
    assert OFFICE.previous_close(at(1, 10)) == at(1, 10)
    assert OFFICE.previous_close(at(1, 12)) == at(1, 12)
    assert OFFICE.previous_close(at(8, 9)) == at(6, 12)


def test_the_next_opening_of_an_open_instant_is_itself() -> None:
    assert OFFICE.next_open(at(1, 10)) == at(1, 10)
    assert OFFICE.next_open(at(1, 12)) == at(1, 13)
    assert OFFICE.next_open(at(6, 12)) == at(8, 9)


def test_opening_is_included_and_closing_is_not() -> None:
    assert OFFICE.is_open(at(1, 9))
    assert not OFFICE.is_open(at(1, 12))


def test_nothing_elapses_and_nothing_is_open_backwards() -> None:
    assert OFFICE.elapsed(at(2), at(1)) == timedelta(0)
    assert OFFICE.windows(at(2), at(1)) == []


def test_elapsed_time_is_working_time_that_never_closes() -> None:
    always = WorkingTime(ALWAYS_OPEN)
    assert always.due(at(1, 3), timedelta(days=1000)) == at(1, 3) + timedelta(days=1000)
    assert always.elapsed(datetime(1980, 1, 1, tzinfo=UTC), at(1)) == at(1) - datetime(1980, 1, 1, tzinfo=UTC)
    assert always.windows(at(1, 3), at(2)) == [(at(1, 3), at(2))]


def test_a_budget_of_decades_is_answered() -> None:
    decades = OFFICE.due(at(1, 9), 40 * 2000 * HOUR)
    assert OFFICE.elapsed(at(1, 9), decades) == 40 * 2000 * HOUR


def test_a_calendar_that_opens_on_one_date_only_runs_out() -> None:
    once = Calendar("once", "UTC", ((),) * 7, date_overrides={date(2026, 6, 6): (Window(9 * HOUR, 12 * HOUR),)})
    working = WorkingTime(once)
    assert working.due(at(1), 3 * HOUR) == at(6, 12)
    assert working.due_back(at(30), 3 * HOUR) == at(6, 9)
    with pytest.raises(ConfigurationError, match="once has too little open time"):
        working.due(at(1), 4 * HOUR)
    with pytest.raises(ConfigurationError, match="once has too little open time"):
        working.due_back(at(30), 4 * HOUR)
    with pytest.raises(ConfigurationError, match="once has too little open time"):
        working.next_open(at(7))
    with pytest.raises(ConfigurationError, match="once has too little open time"):
        working.previous_close(at(6, 9))


def test_a_year_that_no_calendar_is_laid_out_for_is_refused() -> None:
    for year in (1850, 2450):
        with pytest.raises(ConfigurationError, match=f"office cannot tell about the year {year}"):
            OFFICE.is_open(datetime(year, 6, 1, tzinfo=UTC))


def test_two_times_of_one_zone_are_instants_too() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = datetime(2026, 3, 29, 0, tzinfo=berlin), datetime(2026, 3, 30, 0, tzinfo=berlin)
    always = WorkingTime(ALWAYS_OPEN)
    assert always.elapsed(start, end) == 23 * HOUR
    assert always.due(start, 23 * HOUR) == end
    assert always.due(start, 23 * HOUR).tzinfo is UTC


@pytest.mark.parametrize("working", [OFFICE, WorkingTime(ALWAYS_OPEN)], ids=["office", "always"])
def test_a_time_without_zone_is_no_instant(working: WorkingTime) -> None:
    with pytest.raises(TypeError):
        working.due(datetime(2026, 6, 1), HOUR)  # noqa: DTZ001
    with pytest.raises(TypeError):
        working.elapsed(datetime(2026, 6, 1), datetime(2026, 6, 2))  # noqa: DTZ001


def test_elapsed_time_does_not_run_on_in_a_pause() -> None:
    always = WorkingTime(ALWAYS_OPEN)
    assert always.due(at(1), 5 * HOUR, [(at(1, 2), at(1, 4))]) == at(1, 7)
    assert always.elapsed(at(1), at(1, 7), [(at(1, 2), at(1, 4))]) == 5 * HOUR


def test_a_shift_over_new_year_is_one_window() -> None:
    start, end = datetime(2026, 12, 31, 20, tzinfo=UTC), datetime(2027, 1, 1, 9, tzinfo=UTC)
    expected = [(start + 2 * HOUR, start + 10 * HOUR)]
    forward, backward = WorkingTime(NIGHT.calendar), WorkingTime(NIGHT.calendar)
    forward.is_open(start)
    backward.is_open(end)
    assert forward.windows(start, end) == backward.windows(start, end) == expected
    assert forward.elapsed(start, end) == backward.elapsed(start, end) == 8 * HOUR


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    asked = WorkingTime(OFFICE.calendar)
    for year in (2026, 1999, 2050, 2010):
        start = datetime(year, 5, 4, 10, tzinfo=UTC)
        end = start + timedelta(days=400)
        fresh = WorkingTime(OFFICE.calendar)
        assert asked.elapsed(start, end) == fresh.elapsed(start, end)
        assert asked.due(start, 500 * HOUR) == fresh.due(start, 500 * HOUR)
        assert asked.due_back(start, 5000 * HOUR) == fresh.due_back(start, 5000 * HOUR)


def test_time_counts_on_the_calendar_that_holds() -> None:
    always = WorkingTime(ALWAYS_OPEN)
    changes = [(at(1), OFFICE), (at(2), always)]
    assert elapsed_across(changes, at(1, 17), at(2, 3)) == HOUR + 3 * HOUR
    assert elapsed_across(changes, at(1, 17), at(2, 3), [(at(1, 17.5), at(2, 1))]) == HOUR / 2 + 2 * HOUR


def test_a_day_of_twenty_three_hours_has_twenty_three() -> None:
    berlin = WorkingTime(Calendar("berlin", "Europe/Berlin", ((Window(timedelta(0), 24 * HOUR),),) * 7))
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert berlin.elapsed(start, start + 23 * HOUR) == 23 * HOUR
    sunday = WorkingTime(Calendar("sunday", "Europe/Berlin", ((),) * 6 + ((Window(timedelta(0), 24 * HOUR),),)))
    assert sunday.elapsed(start - 24 * HOUR, start + 48 * HOUR) == 23 * HOUR
