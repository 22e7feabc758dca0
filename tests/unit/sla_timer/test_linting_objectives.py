"""What is said about an objective that cannot be meant so."""

from __future__ import annotations

import pytest

from services.sla_timer.domain.linting import find_remarks
from services.sla_timer.domain.policies import policy_lines, read_policies

TEXT = """\
format: 1
calendars: {HK: office, CN: office, TW: office}
policies:
  - policy: everything
    objectives:
      response: &plain {budget: 1h elapsed, stops: closed, breach: {roles: [team_lead]}}
      resolution: *plain
      task: {breach: {roles: [team_lead]}, %s}
"""
TASK = 8


def said(fields: str) -> list[str]:
    text = TEXT % fields
    policies, _ = read_policies(text, "policies.yml", {"office"})
    return [str(remark) for remark in find_remarks(policies, policy_lines(text, "policies.yml"), "policies.yml")]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            "budget: 1h elapsed, starts: ['closed:paid', cancelled], stops: responded",
            "can never begin: a request that is over starts nothing",
        ),
        ("budget: 1h elapsed, stops: submitted", "can never be met: none of its stops comes while it runs"),
        ("budget: 1h elapsed, stops: [cancelled, merged]", "can never be met: none of its stops comes while it runs"),
        ("budget: 1h elapsed, stops: []", "can never be met: none of its stops comes while it runs"),
        (
            "budget: 1h elapsed, stops: responded, resets: [responded, changed]",
            "is never reset by responded: that ends it",
        ),
        (
            "budget: 8h elapsed, stops: closed, warning: {before: 10h, roles: [team_lead]}",
            "tells warning 1 at once: it comes 10h before the end of 8h elapsed",
        ),
        (
            "budget: 8h working, stops: closed, warning: {before: 8h working, roles: [team_lead]}",
            "tells warning 1 at once: it comes 8h before the end of 8h working",
        ),
        (
            "budget: 8h elapsed, stops: closed, warning: {before: 8h working, roles: [team_lead]}",
            "tells warning 1 at once: it comes 8h before the end of 8h elapsed",
        ),
        (
            "budget: 8h elapsed, stops: closed, longest_pause: {after: 1h, roles: [team_lead]}",
            "limits pauses, and nothing pauses it",
        ),
        (
            "budget: 8h elapsed, stops: closed, modes_move_running: true",
            "lets modes move running clocks, and has no budgets for modes",
        ),
    ],
)
def test_what_cannot_be_meant_is_pointed_out_with_its_line(fields: str, message: str) -> None:
    assert said(fields) == [f"policies.yml, line {TASK}, everything: task {message}"]


@pytest.mark.parametrize(
    "fields",
    [
        "budget: 1h elapsed, starts: [closed, reopened], stops: [submitted, responded], resets: changed",
        "budget: 8h working, stops: closed, warning: {before: 10h, roles: [team_lead]}",  # over a night
        "budget: 8h working, stops: closed, warning: {before: 7h59m working, roles: [team_lead]}",
        "budget: 1 working day, stops: closed, warning: {before: 10h, roles: [team_lead]}",
        "budget: 1h elapsed, stops: closed, paused_by: '*', longest_pause: {after: 1h, roles: [team_lead]}",
        "budget: 1h elapsed, stops: closed, modes: {peak: 2h elapsed}, modes_move_running: true",
    ],
)
def test_nothing_is_said_about_what_can_be_meant(fields: str) -> None:
    assert said(fields) == []
