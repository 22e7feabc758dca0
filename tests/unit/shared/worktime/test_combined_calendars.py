"""Calendars that take their hours from others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings

from shared.errors import ConfigurationError
from shared.worktime import (
    ALWAYS_OPEN,
    NO_HOURS,
    Calendar,
    Combination,
    Window,
    WorkingTime,
    has_open_time,
    intersection,
    union,
)
from tests.unit.shared.worktime.calendar_strategies import calendars

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
OFFICE = Calendar("office", "UTC", ((Window(9 * HOUR, 17 * HOUR),),) * 5 + ((), ()), known_until=date(2027, 12, 31))
LATE = Calendar("late", "UTC", ((Window(14 * HOUR, 22 * HOUR),),) * 7, known_until=date(2026, 12, 31))
NIGHT = Calendar("night", "UTC", ((Window(22 * HOUR, 30 * HOUR),),) * 5 + ((), ()))


def _combined(combination: Combination, *parts: Calendar, timezone: str = "UTC", **own: object) -> WorkingTime:
    return WorkingTime(
        Calendar("both", timezone, NO_HOURS, parts=parts, combination=combination, **own)  # type: ignore[arg-type]
    )


def _hours(working: WorkingTime, day: int) -> list[tuple[float, float]]:
    start = MONDAY + timedelta(days=day - 1)
    return [((a - start) / HOUR, (b - start) / HOUR) for a, b in working.windows(start, start + timedelta(days=1))]


def test_any_of_is_open_when_one_is() -> None:
    either = _combined(Combination.ANY, OFFICE, LATE)
    assert _hours(either, 1) == [(9, 22)]
    assert _hours(either, 6) == [(14, 22)]


def test_all_of_is_open_when_every_one_is() -> None:
    both = _combined(Combination.ALL, OFFICE, LATE)
    assert _hours(both, 1) == [(14, 17)]
    assert _hours(both, 6) == []


@settings(max_examples=20, deadline=None)
@given(calendars(), calendars())
def test_the_open_time_is_the_union_or_the_intersection_of_that_of_the_parts(one: Calendar, other: Calendar) -> None:
    start, end = MONDAY - timedelta(days=70), MONDAY - timedelta(days=40)
    apart = [WorkingTime(part).windows(start, end) for part in (one, other)]
    any_of = _combined(Combination.ANY, one, other, timezone="Asia/Hong_Kong")
    assert any_of.windows(start, end) == union([*apart[0], *apart[1]])
    if intersection(*apart):
        all_of = _combined(Combination.ALL, one, other, timezone="Asia/Hong_Kong")
        assert all_of.windows(start, end) == intersection(*apart)


def test_parts_in_other_zones_keep_their_own_hours() -> None:
    hong_kong = Calendar("hk", "Asia/Hong_Kong", ((Window(9 * HOUR, 18 * HOUR),),) * 5 + ((), ()))
    follow_the_sun = _combined(Combination.ANY, hong_kong, OFFICE, timezone="Asia/Hong_Kong")
    assert _hours(follow_the_sun, 1) == [(1, 17)]


def test_own_holidays_closures_and_overrides_hold_over_the_hours_of_the_parts() -> None:
    either = _combined(
        Combination.ANY,
        OFFICE,
        LATE,
        holidays=frozenset({date(2026, 6, 1)}),
        date_overrides={date(2026, 6, 2): (Window(6 * HOUR, 7 * HOUR),)},
        closures=((datetime(2026, 6, 3, 10), datetime(2026, 6, 3, 20)),),  # noqa: DTZ001  # local
    )
    assert [_hours(either, day) for day in (1, 2, 3)] == [[], [(6, 7)], [(9, 10), (20, 22)]]


def test_it_is_known_no_longer_than_each_of_its_parts() -> None:
    assert _combined(Combination.ANY, OFFICE, LATE, NIGHT).calendar.known_until == date(2026, 12, 31)
    early = _combined(Combination.ANY, OFFICE, LATE, known_until=date(2026, 6, 30))
    assert early.calendar.known_until == date(2026, 6, 30)
    assert _combined(Combination.ANY, NIGHT).calendar.known_until is None


def test_parts_that_are_never_open_together_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="both has no open time at all; its parts never meet"):
        _combined(Combination.ALL, OFFICE, NIGHT)


def test_parts_that_meet_on_one_date_only_do_meet() -> None:
    once = Calendar("once", "UTC", NO_HOURS, date_overrides={date(2031, 6, 3): (Window(23 * HOUR, 24 * HOUR),)})
    both = Calendar("both", "UTC", NO_HOURS, parts=(once, NIGHT), combination=Combination.ALL)
    assert has_open_time(both)


def test_a_working_day_of_any_of_is_one_of_a_part_and_ends_with_the_last_of_them() -> None:
    round_the_clock = _combined(Combination.ANY, OFFICE, LATE, NIGHT)
    assert round_the_clock.due_days(MONDAY + 10 * HOUR, 1, end_of_day=True) == MONDAY + timedelta(days=2, hours=6)
    assert round_the_clock.due_days(MONDAY + timedelta(days=4, hours=10), 1) == MONDAY + timedelta(days=5, hours=14)


def test_a_night_shift_keeps_its_date_where_another_calendar_never_closes() -> None:
    always = _combined(Combination.ALL, NIGHT, ALWAYS_OPEN)
    friday_night = MONDAY + timedelta(days=4, hours=23)
    assert always.due_days(friday_night, 0, end_of_day=True) == MONDAY + timedelta(days=5, hours=6)
    assert always.due_days(friday_night, 1) == MONDAY + timedelta(days=7, hours=23)


def test_a_combination_may_be_part_of_another() -> None:
    either = _combined(Combination.ANY, OFFICE, NIGHT).calendar
    nested = _combined(Combination.ALL, either, LATE)
    assert _hours(nested, 1) == [(14, 17)]
