"""What the fields of a policy mean, and that a file of before still means the same."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

import services.sla_timer
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.policies import policy_lines, read_policies
from services.sla_timer.domain.rulebook import RuleSources, read_rulebook, read_stored_rulebook
from services.sla_timer.domain.rules import (
    Budget,
    BudgetKind,
    LongestPause,
    Mode,
    Objective,
    Party,
    Policy,
    Rung,
    RungKind,
)
from shared.contracts.payload import Market, Priority, RequestKind
from shared.rules.conditions import AllOf, Among, AnyOf, Between, Condition, Known, Like, Not

HOUR = timedelta(hours=1)
DATA = Path(services.sla_timer.__file__).with_name("data")
POLICIES = (DATA / "policies.yml").read_text(encoding="utf-8")
CALENDARS = (DATA / "calendars.yml").read_text(encoding="utf-8")
SHIPPED = read_rulebook(RuleSources(POLICIES, CALENDARS), 1)
HOWTO = Path(__file__).parents[3] / "docs" / "howto" / "change-a-policy.md"

BEFORE = """
format: 1
calendars: {HK: hong_kong, CN: mainland_china, TW: taiwan}
policies:
  - policy: claim_urgent
    when: {kind: claim, priority: [urgent, high]}
    cancelled_by: [withdrawn]
    objectives:
      response:
        budget: 2h elapsed
        stops: [responded, stage_entered:decision, closed]
        warning: {fraction: 0.5, roles: [team_lead]}
        breach: {roles: [team_lead, operations_manager]}
        escalations:
          - {after: 1h, roles: [operations_manager]}
          - {after: 1d, roles: [head_of_operations]}
      resolution:
        budget: 40h working
        stops: [closed]
        paused_by: [customer_documents, third_party]
        warning: {fraction: 0.75, roles: [team_lead]}
        breach: {roles: [team_lead]}
        escalations: []
  - policy: everything
    objectives:
      response: &any
        budget: 8h working
        stops: [responded]
        warning: {fraction: 0.5, roles: [team_lead]}
        breach: {roles: [team_lead]}
        escalations: []
      resolution: *any
"""


def read(text: str) -> tuple[Policy, ...]:
    policies, _ = read_policies(text, "policies.yml", SHIPPED.calendars.keys())
    return policies


def objective(fields: str) -> Objective:
    """One of a policy, beside what every policy needs."""
    plain = "{budget: 1h elapsed, stops: closed, breach: {roles: [team_lead]}}"
    text = (
        "format: 1\ncalendars: {HK: hong_kong, CN: mainland_china, TW: taiwan}\npolicies:\n  - policy: p\n"
        f"    objectives:\n      response: {plain}\n      resolution: {plain}\n"
        f"      task: {{breach: {{roles: [team_lead]}}, {fields}}}\n"
    )
    found = read(text)[0].objective("task")
    assert found is not None
    return found


def condition(when: str) -> Condition:
    head, tail = BEFORE.split("{kind: claim, priority: [urgent, high]}")
    return read(f"{head}{when}{tail}")[0].condition


def test_a_file_of_before_means_what_it_meant() -> None:
    urgent, everything = read(BEFORE)
    assert urgent.condition == AllOf(
        (Among("kind", frozenset({"claim"})), Among("priority", frozenset({"urgent", "high"})))
    )
    assert urgent.objective("response") == Objective(
        "response",
        Budget(BudgetKind.ELAPSED, 2 * HOUR),
        stops=frozenset({"responded", "stage_entered:decision", "closed"}),
        cancels=frozenset({"closed:withdrawn"}),
        ladder=(
            Rung(RungKind.WARNING, 1, fraction=0.5, roles=("team_lead",)),
            Rung(RungKind.BREACH, 1, roles=("team_lead", "operations_manager")),
            Rung(RungKind.ESCALATION, 1, after=HOUR, roles=("operations_manager",)),
            Rung(RungKind.ESCALATION, 2, after=24 * HOUR, roles=("head_of_operations",)),
        ),
    )
    assert urgent.objective("resolution") == Objective(
        "resolution",
        Budget(BudgetKind.WORKING, 40 * HOUR),
        starts=frozenset({"submitted", "reopened"}),
        cancels=frozenset({"closed:withdrawn"}),
        paused_by=frozenset({"customer_documents", "third_party"}),
        ladder=(
            Rung(RungKind.WARNING, 1, fraction=0.75, roles=("team_lead",)),
            Rung(RungKind.BREACH, 1, roles=("team_lead",)),
        ),
    )
    assert everything.is_default


def test_what_was_in_force_before_objectives_were_required_can_still_be_read() -> None:
    stored = RuleSources(POLICIES.replace("      resolution:", "      something:"), CALENDARS)
    assert read_stored_rulebook(stored, 3).version == 3


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("{kind: claim}", Among("kind", frozenset({"claim"}))),
        ("{broker: [ada, bob]}", Among("broker", frozenset({"ada", "bob"}))),
        ("{attributes.broker: ada}", Among("broker", frozenset({"ada"}))),
        ("{attributes.all: ada}", Among("all", frozenset({"ada"}))),
        ("{broker: {is: ada}}", Among("broker", frozenset({"ada"}))),
        ("{amount: {at_least: 1000, below: 5e3}}", Between("amount", at_least=1000, below=5000)),
        ("{amount: {above: -1, at_most: 0.5}}", Between("amount", above=-1, at_most=0.5)),
        ('{branch: {like: "KLN-.*"}}', Like("branch", re.compile("KLN-.*"))),
        ("{broker: {known: true}}", Known("broker")),
        ("{broker: {known: false}}", Not(Known("broker"))),
        ("{not: {broker: ada}}", Not(Among("broker", frozenset({"ada"})))),
        ("{any: [{broker: ada}, {kind: claim}]}", AnyOf((condition("{broker: ada}"), condition("{kind: claim}")))),
        ("{all: [{broker: ada}]}", AllOf((condition("{broker: ada}"),))),
        ("{kind: claim, broker: ada}", AllOf((condition("{kind: claim}"), condition("{broker: ada}")))),
        ("{amount: {at_least: 1, known: true}}", AllOf((Between("amount", at_least=1), Known("amount")))),
    ],
)
def test_a_condition_is_read(when: str, expected: Condition) -> None:
    assert condition(when) == expected


@pytest.mark.parametrize(
    ("kind", "starts", "stops", "paused_by"),
    [
        ("first_response", {"submitted"}, {"responded", "closed"}, set()),
        ("next_response", {"message_received"}, {"responded", "closed"}, set()),
        (
            "periodic_update",
            {"submitted", "responded", "customer_informed"},
            {"responded", "customer_informed", "closed"},
            set(),
        ),
        ("resolution", {"submitted", "reopened"}, {"closed"}, set()),
        ("handling_time", {"submitted", "reopened"}, {"closed"}, {"*"}),
        ("stage, stage: decision", {"stage_entered:decision"}, {"stage_left:decision", "closed"}, set()),
        (
            'custom, starts: "paused:third_party", stops: "resumed:third_party"',
            {"paused:third_party"},
            {"resumed:third_party"},
            set(),
        ),
        ("next_response, starts: [responded], stops: [closed:paid]", {"responded"}, {"closed:paid"}, set()),
    ],
)
def test_a_kind_is_a_shorthand_whose_fields_can_be_said_otherwise(
    kind: str, starts: set[str], stops: set[str], paused_by: set[str]
) -> None:
    found = objective(f"kind: {kind}, budget: 8h working")
    assert [set(words) for words in (found.starts, found.stops, found.paused_by)] == [starts, stops, paused_by]


def test_a_stage_can_be_counted_from_where_the_one_before_was_left() -> None:
    stage = "kind: stage, stage: decision, budget: 8h working"
    assert objective(f"{stage}, from: previous_exit").from_previous_exit
    assert not objective(f"{stage}, from: entered").from_previous_exit
    assert not objective(stage).from_previous_exit


def test_every_other_field_is_read() -> None:
    found = objective(
        "budget: 3 working days end of day, stops: responded, party: supplier, calendar: taiwan, on_change: restart, "
        "resets: [changed:scope, signalled], cancelled_by: [signalled:off], paused_by: '*', "
        "pauses: [{from: stage_entered:documents, to: stage_left:documents}, {from: assigned:legal, to: responded}], "
        "longest_pause: {after: 10h working, roles: [team_lead], resumes: true}, "
        "modes: {peak: 36h elapsed, emergency: 1 working day}, modes_move_running: true"
    )
    assert found == Objective(
        "task",
        Budget(BudgetKind.DAYS, days=3, is_end_of_day=True),
        stops=frozenset({"responded"}),
        resets=frozenset({"changed:scope", "signalled"}),
        cancels=frozenset({"signalled:off"}),
        paused_by=frozenset({"*"}),
        paused_between=(("stage_entered:documents", "stage_left:documents"), ("assigned:legal", "responded")),
        ladder=(Rung(RungKind.BREACH, 1, roles=("team_lead",)),),
        longest_pause=LongestPause(10 * HOUR, BudgetKind.WORKING, ("team_lead",), resumes=True),
        modes={Mode.PEAK: Budget(BudgetKind.ELAPSED, 36 * HOUR), Mode.EMERGENCY: Budget(BudgetKind.DAYS, days=1)},
        modes_move_running=True,
        party=Party.SUPPLIER,
        calendar="taiwan",
        restarts_on_change=True,
    )


def test_what_is_not_said_is_the_usual() -> None:
    found = objective("budget: 1h elapsed, stops: closed, on_change: keep, modes_move_running: false")
    assert found == objective("budget: 1h elapsed, stops: closed")
    assert (found.party, found.calendar, found.longest_pause, dict(found.modes)) == (Party.CUSTOMER, None, None, {})
    assert found.starts == {"submitted"}


def test_a_ladder_is_read() -> None:
    found = objective(
        "budget: 8h working, stops: closed, "
        "warnings: [{fraction: 0.5, roles: a}, {before: 2h, roles: a}, {before: 30m working, roles: [a, b]}], "
        "escalations: [{after: 1h, roles: a}, {after: 8h working, roles: a, every: 4h working, times: 5}]"
    )
    working = BudgetKind.WORKING
    assert found.ladder == (
        Rung(RungKind.WARNING, 1, fraction=0.5, roles=("a",)),
        Rung(RungKind.WARNING, 2, after=-2 * HOUR, roles=("a",)),
        Rung(RungKind.WARNING, 3, after=-HOUR / 2, counts=working, roles=("a", "b")),
        Rung(RungKind.BREACH, 1, roles=("team_lead",)),
        Rung(RungKind.ESCALATION, 1, after=HOUR, roles=("a",)),
        Rung(RungKind.ESCALATION, 2, None, 8 * HOUR, working, ("a",), 4 * HOUR, 5),
    )


def facts(kind: str, market: str = "HK", priority: str = "normal") -> Facts:
    return Facts(kind=kind, market=market, channel="app", priority=priority, customer_tier="standard")


@pytest.mark.parametrize(("kind", "market", "priority"), list(product(RequestKind, Market, Priority)))
def test_every_request_is_promised_a_response_within_a_day_and_a_resolution(
    kind: str, market: str, priority: str
) -> None:
    policy = SHIPPED.policy_for(facts(kind, market, priority))
    response, resolution = policy.objective("response"), policy.objective("resolution")
    assert response is not None
    assert resolution is not None
    assert response.budget.span <= HOUR * (8 if response.budget.kind is BudgetKind.WORKING else 24)
    for promised in policy.objectives:
        assert [rung.kind for rung in promised.ladder].count(RungKind.BREACH) == 1


def test_the_first_policy_that_matches_wins() -> None:
    assert SHIPPED.policy_for(facts("claim", "CN")).code == "claim_mainland"
    assert SHIPPED.policy_for(facts("claim", "CN", "urgent")).code == "claim_urgent"
    assert SHIPPED.policy_for(facts("claim")).code == "claim"
    assert SHIPPED.policy_for(facts("enquiry", "TW")).code == "enquiry"


def test_the_example_of_the_howto_can_be_put_in_force() -> None:
    example = HOWTO.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    read_rulebook(RuleSources(example, CALENDARS))


def test_policies_and_objectives_can_be_found_in_their_text() -> None:
    lines = policy_lines(BEFORE, "policies.yml")
    assert lines["claim_urgent"] == 5
    assert lines["everything"] > lines["claim_urgent.resolution"] > lines["claim_urgent.response"] > 5


def test_the_digest_changes_with_either_text() -> None:
    digests = {RuleSources(a, b).digest for a, b in [("x", "y"), ("x", "z"), ("w", "y"), ("", "xy"), ("xy", "")]}
    assert len(digests) == 5
