"""A trial counts what would repeat, tells apart what is left to people, and takes no rule for people."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import moves
from services.intake.domain.automation.deciding import Case, is_held_back, next_action
from services.intake.domain.automation.reading import read_automation
from services.intake.domain.automation.rules import RuleSet
from services.intake.domain.automation.staying import BY
from services.intake.domain.automation.trying import RuleTrial, Trial
from services.intake.domain.changes import HeldBack
from services.intake.domain.moves import Move
from services.intake.domain.refusing import MoveRefused
from tests.unit.intake.automation import lives
from tests.unit.intake.automation.test_acting import NEVER_HELD, NEW, NOW, ON, acted, assessed, moved, run, submitted
from tests.unit.intake.shipped import process_of

PAYS = RuleSet((NEVER_HELD.rules[0],))
SIGNALS = 'format: "1"\nrules: [{rule: tell, held_back: %s, when: {kind: claim}, do: [{signal: told}]}]'


def tried(rules: RuleSet, *cases: Case) -> RuleTrial:
    trial = Trial(rules, most_listed=100, until=NOW)
    for number, case in enumerate(cases):
        trial.take(f"R-{number}", case)
    (result,) = trial.results.values()
    return result


def test_a_rule_that_acted_three_times_is_told_to_act_three_times() -> None:
    rules = read_automation('format: "1"\nrules: [{rule: on, when: {kind: claim}, do: [{stage: next}]}]', "a.yml")
    case = replace(submitted(), process=process_of("claim", "marine"))
    case, fired = run(case, rules)
    assert (fired, case.life.stage) == (["on"] * 3, "payment")
    result = tried(rules, case)
    assert (result.acted, result.times, [each.sequence for each in result.listed]) == (1, 3, [1, 2, 3])


def test_a_rule_does_not_agree_with_itself() -> None:
    case, fired = run(assessed(submitted(amount=800)), PAYS)
    assert (fired, case.life.outcome) == (["small_travel_claim"], "paid")
    result = tried(PAYS, case)
    assert (result.acted, result.times, result.agreed, result.disagreed) == (1, 1, 0, 0)
    case = moved(moved(case, moves.Reopen("our_mistake")), moves.Close("declined", None, "fraud"))
    result = tried(PAYS, case)
    # What was reopened it leaves alone, and it was wrong the first time.
    assert (result.acted, result.times, result.agreed, result.disagreed) == (1, 1, 0, 1)


def test_what_a_rule_would_have_ended_it_does_not_end_again_at_another_stay() -> None:
    case = assessed(submitted(amount=800))
    case = moved(moved(case, moves.EnterStage("documents")), moves.EnterStage("assessment"))
    assert (tried(PAYS, case).acted, tried(PAYS, case).times) == (1, 1)


@pytest.mark.parametrize(
    ("ending", "agrees"),
    [
        (moves.Close("withdrawn", None), False),
        (moves.Cancel("duplicate"), False),
        (moves.MergeInto(UUID(int=8)), False),
        (moves.Note(None), None),
    ],
)
def test_who_cancels_or_merges_does_otherwise_than_a_rule_that_pays(ending: Move, agrees: bool | None) -> None:
    result = tried(PAYS, moved(assessed(submitted(amount=800)), ending))
    assert (result.agreed, result.disagreed) == (0, int(agrees is False))
    assert [each.agrees for each in result.listed] == [agrees]


@pytest.mark.parametrize("outcome", [None, "declined"])
def test_what_is_held_back_is_told_apart_and_compared_with_people(outcome: str | None) -> None:
    never = RuleSet((replace(ON.rules[0], held_back=1.0),))
    case = assessed(submitted(amount=800))
    case = case if outcome is None else moved(case, moves.Close(outcome, None, "fraud"))
    result = tried(never, case)
    assert (result.acted, result.times, result.held_back) == (0, 0, 1)
    assert (result.agreed, result.disagreed) == (0, outcome is not None)
    assert [each.is_held_back for each in result.listed] == [True]


def test_the_requests_held_back_in_a_trial_are_those_that_the_rule_leaves_to_people() -> None:
    (rule,) = rules = (replace(ON.rules[0], held_back=0.3),)
    cases = [replace(assessed(submitted(amount=800)), request_id=UUID(int=number)) for number in range(100)]
    held = sum(is_held_back(rule, case) for case in cases)
    result = tried(RuleSet(rules), *cases)
    assert 0 < held < 100
    assert (result.held_back, result.acted) == (held, 100 - held)


what = st.sampled_from(
    [
        moves.EnterStage("assessment"),
        moves.EnterStage("documents"),
        moves.Note(None),
        moves.Pause("customer_documents", ("receipts",)),
        moves.ReceiveDocuments(("receipts",)),
        moves.Close("withdrawn", None),
        moves.Reopen("our_mistake"),
    ]
)


@given(st.lists(what, max_size=15), st.sampled_from(["0", "0.5", "1"]))
def test_a_trial_finds_what_a_rule_that_is_on_does(life: list[Move], share: str) -> None:
    """Of a rule that changes nothing; it may stand in the history or not."""
    rules = read_automation(SIGNALS % share, "automation.yml")
    untouched, touched, told, held = lives.submitted(), lives.submitted(), 0, 0
    for move in (None, *life):
        try:
            untouched = untouched if move is None else lives.moved(untouched, move, NOW)
        except MoveRefused:
            continue
        touched = touched if move is None else lives.moved(touched, move, NOW)
        while (action := next_action(rules, touched, NOW, NEW)) is not None:
            told += not action.is_held_back
            held += action.is_held_back
            touched = acted(touched, action.changes or (HeldBack(action.rule),), action.cause, BY)
    for case in (untouched, touched):
        result = tried(rules, case)
        assert result.times == told
        assert sum(each.is_held_back for each in result.listed) == held
        assert (result.acted, result.held_back) == (told > 0, held > 0)
