"""Rules act where they apply and the process allows it, once at a stage, and leave a share to people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import moves
from services.intake.domain.automation.deciding import Action, Case, Past, is_held_back, next_action
from services.intake.domain.automation.reading import read_automation
from services.intake.domain.automation.rules import OpenStep, RuleSet
from services.intake.domain.automation.staying import BY
from services.intake.domain.automation.trying import Trial
from services.intake.domain.changes import Closed, Complained, Split, StageEntered, Submitted
from services.intake.domain.deciding import decide
from services.intake.domain.history import Entry
from services.intake.domain.life import begin, evolve
from services.intake.domain.moves import Move
from services.intake.domain.process import Process
from shared.contracts.payload import AttributeValue, Priority, RequestKind
from tests.unit.intake.automation.test_reading import SHIPPED
from tests.unit.intake.shipped import PROCESSES, process_of

NEW = UUID(int=9)
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TRAVEL = process_of("claim", "travel")
ON = read_automation(SHIPPED.replace("on: false", "on: true"), "automation.yml")
NEVER_HELD = RuleSet(tuple(replace(rule, held_back=0.0) for rule in ON.rules))


IN_FORCE: dict[str, AttributeValue] = {
    "policy_from": "2026-01-01",
    "incident_date": "2026-11-20",
    "policy_to": "2026-12-31",
}


def submitted(**attributes: AttributeValue) -> Case:
    given = IN_FORCE | attributes
    change = Submitted(
        RequestKind.CLAIM, 1, "received", product_line="travel", process="claim_travel", attributes=given
    )
    entry = Entry(1, change, NOW, NOW, "app")
    return Case(UUID(int=7), "app", "HK", begin(change, NOW), TRAVEL, (entry,))


def doubted(case: Case) -> Case:
    return replace(case, life=replace(case.life, doubts=("amount_implausible",)))


def moved(case: Case, move: Move, cause: str | None = None) -> Case:
    for change in decide(case.process, case.life, move, NOW):
        case = acted(case, (change,), cause)
    return case


def assessed(case: Case) -> Case:
    """At the stage where the shipped rule acts, with the receipts."""
    return moved(moved(case, moves.EnterStage("assessment")), moves.ReceiveDocuments(("receipts",)))


def acted(case: Case, changes: tuple[object, ...], cause: str | None, by: str = "app") -> Case:
    for number, change in enumerate(changes):
        life = evolve(case.life, change, NOW)  # type: ignore[arg-type]
        why = cause if number == 0 else f"entry:{life.version - 1}"
        entry = Entry(life.version, change, NOW, NOW, by, why)  # type: ignore[arg-type]
        case = replace(case, life=life, history=(*case.history, entry))
    return case


def run(case: Case, rules: RuleSet) -> tuple[Case, list[str]]:
    """Until nothing acts any more."""
    fired = []
    while (action := next_action(rules, case, NOW, NEW)) is not None and action.changes:
        fired.append(action.rule)
        case = acted(case, action.changes, action.cause, BY)
        assert len(fired) < 20
    return case, fired


def test_a_small_claim_goes_straight_through_and_the_history_names_the_rule() -> None:
    case, fired = run(assessed(submitted(amount=800)), NEVER_HELD)
    assert fired == ["small_travel_claim"]
    assert case.life.outcome == "paid"
    assert [entry.cause for entry in case.history[3:]] == ["rule:small_travel_claim", "entry:4", "entry:5", "entry:6"]


@pytest.mark.parametrize(
    "case",
    [
        submitted(amount=2001),
        submitted(),
        replace(submitted(amount=800), past=Past(requests=3)),
        doubted(submitted(amount=800)),
        submitted(amount=800, incident_date="2025-12-31"),
        submitted(amount=800, incident_date="2027-01-01"),
        submitted(amount=800, policy_to="never"),
        submitted(amount=800, policy_from=20260101),
    ],
    ids=["too much", "no amount", "claims often", "doubtful", "before cover", "after cover", "no end", "no date"],
)
def test_a_claim_that_does_not_meet_every_condition_is_left_to_people(case: Case) -> None:
    assert run(assessed(case), NEVER_HELD)[1] == []


@pytest.mark.parametrize("name", IN_FORCE)
def test_cover_is_not_taken_to_be_in_force_while_a_date_is_missing(name: str) -> None:
    case = submitted(amount=800)
    life = replace(case.life, attributes={n: v for n, v in case.life.attributes.items() if n != name})
    assert (case.get("is_in_force"), replace(case, life=life).get("is_in_force")) == (True, False)


@pytest.mark.parametrize("day", ["2026-01-01", "2026-12-31"])
def test_the_first_and_the_last_day_of_a_policy_are_within_it(day: str) -> None:
    assert submitted(incident_date=day).get("is_in_force") is True


def test_documents_are_not_complete_because_nobody_asked_for_any() -> None:
    case = moved(submitted(amount=800), moves.EnterStage("assessment"))
    assert (case.get("documents_missing"), case.get("documents_received")) == (0, 0)
    assert next_action(NEVER_HELD, case, NOW, NEW) is None


def test_a_document_that_came_twice_or_under_no_name_is_counted_as_what_it_is() -> None:
    case = assessed(submitted(amount=800))
    for name in ("receipts", "report", None):
        case = moved(case, moves.Attach(UUID(int=3), "application/pdf", 12, "0" * 64, name))
    assert case.get("documents_received") == 2


def test_missing_documents_keep_it_from_going_through_until_they_are_there() -> None:
    case = moved(submitted(amount=800), moves.EnterStage("assessment"))
    case = moved(case, moves.Pause("customer_documents", ("receipts",)))
    assert next_action(NEVER_HELD, case, NOW, NEW) is None
    case = moved(case, moves.ReceiveDocuments(("receipts",)))
    assert run(case, NEVER_HELD)[1] == ["small_travel_claim"]


def test_the_next_stage_begins_by_itself_when_the_control_points_are_passed() -> None:
    case = assessed(submitted(amount=9000))
    assert next_action(NEVER_HELD, case, NOW, NEW) is None
    case = moved(case, moves.RecordControl("cover_checked", is_passed=True, recorded={"cover_in_force": True}))
    action = next_action(NEVER_HELD, case, NOW, NEW)
    assert action == Action("next_when_complete", (StageEntered("assessment", "decision"),))


STAGES = [(process, stage) for process in PROCESSES.values() for stage in process.stages]


def at_stage(process: Process, stage: str, **controls: bool) -> Case:
    """With every attribute that the stage asks for."""
    case = submitted(**dict.fromkeys(process.stages[stage].required, 1))
    return replace(case, process=process, life=replace(case.life, stage=stage, controls=controls))


@pytest.mark.parametrize(("process", "stage"), STAGES, ids=[f"{process.code}.{stage}" for process, stage in STAGES])
def test_no_stage_ends_by_itself_before_somebody_passed_every_control_point_of_it(process: Process, stage: str) -> None:
    rules = RuleSet(tuple(rule for rule in ON.rules if rule.code == "next_when_complete"))
    points = list(process.stages[stage].control_points)
    for number in range(len(points)):
        case = at_stage(process, stage, **dict.fromkeys(points[:number], True))
        assert (case.get("controls_passed"), case.get("controls_missing")) == (number, len(points) - number)
        assert next_action(rules, case, NOW, NEW) is None
        failed = at_stage(process, stage, **{point: place != number for place, point in enumerate(points)})
        assert next_action(rules, failed, NOW, NEW) is None
    action = next_action(rules, at_stage(process, stage, **dict.fromkeys(points, True)), NOW, NEW)
    following = process.stages[stage].next
    asks = stage in {"assessment", "survey", "risk_assessment", "investigation"} and points and len(following) == 1
    assert action == (Action("next_when_complete", (StageEntered(stage, following[0]),)) if asks else None)


def test_a_rule_acts_once_at_a_stage_and_again_when_it_is_entered_again() -> None:
    text = 'format: "1"\nrules: [{rule: tell, when: {stage: assessment}, do: [{signal: begun}]}]'
    rules = read_automation(text, "automation.yml")
    case = moved(submitted(amount=1), moves.EnterStage("assessment"))
    case, fired = run(case, rules)
    assert fired == ["tell"]
    case = moved(moved(case, moves.EnterStage("documents")), moves.EnterStage("assessment"))
    assert run(case, rules)[1] == ["tell"]


def test_a_rule_that_is_off_and_a_request_that_is_over_do_nothing() -> None:
    case = assessed(submitted(amount=800))
    off = RuleSet(tuple(replace(rule, is_on=False) for rule in NEVER_HELD.rules))
    assert next_action(off, case, NOW, NEW) is None
    over = moved(case, moves.Cancel("duplicate"))
    assert next_action(NEVER_HELD, over, NOW, NEW) is None


def test_what_the_process_forbids_no_rule_does() -> None:
    text = 'format: "1"\nrules: [{rule: pay, when: {kind: claim}, do: [{close: paid}]}]'
    assert next_action(read_automation(text, "automation.yml"), submitted(amount=1), NOW, NEW) is None


ASSIGNING = """\
format: "1"
rules: [{rule: to_team_b, when: {kind: claim}, do: [{assign: team_b}, {stage: assessment}]}]
"""


@pytest.mark.parametrize("team", [None, "team_a", "team_b"])
def test_a_step_that_is_so_already_is_done(team: str | None) -> None:
    case = submitted(amount=1)
    case = case if team is None else moved(case, moves.Assign(team))
    case, fired = run(case, read_automation(ASSIGNING, "automation.yml"))
    assert (fired, case.life.team, case.life.stage) == (["to_team_b"], "team_b", "assessment")


def test_a_rule_all_of_whose_steps_are_so_already_does_nothing() -> None:
    rules = read_automation(ASSIGNING.replace(", {stage: assessment}", ""), "automation.yml")
    assert next_action(rules, moved(submitted(amount=1), moves.Assign("team_b")), NOW, NEW) is None
    assert run(moved(submitted(amount=1), moves.Assign("team_a")), rules)[1] == ["to_team_b"]


@given(st.floats(0, 1))
def test_the_share_that_is_held_back_is_the_one_asked_for(share: float) -> None:
    rule = replace(ON.rules[0], held_back=share)
    case = submitted(amount=1)
    held = sum(is_held_back(rule, replace(case, request_id=UUID(int=n))) for n in range(2000))
    assert abs(held / 2000 - share) < 0.06  # six deviations at one half


def test_who_is_held_back_does_not_change_and_is_said() -> None:
    held = RuleSet((replace(ON.rules[0], held_back=1.0),))
    case = assessed(submitted(amount=800))
    first = next_action(held, case, NOW, NEW)
    assert first == next_action(held, case, NOW + timedelta(days=1), NEW)
    assert first == Action("small_travel_claim", (), is_held_back=True)


FOLLOWING_UP = RuleSet(tuple(rule for rule in ON.rules if rule.code == "follow_up_low_score"))
OPENED = Complained(NEW)


def closed(case: Case) -> Case:
    return acted(case, (Closed("withdrawn"),), None)


def rated(case: Case, score: int) -> Case:
    return moved(case, moves.GiveFeedback(score))


@pytest.mark.parametrize("score", [1, 2, 3, 5])
def test_a_low_score_of_a_closed_request_opens_a_complaint(score: int) -> None:
    case = rated(closed(submitted(amount=1)), score)
    action = next_action(FOLLOWING_UP, case, NOW, NEW)
    expected = Action("follow_up_low_score", (OPENED,), opens=OpenStep(RequestKind.COMPLAINT))
    assert action == (expected if score <= 2 else None)


def test_it_opens_one_and_never_another_whatever_comes_then() -> None:
    case = rated(closed(submitted(amount=1)), 1)
    case, fired = run(case, FOLLOWING_UP)
    assert fired == ["follow_up_low_score"]
    case = rated(case, 2)
    assert run(case, FOLLOWING_UP)[1] == []
    for reopened in decide(case.process, case.life, moves.Reopen("new_evidence"), NOW):
        case = acted(case, (reopened,), None)
    assert run(rated(closed(case), 1), FOLLOWING_UP)[1] == []


def test_the_score_of_a_closing_that_was_taken_back_says_nothing_of_the_next_one() -> None:
    case = rated(closed(submitted(amount=1)), 1)
    for reopened in decide(case.process, case.life, moves.Reopen("new_evidence"), NOW):
        case = acted(case, (reopened,), None)
    assert (case.life.score, case.get("score")) == (None, None)
    assert run(closed(case), FOLLOWING_UP)[1] == []
    assert run(rated(closed(case), 2), FOLLOWING_UP)[1] == ["follow_up_low_score"]


def test_only_rules_about_the_score_look_at_what_is_over() -> None:
    text = 'format: "1"\nrules: [{rule: open_it, when: {kind: claim}, do: [{open: complaint}]}]'
    rules = read_automation(text, "automation.yml")
    assert run(submitted(amount=1), rules)[1] == ["open_it"]
    assert run(closed(submitted(amount=1)), rules)[1] == []
    assert (rules.acts_on_ended, FOLLOWING_UP.acts_on_ended) == (False, True)


def test_what_a_rule_opened_opens_no_more() -> None:
    text = 'format: "1"\nrules: [{rule: for_ever, when: {kind: [claim, complaint]}, do: [{open: complaint}]}]'
    case = submitted(amount=1)
    by_a_rule = replace(case, history=(replace(case.history[0], by="automation", cause="rule:for_ever"),))
    assert next_action(read_automation(text, "automation.yml"), by_a_rule, NOW, NEW) is None


def test_a_part_of_another_kind_is_opened_while_the_request_is_open() -> None:
    text = 'format: "1"\nrules: [{rule: ask, when: {score: {at_most: 2}}, do: [{open: enquiry, priority: high}]}]'
    rules = read_automation(text, "automation.yml")
    action = next_action(rules, rated(submitted(amount=1), 1), NOW, NEW)
    assert action == Action("ask", (Split(NEW),), opens=OpenStep(RequestKind.ENQUIRY, Priority.HIGH))
    assert next_action(rules, rated(closed(submitted(amount=1)), 1), NOW, NEW) is None  # the process forbids it


def test_a_share_of_low_scores_may_be_left_to_people() -> None:
    held = RuleSet((replace(FOLLOWING_UP.rules[0], held_back=1.0),))
    action = next_action(held, rated(closed(submitted(amount=1)), 1), NOW, NEW)
    assert action == Action("follow_up_low_score", (), is_held_back=True)


def test_a_trial_counts_low_scores_that_came_after_the_end() -> None:
    trial = Trial(FOLLOWING_UP, most_listed=2, until=NOW)
    for number, score in enumerate((1, 2, 3, 5)):
        trial.take(f"R-{number}", rated(closed(submitted(amount=1)), score))
    result = trial.results["follow_up_low_score"]
    assert (trial.requests, result.acted, result.times) == (4, 2, 2)
    assert [found.sequence for found in result.listed] == [3, 3]


def test_a_trial_says_how_often_a_rule_would_have_acted_and_whether_people_did_the_same() -> None:
    trial = Trial(RuleSet(tuple(replace(rule, is_on=False) for rule in ON.rules)), most_listed=2, until=NOW)
    endings = ["paid", "paid", "declined", None]
    for number, outcome in enumerate(endings):
        case = assessed(submitted(amount=800))
        if outcome == "declined":
            case = moved(case, moves.Close("declined", None, "fraud"))
        elif outcome == "paid":
            case = moved(case, moves.RecordControl("cover_checked", is_passed=True, recorded={"cover_in_force": True}))
            for stage in ("decision", "payment"):
                case = moved(case, moves.EnterStage(stage))
            case = acted(case, (Closed("paid"),), None)
        trial.take(f"R-{number}", case)
    result = trial.results["small_travel_claim"]
    assert (trial.requests, result.acted, result.agreed, result.disagreed) == (4, 4, 2, 1)
    assert [found.reference for found in result.listed] == ["R-0", "R-1"]
    assert [found.sequence for found in result.listed] == [3, 3]
    assert trial.results["next_when_complete"].acted == 2
