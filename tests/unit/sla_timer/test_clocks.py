from __future__ import annotations

from uuid import UUID

import pytest

from services.sla_timer.domain.clocks import ClockState, clock_id
from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.rules import BudgetKind, LongestPause, RungKey, RungKind
from tests.unit.sla_timer.cases import (
    ALARM,
    BREACH,
    FIRST,
    HOUR,
    MINUTE,
    REQUEST_ID,
    SECOND,
    WARNING,
    Life,
    at,
    elapsed,
    promise,
)


def test_a_clock_starts_with_its_deadline_and_a_timer_for_the_first_rung() -> None:
    life = Life.begin(at(10))
    assert life.due("response") == at(12)
    assert life.due("resolution") == at(15)  # lunch does not count
    assert [(t.objective, t.key, t.due_at, t.generation) for t in life.timers()] == [
        ("response", WARNING, at(11), 1),
        ("resolution", WARNING, at(12), 1),
    ]
    assert life.told("response") == ["started"]


def test_only_the_next_rung_is_a_timer() -> None:
    life = Life.begin(at(10))
    life.tick(at(11))
    timer = life.clock("response").timer
    assert timer is not None
    assert (timer.key, timer.due_at, timer.generation) == (BREACH, at(12), 2)


def test_every_rung_is_decided_once_at_its_instant() -> None:
    life = Life.begin(at(10))
    for now in (at(11), at(11), at(12), at(12.5), at(13), at(16), at(20)):
        life.tick(now)
    assert life.standing("response") == {WARNING: at(11), BREACH: at(12), FIRST: at(13), SECOND: at(16)}
    assert life.told("response") == ["started", "warned", "breached", "escalated", "escalated"]
    assert life.clock("response").timer is None


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
    assert life.state("response") is ClockState.MET
    assert BREACH not in life.standing("response")


def test_a_rung_at_the_very_instant_of_the_end_did_not_come() -> None:
    life = Life.begin(at(10))
    life.tick(at(12))
    life.tell(Happening.RESPONDED, at(12), recorded_at=at(12) + MINUTE)
    assert life.told("response") == ["started", "warned", "breached", "breach_withdrawn", "met"]
    warned = Life.begin(at(10))
    warned.tell(Happening.RESPONDED, at(11))
    assert warned.standing("response") == {}


def test_a_stop_after_the_deadline_counts_as_breached_even_when_no_tick_came_between() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.RESPONDED, at(12) + MINUTE)
    assert life.state("response") is ClockState.MISSED
    assert life.told("response") == ["started", "warned", "breached", "missed"]


def test_late_news_of_a_stop_in_time_withdraws_the_breach() -> None:
    life = Life.begin(at(10))
    life.tick(at(14))
    life.tell(Happening.RESPONDED, at(10.5), recorded_at=at(14))
    assert life.state("response") is ClockState.MET
    assert life.standing("response") == {}
    assert life.told("response")[-2:] == ["breach_withdrawn", "met"]


def test_late_news_of_an_earlier_stop_corrects_a_verdict() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.RESPONDED, at(13))
    assert life.state("response") is ClockState.MISSED
    life.tell(Happening.RESPONDED, at(11.5), recorded_at=at(15))
    assert (life.state("response"), life.reading("response").ended_at) == (ClockState.MET, at(11.5))
    assert life.standing("response") == {WARNING: at(11)}
    assert life.told("response")[-2:] == ["breach_withdrawn", "met"]


def test_an_entry_that_was_lost_and_is_replayed_much_later_counts_from_when_it_occurred() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.ASSIGNED, at(10.5), "motor", sequence=3)
    life.tick(at(14))
    life.tell(Happening.RESPONDED, at(10.25), sequence=2)  # recorded before the breach, read after it
    assert life.state("response") is ClockState.MET
    assert life.standing("response") == {}


def test_a_replay_takes_nothing_back_that_it_does_not_change() -> None:
    life = Life.begin(at(10))
    life.tick(at(13.5))
    life.tell(Happening.RESPONDED, at(14), sequence=3)
    before = life.standing("response")
    assert before.keys() == {WARNING, BREACH, FIRST}
    life.tell(Happening.CHANGED, at(10.5), "asked", sequence=2, customer_tier="vip")
    assert life.standing("response") == before
    assert life.told("response").count("breached") == 1


def test_a_paused_clock_goes_on_when_no_reason_is_left() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.PAUSED, at(11), "documents")
    clock = life.clock("resolution")
    assert (clock.reading.state, clock.reading.due_at, clock.timer) == (ClockState.PAUSED, None, None)
    life.tell(Happening.PAUSED, at(11.5), "doctor")
    life.tell(Happening.RESUMED, at(13), "documents")
    assert life.state("resolution") is ClockState.PAUSED
    life.tell(Happening.RESUMED, at(14), "doctor")
    assert life.due("resolution") == at(17)
    assert life.told("resolution") == ["started", "paused", "resumed"]


def test_a_hold_outside_working_hours_moves_nothing() -> None:
    life = Life.begin(at(17))
    life.tell(Happening.PAUSED, at(20), "documents")
    life.tell(Happening.RESUMED, at(7, day=2), "documents")
    assert life.due("resolution") == at(12, day=2)


def test_a_generation_rises_whenever_the_next_rung_is_another() -> None:
    life = Life.begin(at(10))
    assert life.clock("resolution").generation == 1
    life.tick(at(12.5))
    assert life.clock("resolution").generation == 2
    life.tell(Happening.PAUSED, at(13), "documents")
    life.tell(Happening.RESUMED, at(14), "documents")
    assert life.clock("resolution").generation == 4
    life.tell(Happening.ASSIGNED, at(14.25), "motor")
    assert life.clock("resolution").generation == 4


def test_late_news_of_a_pause_moves_the_deadline_and_withdraws_the_breach() -> None:
    life = Life.begin(at(9))
    life.tick(at(16.5))  # due at 14
    assert life.standing("resolution").keys() == {WARNING, BREACH, FIRST}
    life.tell(Happening.PAUSED, at(11.5), "documents", recorded_at=at(16.5))
    assert life.state("resolution") is ClockState.PAUSED
    assert life.standing("resolution").keys() == {WARNING}
    assert life.told("resolution")[-2:] == ["breach_withdrawn", "paused"]
    life.tell(Happening.RESUMED, at(16), "documents", recorded_at=at(16.5))
    assert life.due("resolution") == at(17.5)
    life.tick(at(18))
    assert life.standing("resolution") == {WARNING: at(11), BREACH: at(17.5)}


def test_a_deadline_that_moved_without_a_pause_or_resumption_being_said_is_retargeted() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.RESUMED, at(11), "documents", sequence=3)  # the pause lies in the dead letters
    assert life.due("resolution") == at(14)
    life.tell(Happening.PAUSED, at(10), "documents", recorded_at=at(11.5), sequence=2)
    assert life.due("resolution") == at(15)
    assert life.told("resolution")[-1] == "retargeted"


def test_a_breached_clock_that_is_paused_stays_breached_and_its_ladder_waits() -> None:
    life = Life.begin(at(9))
    life.tick(at(14))
    life.tell(Happening.PAUSED, at(14.5), "documents")
    life.tick(at(17))
    assert life.state("resolution") is ClockState.BREACHED
    assert life.reading("resolution").is_paused
    assert life.standing("resolution").keys() == {WARNING, BREACH}
    life.tell(Happening.RESUMED, at(17), "documents")
    life.tick(at(18))
    assert life.standing("resolution")[FIRST] == at(17.5)


def test_a_clock_stopped_while_paused_is_met() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.PAUSED, at(10), "documents")
    life.tell(Happening.CLOSED, at(17, day=3), "paid")
    assert life.state("resolution") is ClockState.MET


@pytest.mark.parametrize("resumes", [True, False])
def test_a_pause_that_lasts_too_long_rings_an_alarm_and_may_end_by_itself(*, resumes: bool) -> None:
    limit = LongestPause(2 * HOUR, BudgetKind.ELAPSED, ("team_lead",), resumes=resumes)
    life = Life.begin(at(9), promise("resolution", elapsed(4), paused_by=["documents"], longest_pause=limit))
    life.tell(Happening.PAUSED, at(10), "documents")
    life.tick(at(12.5))
    assert life.standing("resolution") == {ALARM: at(12)}
    assert life.state("resolution") is (ClockState.RUNNING if resumes else ClockState.PAUSED)
    assert life.due("resolution") == (at(15) if resumes else None)
    assert life.told("resolution") == ["started", "paused", "pause_overrun"] or resumes
    life.tell(Happening.RESUMED, at(13), "documents")
    assert life.due("resolution") == (at(15) if resumes else at(16))
    life.tell(Happening.PAUSED, at(14), "documents")
    life.tell(Happening.RESUMED, at(15), "documents")
    assert life.standing("resolution") == {ALARM: at(12), WARNING: at(13) if resumes else at(14)} or not resumes


def test_an_alarm_is_rung_for_each_pause_that_lasts_too_long() -> None:
    limit = LongestPause(HOUR, BudgetKind.ELAPSED, ("team_lead",))
    life = Life.begin(at(9), promise("resolution", elapsed(9), paused_by=["documents"], longest_pause=limit))
    for begins, ends in ((9.5, 11), (11.5, 12), (12.5, 14)):
        life.tell(Happening.PAUSED, at(begins), "documents")
        life.tick(at(ends))
        life.tell(Happening.RESUMED, at(ends), "documents")
    assert life.standing("resolution") == {ALARM: at(10.5), RungKey(RungKind.PAUSE_ALARM, 2): at(13.5)}


def test_late_news_that_a_pause_had_ended_takes_its_alarm_back() -> None:
    limit = LongestPause(HOUR, BudgetKind.ELAPSED, ("team_lead",))
    life = Life.begin(at(9), promise("resolution", elapsed(9), paused_by=["documents"], longest_pause=limit))
    life.tell(Happening.PAUSED, at(10), "documents")
    life.tick(at(12))
    life.tell(Happening.RESUMED, at(10.5), "documents", recorded_at=at(12))
    assert life.standing("resolution") == {}


def test_a_request_told_of_after_its_deadline_is_breached_at_once() -> None:
    life = Life.begin(at(9), recorded_at=at(11.5))
    assert life.told("response") == ["started", "warned", "breached"]
    assert life.state("response") is ClockState.BREACHED


def test_a_clock_has_the_same_id_wherever_it_is_computed_and_a_uuid_of_version_seven() -> None:
    assert clock_id(REQUEST_ID, "response") == clock_id(UUID(str(REQUEST_ID)), "response")
    assert clock_id(REQUEST_ID, "response") != clock_id(REQUEST_ID, "resolution")
    assert clock_id(REQUEST_ID, "response").version == 7
    assert clock_id(REQUEST_ID, "response").bytes[:6] == REQUEST_ID.bytes[:6]
