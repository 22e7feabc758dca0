"""What calendars.yml can say, and what is said about one that is wrong."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import services.sla_timer
from punctual.commands.calendar import read_library
from shared.rules.calendars import read_calendars
from shared.rules.document import InvalidDocument
from shared.worktime import Calendar, WorkingTime

SHIPPED = (Path(services.sla_timer.__file__).with_name("data") / "calendars.yml").read_text(encoding="utf-8")
OFFICE = """\
format: 1
calendars:
  office:
    timezone: Asia/Hong_Kong
    known_until: 2027-12-31
    weekly: {mon: [["09:00", "18:00"]], tue: [["09:00", "18:00"]], wed: [["09:00", "18:00"]], fri: [["22:00", "30:00"]]}
    holidays: {2026-06-01: a Monday}
    annual_holidays: ["12-25"]
"""
HOTLINE = """\
  hotline:
    timezone: Asia/Hong_Kong
    known_until: 2026-12-31
    weekly: {mon: [["08:00", "20:00"]], sat: [["10:00", "14:00"]]}
"""


def read(text: str) -> dict[str, Calendar]:
    return read_calendars(text, "calendars.yml")


def complaints(text: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        read(text)
    return [str(complaint) for complaint in caught.value.complaints]


def hours(calendar: Calendar, day: date) -> list[str]:
    """The open time of a local date."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=calendar.zone)
    windows = WorkingTime(calendar).windows(midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC))
    return ["-".join(f"{at.astimezone(calendar.zone):%H:%M}" for at in window) for window in windows]


# The shipped calendars


@pytest.mark.parametrize(
    ("name", "country", "more"),
    [
        ("hong_kong", "HK", set()),
        ("mainland_china", "CN", set()),
        ("taiwan", "TW", {date(2025, 5, 1)}),  # Labour Day, for all offices only since 2026
        ("macau", "MO", set()),
        ("singapore", "SG", set()),
    ],
)
def test_a_shipped_calendar_has_the_dates_that_the_import_prints(name: str, country: str, more: set[date]) -> None:
    calendar, found = read(SHIPPED)[name], read_library(country, range(2025, 2027))
    assert calendar.holidays == found.holidays.keys() | more
    assert calendar.date_overrides.keys() == found.makeup_days.keys()
    assert calendar.known_until == found.known_until


def test_what_is_fixed_or_computed_serves_when_no_dates_are_published_yet() -> None:
    calendars = read(SHIPPED)
    assert hours(calendars["singapore"], date(2027, 3, 26)) == []  # Good Friday
    assert hours(calendars["singapore"], date(2032, 5, 3)) == ["09:00-18:00"]  # Labour Day was a Saturday
    assert hours(calendars["singapore"], date(2033, 5, 2)) == []  # and now a Sunday
    assert hours(calendars["macau"], date(2028, 4, 14)) == []
    assert hours(calendars["macau"], date(2028, 4, 13)) == ["09:00-13:00", "14:30-18:00"]


@pytest.mark.parametrize("name", ["hong_kong", "mainland_china", "taiwan", "macau", "singapore"])
def test_no_computed_holiday_falls_on_a_working_day_of_a_published_year(name: str) -> None:
    calendar = read(SHIPPED)[name]
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(2 * 365)]
    workdays = [day for day in days if calendar.weekly[day.weekday()]]
    assert [day for day in workdays if calendar.is_holiday(day) and day not in calendar.holidays] == []


# Dates that differ


def test_holidays_are_computed_from_easter_by_weekday_or_by_date() -> None:
    rules = """\
    computed_holidays:
      Easter Monday: {easter: +1}
      Second Tuesday: {nth: 2, weekday: tue, month: 6}
      Last Wednesday: {nth: last, weekday: wed, month: 6}
      Midsummer: {date: 06-24}
"""
    office = read(OFFICE + rules)["office"]
    closed = [date(2026, 4, 6), date(2026, 6, 9), date(2026, 6, 24)]
    assert [day for day in closed if office.is_holiday(day)] == closed
    assert not office.is_holiday(date(2026, 6, 17))


def test_a_holiday_on_a_weekend_may_have_a_substitute() -> None:
    office = read(OFFICE.replace('["12-25"]', '["12-26"]') + "    substitute_on: [sat, sun]\n")["office"]
    assert office.is_holiday(date(2026, 12, 28))
    assert not office.is_holiday(date(2026, 12, 29))


def test_a_holiday_may_be_worked_and_hours_may_be_added() -> None:
    more = """\
    worked_holidays: {2026-06-01: stocktaking}
    extra_hours: [[2026-06-02T19:00, 2026-06-02T21:00], [2026-06-06T10:00, 2026-06-06T12:00]]
"""
    office = read(OFFICE + more)["office"]
    assert hours(office, date(2026, 6, 1)) == ["09:00-18:00"]
    assert hours(office, date(2026, 6, 2)) == ["09:00-18:00", "19:00-21:00"]
    assert hours(office, date(2026, 6, 6)) == ["00:00-06:00", "10:00-12:00"]


# Calendars on others


def test_a_calendar_based_on_another_has_its_hours_and_dates_and_own_ones() -> None:
    based = """\
  branch:
    based_on: office
    holidays: {2026-06-02: moving}
    makeup_days: {hours_of: mon, dates: {2026-06-06: worked for 2026-06-02}}
    date_overrides: {2026-12-25: [["10:00", "12:00"]], 2026-06-01: [["10:00", "11:00"]]}
"""
    branch = read(OFFICE + based)["branch"]
    assert (branch.timezone, branch.known_until) == ("Asia/Hong_Kong", date(2027, 12, 31))
    assert hours(branch, date(2026, 6, 1)) == ["10:00-11:00"]
    assert hours(branch, date(2026, 6, 2)) == []
    assert hours(branch, date(2026, 6, 3)) == ["09:00-18:00"]
    assert hours(branch, date(2026, 6, 6)) == ["00:00-06:00", "09:00-18:00"]
    assert hours(branch, date(2026, 12, 25)) == ["10:00-12:00"]
    assert hours(branch, date(2028, 12, 25)) == []


def test_a_calendar_based_on_another_may_have_hours_and_a_zone_of_its_own_and_be_known_for_less_long() -> None:
    based = """\
  berlin:
    based_on: office
    timezone: Europe/Berlin
    known_until: 2026-06-30
    weekly: {mon: [["08:00", "12:00"]]}
"""
    berlin = read(OFFICE + based)["berlin"]
    assert hours(berlin, date(2026, 6, 8)) == ["08:00-12:00"]
    assert hours(berlin, date(2026, 6, 1)) == []
    assert berlin.known_until == date(2026, 6, 30)


def test_a_calendar_may_be_open_when_any_or_when_all_of_others_are() -> None:
    combined = HOTLINE + "  either: {any_of: [office, hotline]}\n  both: {all_of: [office, hotline]}\n"
    calendars = read(OFFICE + combined)
    assert hours(calendars["either"], date(2026, 6, 8)) == ["08:00-20:00"]
    assert hours(calendars["either"], date(2026, 6, 13)) == ["00:00-06:00", "10:00-14:00"]
    assert hours(calendars["both"], date(2026, 6, 8)) == ["09:00-18:00"]
    assert hours(calendars["both"], date(2026, 6, 1)) == []
    assert {calendars["either"].known_until, calendars["both"].known_until} == {date(2026, 12, 31)}


def test_a_combined_calendar_may_close_on_dates_of_its_own_and_be_the_base_of_another() -> None:
    combined = HOTLINE + (
        "  either: {any_of: [office, hotline], holidays: {2026-06-08: outing}}\n"
        "  late: {based_on: either, extra_hours: [[2026-06-08T20:00, 2026-06-08T22:00]]}\n"
    )
    calendars = read(OFFICE + combined)
    assert hours(calendars["either"], date(2026, 6, 8)) == []
    assert hours(calendars["late"], date(2026, 6, 8)) == ["20:00-22:00"]
    assert hours(calendars["late"], date(2026, 6, 15)) == ["08:00-20:00"]


def test_the_order_of_calendars_means_nothing() -> None:
    first, _, rest = OFFICE.partition("  office:")
    calendars = read(f"{first}  branch: {{based_on: office}}\n  office:{rest}")
    assert list(calendars) == ["branch", "office"]
    assert calendars["branch"].weekly == calendars["office"].weekly


def test_the_examples_of_the_page_are_calendars() -> None:
    page = (Path(__file__).parents[3] / "docs/howto/change-a-calendar.md").read_text(encoding="utf-8")
    calendars = read("".join(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)))
    assert list(calendars) == ["office", "branch", "hotline", "handover"]
    assert calendars["handover"].known_until == date(2027, 12, 31)


# What is wrong


@pytest.mark.parametrize(
    ("added", "field", "message"),
    [
        ("    computed_holidays: [easter]", "office.computed_holidays", "must be a mapping"),
        ("    computed_holidays: {x: {easter: soon}}", "office.computed_holidays.x.easter", "must be a number of days"),
        ("    computed_holidays: {x: {easter: 400}}", "office.computed_holidays.x.easter", "at most 120 either way"),
        ("    computed_holidays: {x: {nth: 6, weekday: mon, month: 1}}", "x.nth", "must be one of 1, 2"),
        ("    computed_holidays: {x: {nth: 1, weekday: day, month: 1}}", "x.weekday", "must be one of mon"),
        ("    computed_holidays: {x: {nth: 1, weekday: mon, month: 13}}", "x.month", "must be a month from 1 to 12"),
        ("    computed_holidays: {x: {nth: 1, weekday: mon}}", "computed_holidays.x", "month is missing"),
        ("    computed_holidays: {x: {date: 02-30}}", "x.date", "is not a month and day"),
        ("    computed_holidays: {x: {moon: full}}", "x.moon", "known are date, easter, month, nth, weekday"),
        ("    substitute_on: [weekend]", "office.substitute_on[0]", "must be one of mon"),
        ("    worked_holidays: {someday: x}", "office.worked_holidays.someday", "is not a date"),
        ("    extra_hours: [[2026-06-06T10:00]]", "office.extra_hours[0]", "must be two local dates with times"),
        (
            "    extra_hours: [[2026-06-06T10:00, 2026-06-06T09:00]]",
            "office.extra_hours[0]",
            "must end after it starts",
        ),
        ("    extra_hours: [[2026-06-06T10:00, later]]", "office.extra_hours[0][1]", "is not a local date and time"),
        ("    based_on: hotline\n    any_of: [hotline]", "office", "can have only one of weekly, based_on, any_of"),
        ("  x: {based_on: nowhere}", "x.based_on", "there is no calendar 'nowhere'; known are office, x"),
        ("  x: {any_of: [office, nowhere]}", "x.any_of[1]", "there is no calendar 'nowhere'"),
        ("  x: {all_of: []}", "x.all_of", "needs at least one calendar"),
        ("  x: {all_of: office}", "x.all_of", "must be a list"),
        ("  x: {timezone: UTC}", "x", "weekly is missing, or one of based_on, any_of, all_of"),
        ("  x: {based_on: office, weekly: {}}", "x.weekly", "has no open time at all"),
        ("  x: {based_on: office, timezone: Mars}", "x.timezone", "there is no time zone 'Mars'"),
        ("  x: {any_of: [office], timezone: Mars}", "x.timezone", "there is no time zone 'Mars'"),
        ("  x: {any_of: [office], known_until: soon}", "x.known_until", "is not a date"),
        ("  x: {any_of: [office], makeup_days: {hours_of: mon, dates: {2026-06-06: y}}}", "x.makeup_days", "no weekly"),
    ],
)
def test_an_error_names_file_line_and_field(added: str, field: str, message: str) -> None:
    text = f"{OFFICE}{added}\n"
    line = len(OFFICE.splitlines()) + 1
    (found,) = complaints(text)
    assert found.startswith("calendars.yml, line ")
    assert f"{field}: " in found
    assert message in found
    if field != "office":
        assert f"line {line}, calendars." in found


def test_calendars_that_go_round_in_a_circle_are_refused() -> None:
    circle = "  a: {based_on: b}\n  b: {any_of: [office, c]}\n  c: {all_of: [a]}\n"
    assert complaints(OFFICE + circle + "  d: {based_on: d}\n") == [
        "calendars.yml, line 11, calendars.c.all_of[0]: goes round in a circle: a -> b -> c -> a",
        "calendars.yml, line 12, calendars.d.based_on: goes round in a circle: d -> d",
    ]


def test_an_error_of_another_calendar_is_named_once_and_who_needs_it_too() -> None:
    broken = OFFICE.replace("Asia/Hong_Kong", "Asia/HongKong")
    assert complaints(broken + "  a: {based_on: office}\n") == [
        "calendars.yml, line 4, calendars.office.timezone: there is no time zone 'Asia/HongKong'",
        "calendars.yml, line 9, calendars.a.based_on: calendar office cannot be used, it has an error of its own",
    ]
    first, _, rest = broken.partition("  office:")
    assert len(complaints(f"{first}  a: {{based_on: office}}\n  office:{rest}")) == 1


def test_calendars_that_are_never_open_together_are_refused() -> None:
    never = "  night: {based_on: office, weekly: {mon: [['20:00', '24:00']]}}\n  x: {all_of: [office, night]}\n"
    (found,) = complaints(OFFICE + never)
    assert "calendars.x.all_of: has no open time at all; its parts are never open together" in found


def test_parts_in_several_zones_need_a_zone_of_the_whole() -> None:
    berlin = "  berlin: {based_on: office, timezone: Europe/Berlin}\n"
    (found,) = complaints(f"{OFFICE}{berlin}  x: {{any_of: [office, berlin]}}\n")
    assert "calendars.x: timezone is missing; its parts are in Asia/Hong_Kong, Europe/Berlin" in found
    world = read(f"{OFFICE}{berlin}  x: {{any_of: [office, berlin], timezone: UTC}}\n")["x"]
    assert hours(world, date(2026, 6, 10)) == ["01:00-16:00"]  # nine in Hong Kong to six in Berlin
