"""What rules do with a request that follows another process: another stage is another stay, the same one is not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import moves
from services.intake.domain.automation.deciding import Case
from services.intake.domain.automation.rules import RuleSet
from services.intake.domain.automation.staying import acted_here, count_stays, is_left_to_people, teams_here
from services.intake.domain.automation.waiting import read_wait
from services.intake.domain.changes import ControlRecorded
from services.intake.domain.moves import Move
from services.intake.domain.process import Process
from services.intake.domain.refusing import MoveRefused
from tests.unit.intake.automation.test_acting import NEVER_HELD, TRAVEL, assessed, moved, run, submitted
from tests.unit.intake.automation.test_people_first import FAILED, HELD, PASSED, TO_HK, TO_THE_END, after_all, rules_of

SAME_STAGES = replace(TRAVEL, version=2)
RENAMED = replace(
    TRAVEL,
    version=2,
    stages={
        {"assessment": "survey"}.get(name, name): replace(
            stage, next=tuple({"assessment": "survey"}.get(n, n) for n in stage.next)
        )
        for name, stage in TRAVEL.stages.items()
    },
)
ENDS = "{rule: ends, when: {stage: %s}, do: [%s]}"
CHECKS = "{rule: checks, when: {stage: assessment}, do: [{control: cover_checked, recorded: {cover_in_force: true}}]}"


def followed(case: Case, process: Process, stage: str | None = None) -> Case:
    case = moved(case, moves.FollowProcess(process, "new_version", process.code, stage))
    return replace(case, process=process)


def test_a_rule_acts_at_the_stage_that_another_process_takes_the_request_to() -> None:
    rules = rules_of("{rule: tells, when: {kind: claim}, do: [{signal: told}]}")
    case, fired = run(assessed(submitted(amount=800)), rules)
    assert fired == ["tells"]
    assert run(followed(case, RENAMED, "survey"), rules)[1] == ["tells"]


def test_what_was_left_to_people_is_not_any_more_when_they_take_it_to_another_stage_so() -> None:
    rules = rules_of(HELD, ENDS % ("survey", TO_THE_END))
    case, fired = after_all(moved(assessed(submitted(amount=800)), PASSED), rules)
    assert fired == ["careful"]
    case = moved(followed(case, RENAMED, "survey"), PASSED)
    assert after_all(case, rules)[0].life.outcome == "paid"


def test_at_the_same_stage_it_stays_left_to_people() -> None:
    rules = rules_of(HELD, ENDS % ("assessment", TO_THE_END))
    case = after_all(moved(assessed(submitted(amount=800)), PASSED), rules)[0]
    case = moved(followed(case, SAME_STAGES), PASSED)
    assert after_all(case, rules)[1] == []


def test_a_rule_gives_it_to_its_team_again_at_another_stage_and_not_at_the_same_one() -> None:
    rules = rules_of(TO_HK % "")
    case = moved(run(assessed(submitted(amount=800)), rules)[0], moves.Assign("fraud_team"))
    assert run(followed(case, SAME_STAGES), rules)[0].life.team == "fraud_team"
    assert run(followed(case, RENAMED, "survey"), rules)[0].life.team == "claims_hk"


def test_a_rule_passes_again_what_another_process_at_the_same_stage_took_back() -> None:
    rules = rules_of(CHECKS, "{rule: tells, when: {kind: claim}, do: [{signal: told}]}")
    case, fired = run(assessed(submitted(amount=800)), rules)
    assert fired == ["checks", "tells"]
    case = followed(case, SAME_STAGES)
    assert case.life.controls == {}
    case, fired = run(case, rules)
    assert (fired, case.life.controls) == (["checks"], {"cover_checked": True})


def test_no_rule_passes_what_a_person_failed_before_the_request_followed_another_process() -> None:
    case = followed(moved(assessed(submitted(amount=800)), FAILED), SAME_STAGES)
    assert run(case, rules_of(CHECKS))[1] == []
    assert run(case, NEVER_HELD)[1] == []
    case = moved(run(assessed(submitted(amount=800)), rules_of(CHECKS))[0], FAILED)
    assert run(followed(case, SAME_STAGES), rules_of(CHECKS))[1] == []
    assert run(moved(followed(case, SAME_STAGES), PASSED), NEVER_HELD)[0].life.outcome == "paid"


def test_a_stage_later_the_failing_is_forgotten() -> None:
    case = moved(followed(moved(assessed(submitted(amount=800)), FAILED), SAME_STAGES), moves.EnterStage("documents"))
    assert run(moved(case, moves.EnterStage("assessment")), rules_of(CHECKS))[1] == ["checks"]


what = st.sampled_from(
    [
        *(moves.EnterStage(stage) for stage in ("assessment", "survey", "documents", "decision")),
        PASSED,
        FAILED,
        moves.Assign("fraud_team"),
        moves.Assign("claims_hk"),
        moves.Close("declined", None, "fraud"),
        moves.Reopen("our_mistake"),
        *(("follow", process, stage) for process in (TRAVEL, RENAMED, SAME_STAGES) for stage in (None, "survey")),
    ]
)


@given(st.lists(what, max_size=12))
def test_every_reader_of_a_history_sees_the_same_stays(life: list[Move | tuple[str, Process, str | None]]) -> None:
    rules: RuleSet = rules_of(CHECKS, TO_HK % ", {signal: told}")
    case = submitted(amount=800)
    for move in life:
        before = case
        try:
            case = followed(case, *move[1:]) if isinstance(move, tuple) else moved(case, move)
        except MoveRefused:
            continue
        if case.life.stage != before.life.stage:
            wait = read_wait(case.history, case.process)
            assert wait is not None
            assert wait.stage_entry == case.life.version
            assert acted_here(case.history) == frozenset()
            assert teams_here(entry.change for entry in case.history) == {case.life.team}
            assert count_stays(case.history) >= 1
            assert not is_left_to_people(case.history)
        failed = [e for e in case.history if isinstance(e.change, ControlRecorded) and not e.change.is_passed]
        case = run(case, rules)[0]
        if not failed and case.life.stage == "assessment" and not case.life.is_over:
            assert case.life.controls.get("cover_checked")
