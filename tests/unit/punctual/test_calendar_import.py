"""``punctual calendar import``: what the library knows, and no more than that."""

from __future__ import annotations

import json
from datetime import date

import pytest
import yaml
from typer.testing import CliRunner, Result

from punctual.cli import make_app
from punctual.commands.calendar import as_yaml, read_library


def run(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(["calendar"]), ["calendar", "import", *arguments])


def test_general_holidays_of_hong_kong_are_printed_as_the_fields_of_a_calendar() -> None:
    result = run("--country", "HK", "--years", "2026-2027", "--name", "hong_kong")
    assert result.exit_code == 0
    assert result.stdout.startswith("  hong_kong:\n    known_until: 2027-12-31\n    holidays:\n      2026-01-01: New")
    read = yaml.safe_load(result.stdout)["hong_kong"]
    assert date(2026, 4, 3) in read["holidays"]  # Good Friday, which is a general holiday only
    assert date(2026, 4, 7) in read["holidays"]
    assert "makeup_days" not in read
    assert result.stderr == ""


def test_a_day_off_names_the_make_up_day_and_the_other_way_round() -> None:
    read = yaml.safe_load("\n".join(as_yaml(read_library("CN", range(2026, 2027)), "china")))["china"]
    assert read["makeup_days"]["hours_of"] == "mon"
    assert read["makeup_days"]["dates"][date(2026, 2, 28)] == "worked for 2026-02-23"
    assert read["holidays"][date(2026, 2, 23)] == "Day off (substituted from 02/28/2026)"


@pytest.mark.parametrize("country", ["CN", "TW"])
@pytest.mark.parametrize("years", ["2026-2027", "2027", "2027-2040", "2035"])
def test_it_is_known_no_longer_than_make_up_days_are_published(country: str, years: str) -> None:
    result = run("--country", country, "--years", years)
    assert result.exit_code == 0
    assert result.stdout.startswith("    known_until: 2026-12-31\n")
    assert f"warning: the library knows the make-up working days of {country} until 2026 only" in result.stderr


def test_it_is_known_no_longer_than_holidays_are_certain() -> None:
    found = read_library("SG", range(2026, 2030))
    assert found.known_until == date(2027, 12, 31)
    assert found.warnings == ("some holidays of SG are estimated from 2028 on; known_until ends with 2027",)
    assert read_library("SG", range(2026, 2028)).warnings == ()


@pytest.mark.parametrize("country", ["AZ", "HU", "LV", "UZ", "VN"])
def test_every_make_up_day_of_other_countries_is_known_with_its_day_off(country: str) -> None:
    makeup_days = read_library(country, range(2024, 2027)).makeup_days
    assert makeup_days
    assert all(text.startswith("worked for 202") for text in makeup_days.values())


def test_weekend_days_are_listed_when_asked_for() -> None:
    usual = read_library("HK", range(2026, 2027)).holidays
    every = read_library("HK", range(2026, 2027), with_weekends=True).holidays
    assert {day.weekday() for day in usual} <= {0, 1, 2, 3, 4}
    on_weekends = [(4, 4), (4, 5), (5, 24), (9, 26), (10, 18), (12, 26)]
    assert every.keys() - usual.keys() == {date(2026, month, day) for month, day in on_weekends}


def test_a_country_whose_weekend_is_another_keeps_its_working_sundays() -> None:
    holidays = read_library("EG", range(2025, 2026)).holidays
    assert {day.weekday() for day in holidays} & {4, 5} == set()


def test_parts_of_a_country_and_languages_may_be_chosen() -> None:
    assert date(2026, 2, 16) in read_library("CA", range(2026, 2027), subdiv="ON").holidays
    chinese = read_library("HK", range(2026, 2027), language="zh_HK").holidays
    assert chinese[date(2026, 1, 1)] == "一月一日"
    assert len(read_library("HK", range(2026, 2027), categories=["public"]).holidays) < len(chinese)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--country", "XX", "--years", "2026"), "Country XX not available"),
        (("--country", "HK", "--years", "26"), "a year such as 2026"),
        (("--country", "HK", "--years", "2027-2026"), "the first one first"),
        (("--country", "HK", "--years", "1900-2026"), "at most 50 years"),
        (("--country", "HK", "--years", "2026", "--subdiv", "ZZ"), "does not have subdivision"),
        (("--country", "HK", "--years", "2026", "--category", "odd"), "not supported"),
    ],
)
def test_what_the_library_does_not_know_is_said(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_json_holds_the_same_and_the_warnings() -> None:
    read = json.loads(run("--country", "CN", "--years", "2026-2027", "--json").stdout)
    assert read["known_until"] == "2026-12-31"
    assert read["makeup_days"]["2026-02-28"] == "worked for 2026-02-23"
    assert len(read["warnings"]) == 1
