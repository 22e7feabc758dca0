from __future__ import annotations

from datetime import datetime

import pytest

from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.rules import Budget, Rung
from tests.unit.sla_timer.cases import (
    BREACH,
    LADDER,
    MINUTE,
    WARNING,
    Life,
    at,
    days,
    elapsed,
    policy,
    promise,
    rules,
    working,
)

RESOLUTION = promise("resolution", elapsed(8), paused_by=["documents"])
URGENT = promise("resolution", elapsed(4), paused_by=["documents"])
GENEROUS = promise("resolution", elapsed(12), paused_by=["documents"])


def begin(budget: Budget, *rungs: Rung, **fields: object) -> Life:
    return Life.begin(at(10), promise("resolution", budget, ladder=rungs or LADDER, **fields))


def change(life: Life, hours: float, priority: str, recorded: float | None = None) -> None:
    recorded_at = at(recorded) if recorded is not None else None
    life.tell(Happening.CHANGED, at(hours), "asked", recorded_at, None, priority=priority)


def extend(life: Life, hours: float, by_hours: float, recorded: float | None = None) -> None:
    recorded_at = at(recorded) if recorded is not None else None
    life.tell(Happening.EXTENDED, at(hours), "resolution", recorded_at, None, seconds=by_hours * 3600)


@pytest.mark.parametrize(
    ("budget", "due_at"),
    [
        (elapsed(4), at(14)),
        (working(4), at(15)),
        (working(8), at(10, day=2)),
        (days(1), at(10, day=2)),
        (days(0, end_of_day=True), at(18)),
        (days(5), at(10, day=8)),
    ],
    ids=str,
)
def test_a_budget_is_counted_as_its_kind_says(budget: Budget, due_at: datetime) -> None:
    assert begin(budget).due("resolution") == due_at


def test_an_objective_may_count_on_a_calendar_of_its_own() -> None:
    life = begin(working(4), calendar="mornings")
    assert life.due("resolution") == at(11, day=2)


# Changes of the facts


def test_a_warning_that_a_shorter_budget_has_overtaken_comes_at_the_change() -> None:
    life = Life.begin(at(9), RESOLUTION, urgent=(URGENT,))
    change(life, 12, "urgent")
    assert life.standing("resolution") == {WARNING: at(12)}
    assert life.due("resolution") == at(13)


def test_a_change_of_priority_moves_the_deadline_and_the_time_spent_counts() -> None:
    life = Life.begin(at(9), RESOLUTION, urgent=(URGENT,))
    change(life, 10, "urgent")
    assert life.due("resolution") == at(13)
    assert life.clock("resolution").policy == "urgent_claim"
    change(life, 11, "normal")
    assert life.due("resolution") == at(17)
    assert life.told("resolution") == ["started", "retargeted", "retargeted"]


def test_a_retarget_loses_no_pause() -> None:
    life = Life.begin(at(9), RESOLUTION, urgent=(URGENT,))
    life.tell(Happening.PAUSED, at(10), "documents")
    change(life, 11, "urgent")
    assert life.state("resolution") is ClockState.PAUSED
    life.tell(Happening.RESUMED, at(12), "documents")
    assert life.due("resolution") == at(15)


def test_a_budget_that_would_have_been_spent_already_is_due_at_the_change() -> None:
    life = Life.begin(at(9), RESOLUTION, urgent=(URGENT,))
    life.tick(at(13.5))
    change(life, 14, "urgent")
    assert (life.state("resolution"), life.due("resolution")) == (ClockState.BREACHED, at(14))
    assert life.standing("resolution") == {WARNING: at(13), BREACH: at(14)}


@pytest.mark.parametrize(("hours", "due_at"), [(16.99, at(21)), (17, at(17)), (18, at(17))])
def test_a_broken_promise_stays_broken_whatever_is_promised_afterwards(hours: float, due_at: datetime) -> None:
    life = Life.begin(at(9), RESOLUTION, urgent=(GENEROUS,))
    change(life, hours, "urgent")
    life.tick(at(18))
    assert life.due("resolution") == due_at


def test_late_news_of_a_change_in_time_withdraws_the_breach() -> None:
    life = Life.begin(at(9), RESOLUTION, urgent=(GENEROUS,))
    life.tick(at(18.5))
    change(life, 16, "urgent", recorded=18.5)
    assert (life.state("resolution"), life.due("resolution")) == (ClockState.RUNNING, at(21))
    assert life.standing("resolution") == {WARNING: at(13)}  # it was told, and half of 12 hours is over, too
    assert life.told("resolution") == ["started", "warned", "breached", "escalated", "breach_withdrawn", "retargeted"]


def test_a_change_may_begin_the_count_anew() -> None:
    anew = promise("resolution", elapsed(4), restarts_on_change=True)
    life = Life.begin(at(9), RESOLUTION, urgent=(anew,))
    change(life, 12, "urgent")
    assert life.due("resolution") == at(16)


def test_a_change_that_leaves_the_budget_as_it_is_begins_nothing_anew() -> None:
    same = promise("resolution", elapsed(8), restarts_on_change=True)
    life = Life.begin(at(9), RESOLUTION, urgent=(same,))
    change(life, 12, "urgent")
    assert life.due("resolution") == at(17)


def test_a_change_before_a_cycle_begins_is_what_it_begins_with() -> None:
    slow = promise("answer", elapsed(4), starts=["message_received"])
    fast = promise("answer", elapsed(1), starts=["message_received"])
    life = Life.begin(at(9), slow, urgent=(fast,))
    change(life, 10, "urgent")
    life.tell(Happening.MESSAGE_RECEIVED, at(11))
    assert life.due("answer") == at(12)


def test_a_change_moves_no_cycle_that_has_ended() -> None:
    life = Life.begin(at(9), RESOLUTION, urgent=(URGENT,))
    life.tell(Happening.CLOSED, at(14), "paid")
    change(life, 15, "urgent")
    assert (life.state("resolution"), life.due("resolution")) == (ClockState.MET, at(17))
    assert life.clock("resolution").policy == "claim"


# Other rules


@pytest.mark.parametrize(
    ("applied", "due_at"), [(10, at(13)), (12.5, at(13)), (14, at(14)), (17, at(17)), (18, at(17))]
)
def test_new_rules_that_are_applied_move_the_deadline_unless_it_has_passed(applied: float, due_at: datetime) -> None:
    life = Life.begin(at(9), RESOLUTION, later=(rules(*policy(URGENT), version=8),))
    life.tick(at(applied))
    life.apply(8, at(applied))
    assert life.due("resolution") == due_at


def test_a_clock_names_the_rules_it_is_promised_under() -> None:
    life = Life.begin(at(9), RESOLUTION, later=(rules(*policy(URGENT), version=8),))
    life.apply(8, at(10))
    assert life.clock("resolution").policy_version == 8


def test_new_rules_that_change_nothing_are_no_news_but_for_the_version() -> None:
    life = Life.begin(at(9), RESOLUTION, later=(rules(*policy(RESOLUTION), version=8),))
    assert [step.announcements for step in life.apply(8, at(10))] in ([], [()])


def test_new_rules_may_count_on_another_calendar() -> None:
    objective = promise("resolution", working(4))
    life = Life.begin(at(9), objective, later=(rules(*policy(objective), version=8, calendar="mornings"),))
    assert life.due("resolution") == at(14)
    life.apply(8, at(10))
    assert life.due("resolution") == at(10, day=2)


# Extensions


@pytest.mark.parametrize(("granted", "due_at"), [(10, at(19)), (16.99, at(19)), (17, at(17)), (18, at(17))])
def test_more_time_has_to_be_granted_before_the_deadline(granted: float, due_at: datetime) -> None:
    life = Life.begin(at(9), RESOLUTION)
    life.tick(at(granted))
    extend(life, granted, 2)
    assert life.due("resolution") == due_at


def test_late_news_of_an_extension_granted_in_time_withdraws_the_breach() -> None:
    life = Life.begin(at(9), RESOLUTION)
    life.tick(at(17.5))
    extend(life, 16, 4, recorded=17.5)
    assert (life.state("resolution"), life.due("resolution")) == (ClockState.RUNNING, at(21))
    assert life.told("resolution")[-2:] == ["breach_withdrawn", "retargeted"]


def test_extensions_add_up_and_share_in_the_warning() -> None:
    life = Life.begin(at(9), RESOLUTION)
    extend(life, 10, 2)
    extend(life, 11, 2)
    assert life.due("resolution") == at(21)
    assert [timer.due_at for timer in life.timers()] == [at(15)]


def test_an_extension_of_another_objective_moves_nothing() -> None:
    life = Life.begin(at(9), RESOLUTION)
    life.tell(Happening.EXTENDED, at(10), "response", seconds=7200)
    assert life.due("resolution") == at(17)


def test_an_extension_of_working_time_is_working_time() -> None:
    life = Life.begin(at(9), promise("resolution", working(8)))
    assert life.due("resolution") == at(18)
    extend(life, 10, 2)
    assert life.due("resolution") == at(11, day=2)


def test_an_extension_of_a_budget_in_days_is_working_time() -> None:
    life = Life.begin(at(10), promise("resolution", days(1)))
    extend(life, 11, 3)
    assert life.due("resolution") == at(14, day=2)


def test_an_extension_survives_a_change_of_the_facts() -> None:
    life = Life.begin(at(9), RESOLUTION, urgent=(URGENT,))
    extend(life, 10, 1)
    change(life, 11, "urgent")
    assert life.due("resolution") == at(14)


# Resets


@pytest.mark.parametrize(("hours", "due_at"), [(10, at(14)), (12.99, at(16.99)), (13, at(13)), (15, at(13))])
def test_a_count_begins_anew_unless_the_deadline_has_passed(hours: float, due_at: datetime) -> None:
    life = Life.begin(at(9), promise("papers", elapsed(4), resets=["signalled:complete"]))
    life.tick(at(hours))
    life.tell(Happening.SIGNALLED, at(hours), "complete")
    assert abs(life.due("papers") - due_at) < MINUTE  # type: ignore[operator]  # a running clock is due


def test_a_reset_forgets_the_time_that_was_granted_before() -> None:
    life = Life.begin(at(9), promise("resolution", elapsed(4), resets=["signalled:complete"]))
    extend(life, 10, 2)
    life.tell(Happening.SIGNALLED, at(11), "complete")
    assert life.due("resolution") == at(15)


# Pauses


def test_a_clock_that_stands_still_has_no_deadline_and_no_timer() -> None:
    life = Life.begin(at(9), RESOLUTION)
    life.tell(Happening.PAUSED, at(10), "documents")
    assert (life.state("resolution"), life.due("resolution"), life.timers()) == (ClockState.PAUSED, None, [])


def test_a_pause_that_begins_as_the_budget_is_spent_comes_too_late() -> None:
    life = Life.begin(at(9), RESOLUTION)
    life.tell(Happening.PAUSED, at(17), "documents")
    assert (life.state("resolution"), life.due("resolution")) == (ClockState.BREACHED, at(17))
    assert life.reading("resolution").is_paused


def test_a_change_during_a_pause_counts_from_when_the_clock_goes_on() -> None:
    life = Life.begin(at(9), RESOLUTION, urgent=(URGENT,))
    life.tell(Happening.PAUSED, at(12), "documents")
    change(life, 20, "urgent")
    life.tell(Happening.RESUMED, at(22), "documents")
    assert life.due("resolution") == at(23)
    assert life.standing("resolution")[WARNING] == at(20)
