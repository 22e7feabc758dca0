"""Spans that no calendar has the time for are refused before a clock runs into them."""

from __future__ import annotations

import pytest

from services.sla_timer.domain.rulebook import RuleSources, read_rulebook, read_stored_rulebook
from shared.rules.document import InvalidDocument

CALENDARS = """\
format: 1
calendars:
  office: {timezone: UTC, known_until: 2026-12-31, weekly: {mon: [["09:00", "18:00"]], fri: [["09:00", "18:00"]]}}
  scarce: {timezone: UTC, known_until: 2026-12-31, weekly: {fri: [["09:00", "10:00"]]}}
"""
POLICIES = """\
format: 1
calendars: {HK: office, CN: scarce, TW: office}
policies:
  - policy: special
    when: {%s}
    objectives:
      response: &plain {budget: 1h elapsed, stops: closed, breach: {roles: [team_lead]}}
      resolution: *plain
      task: {stops: closed, breach: {roles: [team_lead]}, %s}
  - policy: everything
    objectives: {response: *plain, resolution: *plain}
"""
TASK = 9


def sources(fields: str, when: str = "market: CN") -> RuleSources:
    return RuleSources(POLICIES % (when, fields), CALENDARS)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ("budget: 40000h working", "budget"),
        ("budget: 1h elapsed, modes: {peak: 40000h working}", "modes.peak"),
        ("budget: 10h working, escalations: [{after: 40000h working, roles: a}]", "escalations"),
        ("budget: 10000h working, escalations: [{after: 10000h working, roles: a}]", "escalations"),
        ("budget: 1h elapsed, escalations: [{after: 1h working, every: 40000h working, roles: a}]", "escalations"),
        ("budget: 1h elapsed, warnings: [{before: 8000h working, roles: a}]", "warnings"),
        ("budget: 1h elapsed, warning: {before: 8000h working, roles: a}", "warning"),
        ("budget: 1h elapsed, paused_by: '*', longest_pause: {after: 40000h working, roles: a}", "longest_pause"),
    ],
)
def test_what_cannot_be_spent_is_refused_by_line_and_field(fields: str, where: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_rulebook(sources(fields))
    (complaint,) = caught.value.complaints
    assert (complaint.line, complaint.field) == (TASK, f"policies[0].objectives.task.{where}")
    assert complaint.message.startswith("cannot be spent: calendar scarce: ")
    assert read_stored_rulebook(sources(fields), 3).version == 3


@pytest.mark.parametrize(
    ("fields", "when"),
    [
        ("budget: 40000h working, calendar: office", "market: CN"),
        ("budget: 2000 working days end of day", "market: CN"),
        ("budget: 3660d elapsed, escalations: [{after: 3660d, roles: a, every: 3660d}]", "market: CN"),
        ("budget: 40000h working", "market: [HK, TW]"),
        ("budget: 40000h working", "not: {market: CN}, kind: claim"),
        ("budget: 40000h working", "any: [{market: HK}, {market: TW, kind: claim}]"),
    ],
)
def test_only_calendars_that_a_policy_can_reach_have_to_have_the_time(fields: str, when: str) -> None:
    read_rulebook(sources(fields, when))


def test_a_promise_that_may_be_for_any_market_is_tried_in_all() -> None:
    with pytest.raises(InvalidDocument, match="cannot be spent: calendar scarce"):
        read_rulebook(sources("budget: 40000h working", "not: {market: CN, kind: claim}"))


def test_every_objective_that_cannot_be_spent_is_named_at_once() -> None:
    text = sources("budget: 40000h working").policies.replace("budget: 1h elapsed", "budget: 50000h working")
    with pytest.raises(InvalidDocument) as caught:
        read_rulebook(RuleSources(text, CALENDARS))
    assert [complaint.field for complaint in caught.value.complaints] == [
        "policies[0].objectives.response.budget",
        "policies[0].objectives.resolution.budget",
        "policies[1].objectives.response.budget",
        "policies[1].objectives.resolution.budget",
        "policies[0].objectives.task.budget",
    ]
