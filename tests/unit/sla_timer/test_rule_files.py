"""The files that are shipped, and what is said about broken ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

import services.sla_timer
from services.sla_timer.domain.calendars import read_calendars
from services.sla_timer.domain.document import InvalidDocument
from services.sla_timer.domain.policies import read_policies, read_span
from services.sla_timer.domain.rulebook import RuleSources, read_rulebook, read_stored_rulebook
from services.sla_timer.domain.rules import BudgetKind, Facts, RungKind
from shared.contracts.payload import CustomerTier, Market, Priority, RequestKind

DATA = Path(services.sla_timer.__file__).with_name("data")
POLICIES = (DATA / "policies.yml").read_text(encoding="utf-8")
CALENDARS = (DATA / "calendars.yml").read_text(encoding="utf-8")
SHIPPED = read_rulebook(RuleSources(POLICIES, CALENDARS), 1)
NAMES = SHIPPED.calendars.keys()


def facts(kind: str, market: str = "HK", priority: str = "normal") -> Facts:
    return Facts(kind=kind, market=market, channel="app", priority=priority, customer_tier="standard")


@pytest.mark.parametrize(("kind", "market"), list(product(RequestKind, Market)))
def test_every_kind_in_every_market_has_a_response_and_a_resolution(kind: str, market: str) -> None:
    policy = SHIPPED.policy_for(facts(kind, market))
    assert {objective.code for objective in policy.objectives} == {"response", "resolution"}
    for objective in policy.objectives:
        assert [rung.kind for rung in objective.ladder] == [
            RungKind.WARNING,
            RungKind.BREACH,
            RungKind.ESCALATION,
            RungKind.ESCALATION,
        ]


@pytest.mark.parametrize(("kind", "market", "priority"), list(product(RequestKind, Market, Priority)))
def test_every_response_is_promised_within_a_day_of_work_or_of_time(kind: str, market: str, priority: str) -> None:
    response = SHIPPED.policy_for(facts(kind, market, priority)).objective("response")
    most = timedelta(hours=8 if response.budget_kind is BudgetKind.WORKING else 24)
    assert response.budget <= most


def test_the_first_policy_that_matches_wins() -> None:
    assert SHIPPED.policy_for(facts("claim", "CN")).code == "claim_mainland"
    assert SHIPPED.policy_for(facts("claim", "CN", "urgent")).code == "claim_urgent"
    assert SHIPPED.policy_for(facts("claim")).code == "claim"
    assert SHIPPED.policy_for(facts("enquiry", "TW")).code == "enquiry"


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


def test_the_digest_changes_with_either_text() -> None:
    digests = {RuleSources(a, b).digest for a, b in [("x", "y"), ("x", "z"), ("w", "y"), ("", "xy"), ("xy", "")]}
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("text", "span"), [("45m", 45), ("8h", 480), ("1h30m", 90), ("2d", 2880), ("1d12h", 2160), ("0h", 0)]
)
def test_a_span_is_read(text: str, span: int) -> None:
    assert read_span(text) == timedelta(minutes=span)


@pytest.mark.parametrize("text", ["", "8", "h", "8 h", "-1h", "1m1h", "8hours"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a span"):
        read_span(text)


def complaints(policies: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        read_policies(policies, "policies.yml", NAMES)
    return [str(complaint) for complaint in caught.value.complaints]


def line_of(text: str, needle: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if needle in line)


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        (
            "budget: 2h elapsed",
            "budget: soon",
            "policies[0].objectives.response.budget",
            "must be a span and `working`",
        ),
        ("budget: 2h elapsed", "budget: 2x elapsed", "policies[0].objectives.response.budget", "'2x' is not a span"),
        ("budget: 2h elapsed", "budget: 0h elapsed", "policies[0].objectives.response.budget", "longer than nothing"),
        ("budget: 40h working", "budget: 5d working", "policies[0].objectives.resolution.budget", "no fixed length"),
        ("kind: claim, priority: [urgent]", "kind: cliam", "policies[0].when.kind", "'cliam' is not one of claim"),
        ("kind: claim, priority: [urgent]", "colour: red", "policies[0].when.colour", "is not a known name here"),
        ("fraction: 0.5", "fraction: 1.5", "policies[0].objectives.response.warning.fraction", "between 0 and 1"),
        ("fraction: 0.5", "fraction: half", "policies[0].objectives.response.warning.fraction", "between 0 and 1"),
        ("{after: 4h, roles: [head_of", "{after: 1h, roles: [head_of", "escalations[1].after", "later than the level"),
        ("stops: [responded, stage_entered", "stops: [answered", "response.stops[0]", "is not responded, closed"),
        ("- policy: claim_urgent", "- policy: Claim!", "policies[0].policy", "is not a word of lower-case"),
        ("roles: [team_lead]}", "roles: []}", "policies[0].objectives.response.warning.roles", "at least one role"),
        ("HK: hong_kong", "HK: atlantis", "calendars.HK", "there is no calendar 'atlantis'"),
        ("HK: hong_kong", "XX: hong_kong", "calendars.XX", "is not a known name here"),
        ("format: 1", "format: 2", "format", "reads format 1"),
        ("after: 1h,", "after: 99999999999h,", "response.escalations[0].after", "at most 3660 days"),
        ("after: 1h,", f"after: {'9' * 5000}h,", "response.escalations[0].after", "at most 3660 days"),
        ("2h elapsed", "3000000d elapsed", "policies[0].objectives.response.budget", "at most 3660 days"),
        ("40h working", "9000000h working", "policies[0].objectives.resolution.budget", "at most 3660 days"),
    ],
)
def test_an_error_names_file_line_and_field(old: str, new: str, field: str, message: str) -> None:
    broken = POLICIES.replace(old, new, 1)
    found = complaints(broken)
    assert any(
        f"policies.yml, line {line_of(broken, new)}, " in text and field in text and message in text for text in found
    ), found


def test_every_broken_policy_is_named_at_once() -> None:
    broken = POLICIES.replace("budget: 2h elapsed", "budget: soon").replace("budget: 24h working", "budget: later")
    assert len(complaints(broken)) == 2


def test_a_name_that_is_missing_is_named() -> None:
    broken = POLICIES.replace("        budget: 4h working\n", "")
    assert any("policies[8].objectives.response: budget is missing" in text for text in complaints(broken))


@pytest.mark.parametrize("objective", ["response", "resolution"])
def test_a_policy_without_a_response_or_a_resolution_is_refused(objective: str) -> None:
    broken = POLICIES.replace(f"      {objective}:", "      something:", 1)
    message = f"policies[0].objectives: {objective} missing; every policy needs resolution and response"
    assert any(message in text for text in complaints(broken))


def test_what_was_in_force_before_objectives_were_required_can_still_be_read() -> None:
    stored = RuleSources(POLICIES.replace("      resolution:", "      something:"), CALENDARS)
    assert read_stored_rulebook(stored, 3).version == 3


def test_the_longest_span_is_taken() -> None:
    text = POLICIES.replace("2h elapsed", "3660d elapsed").replace("40h working", "87840h working")
    read_rulebook(RuleSources(text, CALENDARS))


def test_a_budget_that_a_calendar_can_never_spend_is_refused_by_field() -> None:
    hour_on_friday = """
format: 1
calendars:
  hong_kong: &scarce {timezone: UTC, known_until: 2026-12-31, weekly: {fri: [["09:00", "10:00"]]}}
  mainland_china: *scarce
  taiwan: *scarce
"""
    policies = POLICIES.replace("40h working", "40000h working", 1)
    with pytest.raises(InvalidDocument) as caught:
        read_rulebook(RuleSources(policies, hour_on_friday))
    (complaint,) = caught.value.complaints
    assert complaint.field == "policies[0].objectives.resolution.budget"
    assert complaint.line == line_of(policies, "40000h working")
    assert "cannot be spent: calendar hong_kong" in complaint.message


@pytest.mark.parametrize(
    ("policies", "calendars", "file", "message"),
    [
        ("[" * 5000, CALENDARS, "policies.yml", "is nested too deeply"),
        (POLICIES, "{a: " * 5000, "calendars.yml", "is nested too deeply"),
        (r'"\Uffffffff"', CALENDARS, "policies.yml", "cannot be read"),
        (
            POLICIES,
            CALENDARS.replace("    weekly:", "    closures: [[9999-12-31T01:00, 9999-12-31T24:00]]\n    weekly:", 1),
            "calendars.yml",
            "",
        ),
        (r'"\ud800": 1', CALENDARS, "policies.yml", "is not a known name here"),
    ],
    ids=["deep policies", "deep calendars", "no character", "no instant", "half a character"],
)
def test_a_text_out_of_all_proportion_is_a_complaint_and_no_crash(
    policies: str, calendars: str, file: str, message: str
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_rulebook(RuleSources(policies, calendars))
    assert any(complaint.file == file and message in complaint.message for complaint in caught.value.complaints)
    str(caught.value).encode()


def test_a_policy_after_the_default_can_never_apply() -> None:
    first, _, rest = POLICIES.partition("    when: {kind: claim, priority: [urgent]}\n")
    assert any("can never apply: claim_urgent before it has no conditions" in text for text in complaints(first + rest))


def test_the_default_must_be_there() -> None:
    broken = POLICIES.replace("  - policy: enquiry\n", "  - policy: enquiry\n    when: {kind: enquiry}\n")
    assert any("the last policy must be the default" in text for text in complaints(broken))


def test_a_code_is_given_once() -> None:
    broken = POLICIES.replace("- policy: claim_taiwan", "- policy: claim_mainland")
    assert any("claim_mainland is defined twice" in text for text in complaints(broken))


def test_a_field_is_given_once() -> None:
    broken = POLICIES.replace(
        "        budget: 2h elapsed\n", "        budget: 2h elapsed\n        budget: 3h elapsed\n"
    )
    assert any("response.budget: is given twice" in text for text in complaints(broken))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("[1, 2", "line 1, document: is not YAML"),
        ("a: b: c", "is not YAML"),
        ("- a\n- b\n", "must be a mapping"),
        ("format: [1]\ncalendars: {}\npolicies: []\n", "must be a single value"),
        ("? [x]\n: y\n", "a name must be a plain word"),
        ("format: 1\ncalendars: {HK: hong_kong, CN: taiwan, TW: taiwan}\npolicies: {}\n", "must be a list"),
        ("format: 1\ncalendars: {HK: hong_kong, CN: taiwan, TW: taiwan}\npolicies: []\n", "must be the default"),
    ],
)
def test_a_text_of_another_shape_is_refused(text: str, message: str) -> None:
    assert any(message in found for found in complaints(text))


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


def test_tiers_and_channels_can_be_conditions() -> None:
    text = POLICIES.replace("priority: [urgent]", "customer_tier: platinum, channel: [branch, agent]", 1)
    policies, _ = read_policies(text, "policies.yml", NAMES)
    asked = Facts(kind="claim", market="HK", channel="agent", priority="low", customer_tier=CustomerTier.PLATINUM)
    assert policies[0].matches(asked)
    assert not policies[0].matches(facts("claim"))
