from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest

from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.modes import Activation, mode_at, modes_since
from services.sla_timer.domain.rules import Mode
from tests.unit.sla_timer.cases import BREACH, Life, at, elapsed, promise

BUDGETS = {Mode.PEAK: elapsed(36), Mode.EMERGENCY: elapsed(2)}
FIXED = promise("resolution", elapsed(8), starts=["submitted", "reopened"], modes=BUDGETS)
MOVING = promise("resolution", elapsed(8), starts=["submitted", "reopened"], modes=BUDGETS, modes_move_running=True)


def active(mode: Mode, entered: float, left: float | None = None, markets: tuple[str, ...] = ()) -> Activation:
    left_at = at(left) if left is not None else None
    return Activation(UUID(int=round(entered)), mode, frozenset(markets), at(entered), left_at)


def test_a_mode_holds_from_the_instant_it_was_entered_to_just_before_the_one_it_was_left() -> None:
    modes = [active(Mode.PEAK, 10, 12)]
    instants = (at(9.99), at(10), at(11.99), at(12))
    assert [mode_at(modes, "HK", when) for when in instants] == [Mode.NORMAL, Mode.PEAK, Mode.PEAK, Mode.NORMAL]


def test_of_several_modes_the_gravest_counts() -> None:
    assert mode_at([active(Mode.EMERGENCY, 9), active(Mode.PEAK, 10)], "HK", at(11)) is Mode.EMERGENCY


def test_a_mode_may_hold_in_some_markets_only() -> None:
    modes = [active(Mode.PEAK, 9, markets=("TW",))]
    assert (mode_at(modes, "TW", at(10)), mode_at(modes, "HK", at(10))) == (Mode.PEAK, Mode.NORMAL)


def test_what_was_in_force_since_an_instant_is_told_change_by_change() -> None:
    modes = [active(Mode.PEAK, 9, 14), active(Mode.EMERGENCY, 11, 12), active(Mode.PEAK, 20)]
    found = modes_since(modes, "HK", at(10), at(18))
    assert found == [
        (at(10), Mode.PEAK),
        (at(11), Mode.EMERGENCY),
        (at(12), Mode.PEAK),
        (at(14), Mode.NORMAL),
    ]
    assert modes_since(modes, "HK", at(15), at(18)) == []


@pytest.mark.parametrize(("mode", "due_at"), [(None, at(17)), (Mode.PEAK, at(21, day=2)), (Mode.EMERGENCY, at(11))])
def test_a_cycle_begins_with_the_budget_of_the_mode(mode: Mode | None, due_at: datetime) -> None:
    life = Life.begin(at(9), FIXED, mode=mode)
    assert life.due("resolution") == due_at
    assert life.clock("resolution").mode is (mode or Mode.NORMAL)


def test_a_running_clock_keeps_its_budget_unless_the_policy_says_otherwise() -> None:
    life = Life.begin(at(9), FIXED)
    life.enter_mode(Mode.PEAK, at(10))
    assert (life.due("resolution"), life.clock("resolution").mode) == (at(17), Mode.NORMAL)
    life.tell(Happening.CLOSED, at(11), "paid")
    life.tell(Happening.REOPENED, at(12), "appeal")
    assert life.due("resolution") == at(24, day=2)


def test_a_mode_may_move_running_clocks_and_leaving_it_moves_them_back() -> None:
    life = Life.begin(at(9), MOVING)
    life.enter_mode(Mode.PEAK, at(10))
    assert (life.due("resolution"), life.clock("resolution").mode) == (at(21, day=2), Mode.PEAK)
    life.enter_mode(Mode.NORMAL, at(12))
    assert life.due("resolution") == at(17)
    assert life.told("resolution") == ["started", "retargeted", "retargeted"]


def test_a_shorter_budget_of_a_mode_is_due_at_once_at_the_earliest() -> None:
    life = Life.begin(at(9), MOVING)
    life.enter_mode(Mode.EMERGENCY, at(14))
    assert life.standing("resolution")[BREACH] == at(14)


@pytest.mark.parametrize("entered", [17, 19])
def test_a_mode_that_is_entered_after_the_deadline_moves_nothing(entered: float) -> None:
    life = Life.begin(at(9), MOVING)
    life.tick(at(entered))
    life.enter_mode(Mode.PEAK, at(entered))
    assert life.due("resolution") == at(17)


def test_leaving_a_mode_when_everybody_has_been_promised_more_time_does_not_mend_a_breach() -> None:
    life = Life.begin(at(9), MOVING, mode=Mode.EMERGENCY)
    life.tick(at(12))
    life.enter_mode(Mode.NORMAL, at(13))
    assert life.due("resolution") == at(11)
    assert life.standing("resolution")[BREACH] == at(11)


def test_a_change_of_the_facts_does_not_bring_in_a_mode_that_moves_no_running_clock() -> None:
    life = Life.begin(at(9), FIXED, mode=Mode.PEAK)
    life.enter_mode(Mode.NORMAL, at(10))
    life.tell(Happening.CHANGED, at(11), "asked", customer_tier="vip")
    assert (life.due("resolution"), life.clock("resolution").mode) == (at(21, day=2), Mode.PEAK)
