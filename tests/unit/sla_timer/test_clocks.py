from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from services.sla_timer.domain.clocks import ClockState, clock_id
from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.rules import RungKey, RungKind
from tests.unit.sla_timer.cases import HOUR, MINUTE, REQUEST_ID, RESOLUTION, RESPONSE, Life, at, said

WARNING = RungKey(RungKind.WARNING, 1)
BREACH = RungKey(RungKind.BREACH, 1)
FIRST, SECOND = RungKey(RungKind.ESCALATION, 1), RungKey(RungKind.ESCALATION, 2)


def state(life: Life, objective: str) -> ClockState:
    return life.clocks[objective].reading.state


def test_a_clock_starts_with_its_deadline_and_a_timer_for_every_rung() -> None:
    life = Life.begin(at(10))
    assert life.clocks["response"].reading.due_at == at(12)
    assert life.clocks["resolution"].reading.due_at == at(15)  # lunch does not count
    timers = life.clocks["resolution"].timers(RESOLUTION.ladder)
    assert [(t.key, t.due_at, t.generation) for t in timers] == [
        (WARNING, at(12), 1),
        (BREACH, at(15), 1),
        (FIRST, at(16), 1),
        (SECOND, at(19), 1),
    ]
    assert life.told("response") == ["started"]


def test_every_rung_is_decided_once_at_its_instant() -> None:
    life = Life.begin(at(10))
    for now in (at(11), at(11), at(12), at(12.5), at(13), at(16), at(20)):
        life.tick(now)
    assert life.standing("response") == {WARNING: at(11), BREACH: at(12), FIRST: at(13), SECOND: at(16)}
    assert life.told("response") == ["started", "warned", "breached", "escalated", "escalated"]
    assert life.clocks["response"].timers(RESPONSE.ladder) == []


def test_nothing_is_decided_a_moment_early() -> None:
    life = Life.begin(at(10))
    life.tick(at(11) - MINUTE)
    assert life.standing("response") == {}


def test_what_an_outage_kept_from_being_said_is_said_in_order_afterwards() -> None:
    life = Life.begin(at(10))
    life.tick(at(20))
    assert life.told("response") == ["started", "warned", "breached", "escalated", "escalated"]


def test_a_stop_at_the_very_instant_of_the_deadline_is_in_time() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.RESPONDED, at(12))
    assert state(life, "response") is ClockState.MET
    assert BREACH not in life.standing("response")


def test_a_stop_after_the_deadline_counts_as_breached_even_when_no_tick_came_between() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.RESPONDED, at(12) + MINUTE)
    assert state(life, "response") is ClockState.MISSED
    assert life.told("response") == ["started", "warned", "breached", "missed"]


def test_late_news_of_a_stop_in_time_withdraws_the_breach() -> None:
    life = Life.begin(at(10))
    life.tick(at(14))
    life.tell(Happening.RESPONDED, at(10.5), recorded_at=at(14))
    assert state(life, "response") is ClockState.MET
    assert life.standing("response") == {}
    assert life.told("response")[-2:] == ["breach_withdrawn", "met"]


def test_the_first_to_occur_stops_the_clock_and_a_second_reply_never_overrules_it() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.RESPONDED, at(11))
    life.tell(Happening.RESPONDED, at(13))
    assert life.clocks["response"].reading.ended_at == at(11)
    assert life.told("response").count("met") == 1


def test_a_stage_stops_the_clock_only_when_it_is_the_named_one() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.STAGE_ENTERED, at(10.5), "assessment")
    assert state(life, "response") is ClockState.RUNNING
    life.tell(Happening.STAGE_ENTERED, at(11), "decision")
    assert state(life, "response") is ClockState.MET


def test_a_paused_clock_has_no_deadline_and_no_timer() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.PAUSED, at(11), "documents")
    clock = life.clocks["resolution"]
    assert (clock.reading.state, clock.reading.due_at) == (ClockState.PAUSED, None)
    assert clock.timers(RESOLUTION.ladder) == []
    assert life.told("resolution") == ["started", "paused"]


def test_a_reason_that_the_objective_does_not_name_pauses_nothing() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.PAUSED, at(11), "lunch")
    assert state(life, "resolution") is ClockState.RUNNING


def test_a_clock_goes_on_when_no_reason_is_left() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.PAUSED, at(11), "documents")
    life.tell(Happening.PAUSED, at(11.5), "doctor")
    life.tell(Happening.RESUMED, at(13), "documents")
    assert state(life, "resolution") is ClockState.PAUSED
    life.tell(Happening.RESUMED, at(14), "doctor")
    assert life.clocks["resolution"].reading.due_at == at(17)
    assert life.told("resolution") == ["started", "paused", "resumed"]


def test_a_hold_outside_working_hours_moves_nothing() -> None:
    life = Life.begin(at(17))
    life.tell(Happening.PAUSED, at(20), "documents")
    life.tell(Happening.RESUMED, at(7, day=2), "documents")
    assert life.clocks["resolution"].reading.due_at == at(12, day=2)


def test_a_generation_rises_whenever_the_rungs_move() -> None:
    life = Life.begin(at(10))
    life.tick(at(12.5))
    assert life.clocks["resolution"].generation == 1
    life.tell(Happening.PAUSED, at(13), "documents")
    life.tell(Happening.RESUMED, at(14), "documents")
    assert life.clocks["resolution"].generation == 3
    assert life.clocks["response"].generation == 1


def test_late_news_of_a_pause_moves_the_deadline_and_withdraws_the_breach() -> None:
    life = Life.begin(at(9))
    life.tick(at(16.5))  # due at 14
    assert life.standing("resolution").keys() == {WARNING, BREACH, FIRST}
    life.tell(Happening.PAUSED, at(11.5), "documents", recorded_at=at(16.5))
    assert state(life, "resolution") is ClockState.PAUSED
    assert life.standing("resolution").keys() == {WARNING}
    assert life.told("resolution")[-2:] == ["breach_withdrawn", "paused"]
    life.tell(Happening.RESUMED, at(16), "documents", recorded_at=at(16.5))
    assert life.clocks["resolution"].reading.due_at == at(17.5)
    life.tick(at(18))
    assert life.standing("resolution") == {WARNING: at(11), BREACH: at(17.5)}


def test_a_deadline_that_moved_without_a_pause_or_resumption_being_said_is_retargeted() -> None:
    life = Life.begin(at(9))
    paused, resumed = (said(2, Happening.PAUSED, at(10), "documents"), said(3, Happening.RESUMED, at(11), "documents"))
    life.case = replace(life.case, history=(*life.case.history, resumed))
    life.tick(at(11))  # the pause lies in the dead letters
    assert life.clocks["resolution"].reading.due_at == at(14)
    life.case = replace(life.case, history=(life.case.history[0], paused, resumed))
    life.tick(at(11.5))  # replayed
    assert life.clocks["resolution"].reading.due_at == at(15)
    assert life.told("resolution")[-1] == "retargeted"


def test_a_breached_clock_that_is_paused_stays_breached_and_its_ladder_waits() -> None:
    life = Life.begin(at(9))
    life.tick(at(14))
    life.tell(Happening.PAUSED, at(14.5), "documents")
    life.tick(at(17))
    assert state(life, "resolution") is ClockState.BREACHED
    assert life.clocks["resolution"].reading.is_paused
    assert life.standing("resolution").keys() == {WARNING, BREACH}
    life.tell(Happening.RESUMED, at(17), "documents")
    life.tick(at(18))
    assert life.standing("resolution")[FIRST] == at(17.5)


def test_a_clock_stopped_while_paused_is_met() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.PAUSED, at(10), "documents")
    life.tell(Happening.CLOSED, at(17, day=3), "paid")
    assert state(life, "resolution") is ClockState.MET


def test_a_withdrawn_request_cancels_its_clocks_but_leaves_a_verdict_that_was_reached() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.RESPONDED, at(10))
    life.tell(Happening.CLOSED, at(10.5), "withdrawn")
    assert state(life, "response") is ClockState.MET
    assert state(life, "resolution") is ClockState.CANCELLED
    assert life.told("resolution") == ["started", "cancelled"]
    assert life.clocks["resolution"].reading.is_kept is None


def test_a_clock_cancelled_after_its_deadline_counts_as_not_kept() -> None:
    life = Life.begin(at(9))
    life.tick(at(17))
    life.tell(Happening.CLOSED, at(17), "withdrawn")
    assert state(life, "resolution") is ClockState.CANCELLED
    assert life.clocks["resolution"].reading.is_kept is False
    assert BREACH in life.standing("resolution")


def test_an_ended_clock_is_frozen() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.CLOSED, at(10), "paid")
    ended = life.clocks["resolution"]
    steps = [
        *life.tell(Happening.PAUSED, at(11), "documents"),
        *life.tell(Happening.CLOSED, at(12), "declined"),
        *life.tick(at(20)),
    ]
    mine = [step for step in steps if step.clock.objective == "resolution"]
    assert [step.is_changed for step in mine] == [False, False, False]
    assert mine[-1].clock.reading.ended_at == ended.reading.ended_at


def test_a_request_told_of_after_its_deadline_is_breached_at_once() -> None:
    life = Life.begin(at(9), recorded_at=at(11.5))
    assert life.told("response") == ["started", "warned", "breached"]
    assert state(life, "response") is ClockState.BREACHED


def test_a_clock_has_the_same_id_wherever_it_is_computed_and_a_uuid_of_version_seven() -> None:
    assert clock_id(REQUEST_ID, "response") == clock_id(UUID(str(REQUEST_ID)), "response")
    assert clock_id(REQUEST_ID, "response") != clock_id(REQUEST_ID, "resolution")
    assert clock_id(REQUEST_ID, "response").version == 7
    assert clock_id(REQUEST_ID, "response").bytes[:6] == REQUEST_ID.bytes[:6]


def test_a_decision_is_told_with_the_roles_of_its_rung_and_the_instant_it_became_true() -> None:
    life = Life.begin(at(9))
    steps = life.tick(at(12.5))
    told = [a for step in steps for a in step.announcements if step.clock.objective == "response"]
    escalated = told[-1]
    assert escalated.occurred_at == at(11) + HOUR
    assert escalated.data.model_dump(include={"level", "due_at", "notify_roles", "policy", "policy_version"}) == {
        "level": 1,
        "due_at": at(11),
        "notify_roles": ("operations_manager",),
        "policy": "claim",
        "policy_version": 7,
    }
