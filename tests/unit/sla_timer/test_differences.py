from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla_timer.domain.differences import find_differences
from services.sla_timer.domain.rulebook import RuleSources, read_rulebook, read_stored_rulebook
from tests.unit.sla_timer.test_policy_files import BEFORE, CALENDARS, POLICIES, SHIPPED

OFFICE = """
format: 1
calendars:
  hong_kong: &office
    timezone: Asia/Hong_Kong
    known_until: 2026-12-31
    weekly: {mon: [["09:00", "18:00"]], tue: [["09:00", "18:00"]]}
    holidays: {2026-06-01: a day off}
  mainland_china: *office
  taiwan: *office
"""


TO_THE_HEAD = "after: 1d elapsed, roles: [head_of_operations]"


def differences(policies: str, calendars: str = OFFICE, before: str = BEFORE) -> list[str]:
    old, new = read_rulebook(RuleSources(before, OFFICE), 1), read_rulebook(RuleSources(policies, calendars), 2)
    return find_differences(old, new)


def changed(old: str, new: str) -> list[str]:
    assert old in BEFORE
    return differences(BEFORE.replace(old, new, 1))


def test_the_same_rules_do_not_differ_whatever_their_text_looks_like() -> None:
    assert differences(BEFORE.replace("[urgent, high]", "[high, urgent]") + "# a remark\n") == []
    assert (
        differences(BEFORE.replace("kind: claim, priority: [urgent, high]", "priority: [urgent, high], kind: claim"))
        == []
    )
    assert find_differences(SHIPPED, read_stored_rulebook(RuleSources(POLICIES, CALENDARS), 9)) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("budget: 2h elapsed", "budget: 3h working", "budget 2h elapsed becomes 3h working"),
        ("budget: 2h elapsed", "budget: 1 working day", "budget 2h elapsed becomes 1 working day"),
        (
            "2h elapsed\n",
            "2h elapsed\n        modes: {peak: 1d elapsed}\n",
            "budget in peak 2h elapsed becomes 1d elapsed",
        ),
        ("2h elapsed\n", "2h elapsed\n        party: internal\n", "party customer becomes internal"),
        ("2h elapsed\n", "2h elapsed\n        calendar: taiwan\n", "calendar the market's becomes taiwan"),
        ("2h elapsed\n", "2h elapsed\n        on_change: restart\n", "on_change keep becomes restart"),
        ("2h elapsed\n", "2h elapsed\n        starts: assigned\n", "starts submitted becomes assigned"),
        ("2h elapsed\n", "2h elapsed\n        resets: signalled\n", "resets nothing becomes signalled"),
        ("2h elapsed\n", "2h elapsed\n        paused_by: '*'\n", "paused_by nothing becomes *"),
        (
            "2h elapsed\n",
            "2h elapsed\n        pauses: [{from: assigned:legal, to: responded}]\n",
            "pauses nothing becomes assigned:legal to responded",
        ),
        (
            "2h elapsed\n",
            "2h elapsed\n        longest_pause: {after: 3d, roles: [team_lead]}\n",
            "longest_pause none becomes after: 3d elapsed, roles: [team_lead]",
        ),
        (
            "fraction: 0.5",
            "before: 30m",
            "warning 1 {fraction: 0.5, roles: [team_lead]} becomes {before: 30m elapsed, roles: [team_lead]}",
        ),
        ("\n          - {after: 1d, roles: [head_of_operations]}", "", "escalation 2 removed"),
        (
            "roles: [head_of_operations]}",
            "roles: [head_of_operations], every: 1d, times: 3}",
            f"escalation 2 {{{TO_THE_HEAD}}} becomes {{{TO_THE_HEAD}, every: 1d, times: 3}}",
        ),
    ],
)
def test_each_field_of_an_objective_is_told_in_the_words_of_the_file(old: str, new: str, line: str) -> None:
    assert changed(old, new) == [f"policy claim_urgent, response: {line}"]


def test_what_cancels_a_policy_is_told_of_each_of_its_objectives() -> None:
    assert changed("[withdrawn]", "[withdrawn, duplicate]") == [
        f"policy claim_urgent, {code}: cancelled_by closed:withdrawn becomes closed:duplicate, closed:withdrawn"
        for code in ("response", "resolution")
    ]


def test_other_conditions_are_told() -> None:
    assert changed("[urgent, high]", "[urgent]") == [
        "policy claim_urgent: when {kind: claim, priority: [high, urgent]} becomes when {kind: claim, priority: urgent}"
    ]


def test_objectives_come_and_go() -> None:
    decision = "{kind: stage, stage: decision, budget: 16h working, breach: {roles: [team_lead]}}"
    added = f"    objectives:\n      decision: {decision}\n"
    more = BEFORE.replace("    objectives:\n", added, 1)
    assert differences(more) == ["policy claim_urgent, decision: promised now, 16h working"]
    assert differences(BEFORE, before=more) == ["policy claim_urgent, decision: no longer promised"]


def test_policies_come_and_go() -> None:
    first = BEFORE.index("  - policy: claim_urgent")
    second = BEFORE.index("  - policy: everything")
    only = BEFORE[:first] + BEFORE[second:]
    assert differences(only) == ["policy claim_urgent: removed"]
    assert differences(BEFORE, before=only) == [
        "policy claim_urgent: added before everything, when {kind: claim, priority: [high, urgent]}"
    ]


def test_another_order_is_told() -> None:
    first, second = BEFORE.index("  - policy: claim_urgent"), BEFORE.index("  - policy: everything")
    urgent = BEFORE[first:second]
    claim = urgent.replace("claim_urgent", "claim").replace(", priority: [urgent, high]", "")
    right = BEFORE[:second] + claim + BEFORE[second:]
    wrong = BEFORE[:first] + claim + BEFORE[first:]
    assert differences(wrong, before=right) == ["policies: the order is now claim, claim_urgent, everything"]


def test_another_calendar_of_a_market_is_told() -> None:
    assert changed("TW: taiwan", "TW: hong_kong") == ["market TW: calendar taiwan becomes hong_kong"]


def test_other_dates_and_hours_of_calendars_are_told() -> None:
    own = OFFICE.replace("&office", "").replace("  mainland_china: *office\n  taiwan: *office\n", "")
    own += (
        own[own.index("    timezone") :].join(["  mainland_china:\n", "  taiwan:\n"]) + own[own.index("    timezone") :]
    )
    assert differences(BEFORE, own) == []
    holiday = own.replace("2026-06-01: a day off", "2026-06-02: a day off", 1)
    assert all(line.startswith("calendar hong_kong: ") for line in differences(BEFORE, holiday))
    assert {day for line in differences(BEFORE, holiday) for day in ("2026-06-01", "2026-06-02") if day in line} == {
        "2026-06-01",
        "2026-06-02",
    }
    for old, new in [('"18:00"', '"17:00"'), ("2026-12-31", "2027-12-31"), ("Asia/Hong_Kong", "Asia/Taipei")]:
        (line,) = differences(BEFORE, own.replace(old, new, 1))
        assert line.startswith("calendar hong_kong: ")


@settings(max_examples=20)
@given(st.permutations(["claim", "complaint", "underwriting", "policy_service"]), st.integers(1, 9))
def test_rules_differ_when_they_mean_otherwise_and_only_then(kinds: list[str], hours: int) -> None:
    listed = BEFORE.replace("kind: claim", "kind: [claim, complaint, underwriting, policy_service]")
    other = BEFORE.replace("kind: claim", f"kind: [{', '.join(kinds)}]").replace("2h elapsed", f"{hours}h elapsed")
    assert bool(differences(other, before=listed)) is (hours != 2)
