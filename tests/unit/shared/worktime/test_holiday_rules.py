from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.worktime import Annual, Calendar, Easter, NthWeekday, Window, easter_sunday
from tests.campaign.reference import EASTER

MON, THU, SAT, SUN = 0, 3, 5, 6
NINE_TO_FIVE = Window(timedelta(hours=9), timedelta(hours=17))


def _calendar(**changes: object) -> Calendar:
    weekly = ((NINE_TO_FIVE,),) * 5 + ((), ())
    return Calendar(**{"name": "office", "timezone": "UTC", "weekly": weekly, **changes})  # type: ignore[arg-type]


def _holidays(calendar: Calendar, year: int) -> list[date]:
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return [day for day in days if day.year == year and calendar.is_holiday(day)]


@pytest.mark.parametrize("year", EASTER)
def test_easter_is_what_the_almanac_says(year: int) -> None:
    assert easter_sunday(year) == date(year, *EASTER[year])


@pytest.mark.parametrize(("year", "month", "day"), [(1818, 3, 22), (1943, 4, 25), (2285, 3, 22), (2038, 4, 25)])
def test_easter_reaches_its_earliest_and_its_latest_date(year: int, month: int, day: int) -> None:
    assert easter_sunday(year) == date(year, month, day)


@given(st.integers(1900, 2400))
def test_easter_is_a_sunday_of_spring(year: int) -> None:
    easter = easter_sunday(year)
    assert easter.weekday() == SUN
    assert date(year, 3, 22) <= easter <= date(year, 4, 25)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Easter(-2), date(2026, 4, 3)),
        (Easter(1), date(2026, 4, 6)),
        (NthWeekday(4, THU, 11), date(2026, 11, 26)),
        (NthWeekday(1, MON, 6), date(2026, 6, 1)),
        (NthWeekday(-1, MON, 5), date(2026, 5, 25)),
        (NthWeekday(-1, THU, 12), date(2026, 12, 31)),
        (NthWeekday(5, MON, 2), None),
        (Annual(2, 29), None),
        (Annual(2, 28), date(2026, 2, 28)),
    ],
)
def test_a_rule_gives_the_date_of_a_year_or_none(rule: Easter | NthWeekday | Annual, expected: date | None) -> None:
    assert rule.date_in(2026) == expected


@given(st.integers(1900, 2400), st.sampled_from([1, 2, 3, 4, 5, -1]), st.integers(0, 6), st.integers(1, 12))
def test_the_nth_weekday_is_that_weekday_in_its_week_of_the_month(
    year: int, nth: int, weekday: int, month: int
) -> None:
    day = NthWeekday(nth, weekday, month).date_in(year)
    if day is None:
        assert nth == 5
        return
    assert (day.weekday(), day.month) == (weekday, month)
    assert (day + timedelta(days=7)).month != month if nth < 0 else (day.day - 1) // 7 + 1 == nth


def test_a_holiday_on_a_weekend_closes_the_next_working_day_too() -> None:
    calendar = _calendar(annual_holidays=frozenset({(12, 25), (12, 26)}), substitute_on=frozenset({SAT, SUN}))
    assert _holidays(calendar, 2026) == [date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 28)]
    assert _holidays(calendar, 2027) == [date(2027, 12, day) for day in (25, 26, 27, 28)]


def test_a_holiday_on_another_day_has_no_substitute() -> None:
    calendar = _calendar(annual_holidays=frozenset({(12, 26)}), substitute_on=frozenset({SUN}))
    assert _holidays(calendar, 2026) == [date(2026, 12, 26)]


def test_a_substitute_passes_over_another_holiday() -> None:
    calendar = _calendar(holiday_rules=(Annual(4, 5), Easter(1)), substitute_on=frozenset({SUN}))
    assert _holidays(calendar, 2026) == [date(2026, 4, 5), date(2026, 4, 6), date(2026, 4, 7)]


def test_a_substitute_may_lie_in_the_next_year_and_push_its_first_holidays_on() -> None:
    calendar = _calendar(annual_holidays=frozenset({(12, 31), (1, 1)}), substitute_on=frozenset({SAT, SUN}))
    assert _holidays(calendar, 2023) == [date(2023, 1, day) for day in (1, 2, 3)] + [date(2023, 12, 31)]


def test_a_dated_holiday_in_the_place_of_a_substitute_is_the_published_one() -> None:
    calendar = _calendar(
        holidays=frozenset({date(2026, 8, 10)}), annual_holidays=frozenset({(8, 9)}), substitute_on=frozenset({SUN})
    )
    assert _holidays(calendar, 2026) == [date(2026, 8, 9), date(2026, 8, 10)]


def test_a_dated_holiday_has_no_substitute() -> None:
    calendar = _calendar(holidays=frozenset({date(2026, 8, 9)}), substitute_on=frozenset({SUN}))
    assert _holidays(calendar, 2026) == [date(2026, 8, 9)]


def test_a_calendar_without_working_days_of_the_week_has_no_substitutes() -> None:
    calendar = _calendar(
        weekly=((),) * 7,
        date_overrides={date(2026, 8, 10): (NINE_TO_FIVE,)},
        annual_holidays=frozenset({(8, 9)}),
        substitute_on=frozenset({SUN}),
    )
    assert _holidays(calendar, 2026) == [date(2026, 8, 9)]
