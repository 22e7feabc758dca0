"""What people decided stands: no rule passes what failed, ends what they took back, or undoes an assignment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import moves
from services.intake.domain.automation.deciding import Case, next_action
from services.intake.domain.automation.reading import read_automation
from services.intake.domain.automation.rules import RuleSet
from services.intake.domain.automation.staying import BY, count_stays
from services.intake.domain.changes import HeldBack
from services.intake.domain.life import State
from services.intake.domain.moves import Move
from services.intake.domain.refusing import MoveRefused
from tests.unit.intake.automation.test_acting import NEVER_HELD, NEW, NOW, acted, assessed, moved, run, submitted

FAILED = moves.RecordControl("cover_checked", is_passed=False, recorded={"cover_in_force": False})
PASSED = moves.RecordControl("cover_checked", is_passed=True, recorded={"cover_in_force": True})
RECEIPT = moves.Attach(NEW, "application/pdf", 12, "0" * 64, "receipts")


def rules_of(*rules: str) -> RuleSet:
    return read_automation('format: "1"\nrules:\n' + "".join(f"  - {rule}\n" for rule in rules), "automation.yml")


def test_a_control_point_that_a_person_failed_is_not_passed_by_a_rule() -> None:
    case = moved(submitted(amount=800), moves.EnterStage("assessment"))
    case = moved(moved(case, FAILED), RECEIPT)
    assert run(case, NEVER_HELD)[1] == []
    assert (case.life.state, case.life.controls) == (State.OPEN, {"cover_checked": False})
    assert run(moved(case, PASSED), NEVER_HELD)[0].life.outcome == "paid"  # the person looked again


def test_nothing_is_paid_while_somebody_outside_is_waited_for() -> None:
    case = moved(submitted(amount=800), moves.EnterStage("assessment"))
    case = moved(moved(case, moves.Pause("third_party")), RECEIPT)
    assert run(case, NEVER_HELD)[1] == []
    assert run(moved(case, moves.Resume("third_party")), NEVER_HELD)[1] == ["small_travel_claim"]


def paid() -> Case:
    return run(assessed(submitted(amount=800)), NEVER_HELD)[0]


def declined() -> Case:
    return moved(assessed(submitted(amount=800)), moves.Close("declined", None, "fraud"))


def test_what_people_open_again_no_rule_ends_again() -> None:
    for ended in (paid(), declined()):
        case, fired = run(moved(ended, moves.Reopen("our_mistake")), NEVER_HELD)
        assert (fired, case.life.state, case.life.cycle) == ([], State.OPEN, 2)
        case, fired = run(moved(case, RECEIPT), NEVER_HELD)
        assert (fired, case.life.state) == ([], State.OPEN)


@pytest.mark.parametrize("way", [("documents", "assessment"), ("decision", "assessment")])
def test_what_people_send_back_no_rule_ends(way: tuple[str, ...]) -> None:
    case = moved(assessed(submitted(amount=800)), PASSED)
    for stage in way:
        case = moved(case, moves.EnterStage(stage))
    assert (case.life.stage, case.get("stays")) == ("assessment", 2)
    assert run(case, NEVER_HELD)[1] == []


PAYS = "{rule: pays, when: {stage: assessment%s}, do: [{control: cover_checked, recorded: {cover_in_force: true}}, %s]}"
TO_THE_END = "{stage: decision}, {stage: payment}, {close: paid}"


def test_a_rule_may_ask_for_what_was_opened_again_and_for_what_was_sent_back() -> None:
    again = rules_of(PAYS % (", cycle: 2", TO_THE_END))
    reopened = moved(paid(), moves.Reopen("payment_failed"))
    sent_back = moved(
        moved(assessed(submitted(amount=800)), moves.EnterStage("documents")), moves.EnterStage("assessment")
    )
    assert run(reopened, again)[0].life.outcome == "paid"
    assert run(sent_back, again)[1] == []
    back = rules_of(PAYS % (", stays: {at_most: 2}", TO_THE_END))
    assert run(sent_back, back)[0].life.outcome == "paid"
    assert run(reopened, back)[1] == []


def test_stays_are_counted_at_each_stage_and_anew_after_a_reopening() -> None:
    case = submitted(amount=800)
    found = [case.get("stays")]
    for stage in ("assessment", "documents", "assessment", "documents"):
        case = moved(case, moves.EnterStage(stage))
        found.append(case.get("stays"))
    assert found == [1, 1, 1, 2, 2]
    case = moved(moved(case, moves.Close("declined", None, "fraud")), moves.Reopen("our_mistake"))
    assert (case.life.stage, case.get("stays")) == ("assessment", 1)


what = st.sampled_from(
    [
        *(moves.EnterStage(stage) for stage in ("assessment", "documents", "decision", "payment")),
        PASSED,
        FAILED,
        RECEIPT,
        moves.Note(None),
        moves.Pause("third_party"),
        moves.Resume("third_party"),
        moves.Close("declined", None, "fraud"),
        moves.Reopen("our_mistake"),
    ]
)


@given(st.lists(what, max_size=15))
def test_whatever_people_do_a_rule_ends_a_request_once_and_never_what_they_failed_or_took_back(
    life: list[Move],
) -> None:
    case, endings = submitted(amount=800), 0
    for move in life:
        try:
            case = moved(case, move)
        except MoveRefused:
            continue
        before = case
        case, fired = run(case, NEVER_HELD)
        if "small_travel_claim" in fired:
            endings += 1
            assert (before.life.cycle, count_stays(before.history)) == (1, 1)
            assert before.life.state is State.OPEN
            assert before.life.controls.get("cover_checked") is not False
    assert endings <= 1


TO_HK = "{rule: to_hk, when: {market: HK}, do: [{assign: claims_hk}%s]}"


@pytest.mark.parametrize("also", ["", ", {signal: told}"])
def test_a_reassignment_by_a_person_is_not_undone(also: str) -> None:
    rules = rules_of(TO_HK % also)
    case, fired = run(submitted(amount=800), rules)
    assert (fired, case.life.team) == (["to_hk"], "claims_hk")
    case = run(moved(case, moves.EnterStage("assessment")), rules)[0]  # where the team is so already
    case = run(moved(case, moves.Assign("fraud_team", "s-9")), rules)[0]
    assert (case.life.team, case.life.handler) == ("fraud_team", "s-9")
    version = moved(case, moves.Note(None)).life.version
    case, fired = run(moved(case, moves.Note(None)), rules)
    assert (fired, case.life.version) == ([], version)


def test_a_team_that_had_the_request_at_the_stage_before_may_get_it_again() -> None:
    rules = rules_of("{rule: back, when: {stage: assessment}, do: [{assign: claims_hk}]}")
    case = moved(moved(submitted(amount=800), moves.Assign("claims_hk")), moves.Assign("fraud_team"))
    case, fired = run(moved(case, moves.EnterStage("assessment")), rules)
    assert (fired, case.life.team) == (["back"], "claims_hk")


HELD = "{rule: careful, when: {stage: assessment}, held_back: 1, do: [%s]}" % (
    "{control: cover_checked, recorded: {cover_in_force: true}}, " + TO_THE_END
)


def after_all(case: Case, rules: RuleSet) -> tuple[Case, list[str]]:
    """Like ``run``, and what is held back is written down."""
    fired = []
    while (action := next_action(rules, case, NOW, NEW)) is not None:
        fired.append(action.rule)
        case = acted(case, action.changes or (HeldBack(action.rule),), action.cause, BY)
    return case, fired


def test_what_one_rule_leaves_to_people_no_other_one_ends() -> None:
    rules = rules_of(HELD, PAYS % ("", TO_THE_END), "{rule: tells, when: {kind: claim}, do: [{signal: told}]}")
    case, fired = after_all(assessed(submitted(amount=800)), rules)
    assert (fired, case.life.state) == (["careful", "tells"], State.OPEN)
    case, fired = after_all(moved(case, moves.Note(None)), rules)
    assert (fired, case.life.state) == ([], State.OPEN)


def test_nor_is_it_ended_by_rules_that_take_it_further_first() -> None:
    rules = rules_of(
        HELD,
        PAYS % ("", "{stage: decision}"),
        "{rule: on, when: {stage: decision}, do: [{stage: payment}]}",
        "{rule: ends, when: {stage: payment}, do: [{close: paid}]}",
    )
    case, fired = after_all(assessed(submitted(amount=800)), rules)
    assert (fired, case.life.stage, case.life.state) == (["careful", "pays", "on"], "payment", State.OPEN)
    no_share = RuleSet((replace(rules.rules[0], held_back=0.0), *rules.rules[1:]))
    assert after_all(assessed(submitted(amount=800)), no_share)[0].life.outcome == "paid"


def test_what_people_take_further_is_no_longer_left_to_them() -> None:
    rules = rules_of(HELD, "{rule: ends, when: {stage: payment}, do: [{close: paid}]}")
    case, fired = after_all(moved(assessed(submitted(amount=800)), PASSED), rules)
    assert fired == ["careful"]
    for stage in ("decision", "payment"):
        case = moved(case, moves.EnterStage(stage))
    assert after_all(case, rules)[0].life.outcome == "paid"
