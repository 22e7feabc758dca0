"""What people decided stands: no rule passes what failed."""

from __future__ import annotations

from services.intake.domain import moves
from services.intake.domain.life import State
from tests.unit.intake.automation.test_acting import NEVER_HELD, NEW, moved, run, submitted

FAILED = moves.RecordControl("cover_checked", is_passed=False, recorded={"cover_in_force": False})
PASSED = moves.RecordControl("cover_checked", is_passed=True, recorded={"cover_in_force": True})
RECEIPT = moves.Attach(NEW, "application/pdf", 12, "0" * 64, "receipts")


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
