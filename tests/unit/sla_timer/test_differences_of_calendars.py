"""What is said about two versions of a calendar."""

from __future__ import annotations

import pytest

from services.sla_timer.domain.differences import find_differences
from services.sla_timer.domain.rulebook import RuleSources, read_rulebook

POLICIES = """\
format: 1
calendars: {HK: office, CN: office, TW: branch}
policies:
  - policy: everything
    objectives:
      response: &plain {budget: 8h working, stops: closed, breach: {roles: [team_lead]}}
      resolution: *plain
"""
CALENDARS = """\
format: 1
calendars:
  office:
    timezone: Asia/Hong_Kong
    known_until: 2026-12-31
    weekly: {mon: [["09:00", "12:00"], ["13:00", "18:00"]], fri: [["22:00", "30:00"]]}
    holidays: {2026-06-01: moving}
    annual_holidays: ["12-25"]
    date_overrides: {2026-06-08: [["10:00", "12:00"]]}
    closures: [[2026-07-01T12:00, 2026-07-01T24:00]]
  branch: {based_on: office}
  both: {any_of: [office, branch]}
"""


def said(calendars: str) -> list[str]:
    before, after = (read_rulebook(RuleSources(POLICIES, text)) for text in (CALENDARS, calendars))
    return find_differences(before, after)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("2026-06-01: moving", "2026-06-02: moving", "holiday 2026-06-01 removed"),
        ("2026-06-01: moving", "2026-06-02: moving", "holiday 2026-06-02 added"),
        ('["12-25"]', '["12-25", "01-01"]', "annual holiday 01-01 added"),
        ("2026-12-31", "2027-12-31", "known_until 2026-12-31 becomes 2027-12-31"),
        ("Asia/Hong_Kong", "Asia/Taipei", "timezone Asia/Hong_Kong becomes Asia/Taipei"),
        ('["22:00", "30:00"]', '["21:00", "30:00"]', "fri 22:00-30:00 becomes 21:00-30:00"),
        ("weekly: {mon:", "weekly: {tue:", "mon 09:00-12:00, 13:00-18:00 becomes closed"),
        ("2026-06-08: [[", "2026-06-15: [[", "hours on 2026-06-08 10:00-12:00 becomes as usual"),
        ("2026-06-08: [[", "2026-06-15: [[", "hours on 2026-06-15 as usual becomes 10:00-12:00"),
        (
            "2026-07-01T12:00",
            "2026-07-01T13:00",
            "closure 2026-07-01T12:00 to 2026-07-02T00:00 removed",
        ),
        (
            "    closures:",
            "    extra_hours: [[2026-08-01T10:00, 2026-08-01T12:00]]\n    closures:",
            "extra hours 2026-08-01T10:00 to 2026-08-01T12:00 added",
        ),
        (
            "    closures:",
            "    computed_holidays: {Good Friday: {easter: -2}}\n    closures:",
            "other computed holidays",
        ),
        (
            "    closures:",
            "    substitute_on: [sun]\n    closures:",
            "other substitutes for holidays on a weekend",
        ),
        (
            "    closures:",
            "    worked_holidays: {2026-12-25: we work}\n    closures:",
            "worked holiday 2026-12-25 added",
        ),
    ],
)
def test_a_change_of_a_calendar_is_told_date_by_date(old: str, new: str, line: str) -> None:
    assert f"calendar office: {line}" in said(CALENDARS.replace(old, new, 1))


def test_calendars_that_come_and_go_and_combine_differently_are_told() -> None:
    assert said(CALENDARS.replace("both:", "all:")) == ["calendar both: removed", "calendar all: added"]
    assert said(CALENDARS.replace("any_of", "all_of")) == [
        "calendar both: other combination of the calendars it is made of"
    ]
    assert said(CALENDARS.replace("[office, branch]", "[office]")) == [
        "calendar both: other calendars it is made of, or other dates of theirs"
    ]
