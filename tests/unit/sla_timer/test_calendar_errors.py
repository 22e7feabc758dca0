"""What the shipped calendars hold, and what is said about calendars that cannot be used."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.rules.calendars import read_calendars
from shared.rules.document import InvalidDocument
from tests.unit.sla_timer.test_policy_files import CALENDARS, SHIPPED


@pytest.mark.parametrize(
    ("calendar", "day", "hours"),
    [
        ("hong_kong", date(2026, 4, 3), 0),  # Good Friday
        ("hong_kong", date(2026, 4, 7), 0),  # the day after Easter Monday, in lieu
        ("hong_kong", date(2026, 4, 8), 9),
        ("mainland_china", date(2026, 2, 20), 0),  # Spring Festival, a day off made up for
        ("mainland_china", date(2026, 2, 28), 7.5),  # a Saturday worked instead
        ("mainland_china", date(2026, 3, 1), 0),
        ("mainland_china", date(2025, 10, 8), 0),
        ("mainland_china", date(2025, 10, 11), 7.5),
        ("taiwan", date(2025, 1, 27), 0),
        ("taiwan", date(2025, 2, 8), 8),  # made up for
        ("taiwan", date(2026, 10, 9), 0),  # National Day, observed
        ("taiwan", date(2026, 10, 12), 8),
    ],
)
def test_holidays_and_make_up_days_of_each_market_are_in_the_data(calendar: str, day: date, hours: float) -> None:
    working = SHIPPED.calendars[calendar]
    midnight = datetime(day.year, day.month, day.day, tzinfo=working.calendar.zone).astimezone(UTC)
    assert working.elapsed(midnight, midnight + timedelta(days=1)) == timedelta(hours=hours)


def test_every_shipped_calendar_says_until_when_it_is_known() -> None:
    assert {working.calendar.known_until for working in SHIPPED.calendars.values()} == {date(2026, 12, 31)}


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("timezone: Asia/Hong_Kong", "timezone: Asia/HongKong", "hong_kong.timezone", "there is no time zone"),
        ('mon: [["09:00", "18:00"]]', 'mon: [["18:00", "09:00"]]', "weekly.mon[0]", "must end after it starts"),
        ('mon: [["09:00", "18:00"]]', 'mon: [["9", "18:00"]]', "weekly.mon[0][0]", "is not a time of day"),
        ('mon: [["09:00", "18:00"]]', 'mon: [["09:00"]]', "weekly.mon[0]", "must be two times"),
        ("known_until: 2026-12-31", "known_until: forever", "hong_kong.known_until", "is not a date"),
        ("2025-01-29: Chinese", "2025-01-32: Chinese", "hong_kong.holidays.2025-01-32", "is not a date"),
        ('"12-25", "12-26"', '"13-25", "12-26"', "hong_kong.annual_holidays[4]", "is not a month and day"),
        ("hours_of: mon", "hours_of: monday", "makeup_days.hours_of", "must be one of mon"),
        ("2025-02-08: worked", "2025-02-03: worked", "mainland_china.makeup_days", "is a holiday or an override too"),
        ('["09:00", "12:00"], ["13:30"', '["09:00", "12:00"], ["11:30"', "mainland_china.weekly.mon[1]", "overlaps"),
    ],
)
def test_a_broken_calendar_is_named(old: str, new: str, field: str, message: str) -> None:
    assert old in CALENDARS
    with pytest.raises(InvalidDocument) as caught:
        read_calendars(CALENDARS.replace(old, new, 1), "calendars.yml")
    assert any(field in str(c) and message in str(c) for c in caught.value.complaints), str(caught.value)


def test_a_calendar_may_close_for_part_of_a_day_and_work_on_one_date_differently() -> None:
    text = """
format: 1
calendars:
  office:
    timezone: UTC
    known_until: 2026-12-31
    weekly: {mon: [["09:00", "18:00"]], fri: [["22:00", "30:00"]]}
    date_overrides: {2026-06-06: [["10:00", "12:00"]]}
    closures: [[2026-06-01T15:00, 2026-06-01T24:00]]
"""
    calendar = read_calendars(text, "calendars.yml")["office"]
    assert calendar.closures[0][1].day == 2
    assert len(calendar.windows_on(date(2026, 6, 6))) == 1
    for closure, message in [
        ("[2026-06-01T15:00]", "two local dates"),
        ("[2026-06-01T15:00, 2026-06-01T14:00]", "end"),
    ]:
        with pytest.raises(InvalidDocument, match=message):
            read_calendars(text.replace("[2026-06-01T15:00, 2026-06-01T24:00]", closure), "calendars.yml")


def test_a_calendar_without_open_time_is_refused() -> None:
    text = "format: 1\ncalendars:\n  none:\n    timezone: UTC\n    known_until: 2026-12-31\n    weekly: {}\n"
    with pytest.raises(InvalidDocument, match=r"calendars.yml, line 6, calendars.none.weekly: has no open time at all"):
        read_calendars(text, "calendars.yml")
