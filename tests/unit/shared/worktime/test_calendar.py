from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.errors import ConfigurationError
from shared.worktime import (
    ALWAYS_OPEN,
    NO_HOURS,
    Calendar,
    Easter,
    Window,
    WorkingTime,
    local_to_instant,
    parse_local,
    parse_time_of_day,
)

NINE_TO_FIVE = Window(timedelta(hours=9), timedelta(hours=17))


def _calendar(**changes: object) -> Calendar:
    weekly = ((NINE_TO_FIVE,),) * 5 + ((), ())
    return Calendar(**{"name": "office", "timezone": "Asia/Hong_Kong", "weekly": weekly, **changes})  # type: ignore[arg-type]


def test_a_calendar_without_any_open_time_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="office has no open time at all"):
        _calendar(weekly=((),) * 7)


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="opens at 17:00:00, closes 9:00:00"):
        _calendar(date_overrides={date(2026, 1, 1): (Window(timedelta(hours=17), timedelta(hours=9)),)})


@pytest.mark.parametrize("name", ["Asia/Nowhere", "", "../etc/passwd"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no time zone"):
        _calendar(timezone=name)


def test_a_holiday_beats_an_override() -> None:
    day = date(2026, 1, 5)
    assert _calendar(holidays=frozenset({day}), date_overrides={day: (NINE_TO_FIVE,)}).windows_on(day) == ()


def test_an_override_with_no_windows_closes_its_date() -> None:
    day = date(2026, 1, 5)
    assert _calendar(date_overrides={day: ()}).windows_on(day) == ()


def test_an_annual_holiday_returns_every_year() -> None:
    calendar = _calendar(annual_holidays=frozenset({(2, 29), (12, 25)}))
    assert calendar.is_holiday(date(2028, 2, 29))
    assert calendar.is_holiday(date(2031, 12, 25))
    assert not calendar.is_holiday(date(2027, 3, 1))


def test_no_holiday_of_any_sort_holds_on_a_date_that_is_worked() -> None:
    good_friday, christmas, dated = date(2026, 4, 3), date(2026, 12, 25), date(2026, 6, 19)
    calendar = _calendar(
        holidays=frozenset({dated}),
        annual_holidays=frozenset({(12, 25)}),
        holiday_rules=(Easter(-2),),
        worked_holidays=frozenset({good_friday, christmas, dated}),
    )
    assert [calendar.windows_on(day) for day in (good_friday, christmas, dated)] == [(NINE_TO_FIVE,)] * 3
    assert calendar.is_holiday(date(2027, 3, 26))


def test_extra_hours_open_in_spite_of_a_holiday_and_a_closure_beats_them() -> None:
    calendar = _calendar(
        timezone="UTC",
        holidays=frozenset({date(2026, 6, 19)}),
        extra_hours=((parse_local("2026-06-19T10:00"), parse_local("2026-06-19T14:00")),),
        closures=((parse_local("2026-06-19T12:00"), parse_local("2026-06-19T13:00")),),
    )
    day = datetime(2026, 6, 19, tzinfo=UTC)
    hours = [(start.hour, end.hour) for start, end in WorkingTime(calendar).windows(day, day + timedelta(days=1))]
    assert hours == [(10, 12), (13, 14)]


def test_a_calendar_of_extra_hours_alone_opens() -> None:
    once = _calendar(weekly=NO_HOURS, extra_hours=((parse_local("2026-06-19T10:00"), parse_local("2026-06-19T14:00")),))
    assert WorkingTime(once).next_open(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 6, 19, 2, tzinfo=UTC)


def test_only_a_calendar_that_never_closes_is_always_open() -> None:
    assert ALWAYS_OPEN.is_always_open
    whole_week = ALWAYS_OPEN.weekly
    assert _calendar(weekly=whole_week).is_always_open
    assert not _calendar().is_always_open
    assert not _calendar(weekly=whole_week, holidays=frozenset({date(2026, 1, 1)})).is_always_open
    assert not _calendar(weekly=whole_week, holiday_rules=(Easter(0),)).is_always_open
    assert not _calendar(weekly=whole_week, date_overrides={date(2026, 1, 1): ()}).is_always_open


def test_a_calendar_is_known_to_the_end_of_its_last_local_date() -> None:
    calendar = _calendar(known_until=date(2026, 12, 31))
    assert calendar.is_known_at(datetime(2026, 12, 31, 15, 59, tzinfo=UTC))
    assert not calendar.is_known_at(datetime(2026, 12, 31, 16, 0, tzinfo=UTC))


def test_a_local_time_in_a_spring_gap_moves_forward_by_the_length_of_the_gap() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert local_to_instant(berlin, parse_local("2026-03-29T02:30")) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_local_time_in_an_autumn_fold_is_its_first_occurrence() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert local_to_instant(berlin, parse_local("2026-10-25T02:30")) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hours"), [("00:00", 0), ("09:30", 9.5), ("24:00", 24), ("31:00", 31), ("48:00", 48), ("00:00:36", 0.01)]
)
def test_a_time_of_day_may_lie_in_the_next_day(text: str, hours: float) -> None:
    assert parse_time_of_day(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["9:00", "09:60", "48:01", "09.00", "", "nine"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time of day|past the end"):
        parse_time_of_day(text)


def test_twenty_four_hours_on_a_date_is_the_midnight_after_it() -> None:
    assert parse_local("2026-02-28T24:00") == parse_local("2026-03-01T00:00")


@pytest.mark.parametrize("text", ["2026-02-28", "2026-02-30T10:00", "tomorrow T10:00"])
def test_what_is_no_local_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_local(text)
