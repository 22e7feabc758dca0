from __future__ import annotations

import pytest

from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.rules import Objective, Party
from tests.unit.sla_timer.cases import (
    BREACH,
    WARNING,
    Life,
    at,
    days,
    elapsed,
    promise,
    said,
    working,
)

NEXT_RESPONSE = promise("next_response", elapsed(2), starts=["message_received"], stops=["responded", "closed"])
UPDATE = promise(
    "update",
    elapsed(24),
    starts=["submitted", "responded", "customer_informed"],
    stops=["responded", "customer_informed", "closed"],
)
DECISION = promise("decision", working(2), starts=["stage_entered:decision"], stops=["stage_left:decision", "closed"])
SUPPLIER = promise(
    "surveyor", elapsed(8), starts=["paused:third_party"], stops=["resumed:third_party"], party=Party.SUPPLIER
)


def enter(life: Life, stage: str, before: str, hours: float, day: int = 1) -> None:
    life.tell(Happening.STAGE_ENTERED, at(hours, day), stage, None, None, **{"from": before})


def test_the_first_to_occur_stops_the_clock_and_a_second_reply_never_overrules_it() -> None:
    life = Life.begin(at(10))
    life.tell(Happening.RESPONDED, at(11))
    life.tell(Happening.RESPONDED, at(13))
    assert life.reading("response").ended_at == at(11)
    assert life.told("response").count("met") == 1


def test_a_stage_stops_the_clock_only_when_it_is_the_named_one() -> None:
    life = Life.begin(at(10))
    enter(life, "assessment", "registration", 10.5)
    assert life.state("response") is ClockState.RUNNING
    enter(life, "decision", "assessment", 11)
    assert life.state("response") is ClockState.MET


def test_the_next_response_is_owed_since_the_first_message_that_was_not_answered() -> None:
    life = Life.begin(at(9), NEXT_RESPONSE)
    assert life.clocks == {}
    life.tell(Happening.MESSAGE_RECEIVED, at(10))
    life.tell(Happening.MESSAGE_RECEIVED, at(11))
    assert life.due("next_response") == at(12)
    life.tell(Happening.RESPONDED, at(11.5))
    life.tell(Happening.MESSAGE_RECEIVED, at(14))
    assert life.states("next_response") == ["met", "running"]
    assert life.due("next_response") == at(16)


def test_each_update_starts_the_clock_of_the_next_one() -> None:
    life = Life.begin(at(9), UPDATE)
    life.tell(Happening.CUSTOMER_INFORMED, at(8, day=2))
    life.tell(Happening.RESPONDED, at(10, day=3))
    assert life.states("update") == ["met", "missed", "running"]
    assert life.due("update") == at(10, day=4)
    life.tell(Happening.CLOSED, at(9, day=4), "paid")
    assert life.states("update") == ["met", "missed", "met"]


def test_a_stage_has_a_clock_each_time_it_is_entered() -> None:
    life = Life.begin(at(9), DECISION, stage="registration")
    enter(life, "decision", "registration", 10)
    enter(life, "registration", "decision", 11)
    enter(life, "decision", "registration", 14)
    assert life.states("decision") == ["met", "running"]
    assert life.due("decision") == at(16)


def test_a_request_may_begin_in_the_stage() -> None:
    life = Life.begin(at(9), DECISION, stage="decision")
    assert life.due("decision") == at(11)


def counted_from_the_stage_before() -> Objective:
    return promise(
        "decision",
        working(2),
        starts=["stage_entered:decision"],
        stops=["stage_left:decision"],
        from_previous_exit=True,
    )


def test_a_stage_may_count_from_the_instant_when_the_one_before_was_left() -> None:
    life = Life.begin(at(9), counted_from_the_stage_before(), stage="assessment")
    life.tell(Happening.STAGE_LEFT, at(10), "assessment")
    enter(life, "decision", "assessment", 11)
    assert (life.reading("decision").started_at, life.due("decision")) == (at(10), at(12))
    assert life.standing("decision") == {WARNING: at(11)}


def test_a_stage_that_follows_at_once_counts_from_its_entry() -> None:
    life = Life.begin(at(9), counted_from_the_stage_before(), stage="registration")
    life.tell(Happening.STAGE_LEFT, at(9.5), "registration")
    enter(life, "assessment", "registration", 10)
    enter(life, "decision", "assessment", 11)
    assert life.reading("decision").started_at == at(11)


def test_a_stage_that_was_left_before_the_closing_counts_from_the_reopening() -> None:
    life = Life.begin(at(9), counted_from_the_stage_before(), stage="assessment")
    life.tell(Happening.STAGE_LEFT, at(10), "assessment")
    life.tell(Happening.CLOSED, at(11), "declined")
    life.tell(Happening.REOPENED, at(14), "appeal")
    enter(life, "decision", "assessment", 15)
    assert (life.reading("decision").started_at, life.due("decision")) == (at(14), at(16))


def test_a_suppliers_clock_runs_while_the_request_waits_for_the_supplier() -> None:
    life = Life.begin(at(9), SUPPLIER)
    life.tell(Happening.PAUSED, at(10), "third_party")
    assert life.due("surveyor") == at(18)
    assert life.clock("surveyor").party == "supplier"
    life.tell(Happening.PAUSED, at(11), "documents")
    life.tell(Happening.RESUMED, at(12), "third_party")
    assert life.states("surveyor") == ["met"]


def test_the_handling_time_of_a_team_leaves_every_wait_out() -> None:
    handling = promise("handling", working(4), paused_by=["*"])
    life = Life.begin(at(9), handling)
    life.tell(Happening.PAUSED, at(10), "third_party")
    life.tell(Happening.RESUMED, at(11), "third_party")
    life.tell(Happening.PAUSED, at(13), "documents")
    life.tell(Happening.RESUMED, at(15), "documents")
    assert life.due("handling") == at(17)


def test_a_reopened_request_has_a_new_cycle_and_the_old_one_is_frozen() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.CLOSED, at(11), "declined")
    life.tell(Happening.REOPENED, at(10, day=2), "appeal")
    assert life.states("resolution") == ["met", "running"]
    assert life.due("resolution") == at(15, day=2)
    assert life.reading("resolution", 1).ended_at == at(11)
    life.tick(at(16, day=2))
    assert life.standing("resolution", 2)[BREACH] == at(15, day=2)
    assert BREACH not in life.standing("resolution", 1)


@pytest.mark.parametrize("paused_by", [["documents"], ["*"]])
def test_what_a_request_waited_for_when_it_was_closed_does_not_hold_up_its_reopening(paused_by: list[str]) -> None:
    life = Life.begin(at(9), promise("resolution", working(4), starts=["submitted", "reopened"], paused_by=paused_by))
    life.tell(Happening.PAUSED, at(10), "documents")
    life.tell(Happening.CLOSED, at(11), "withdrawn")
    life.tell(Happening.REOPENED, at(10, day=2), "appeal")
    assert life.states("resolution") == ["met", "running"]
    assert life.due("resolution") == at(15, day=2)
    life.tell(Happening.PAUSED, at(11, day=2), "documents")
    life.tell(Happening.RESUMED, at(12, day=2), "documents")
    assert life.due("resolution") == at(16, day=2)
    life.tick(at(17, day=2))
    assert life.state("resolution") is ClockState.BREACHED


def test_what_is_over_starts_nothing_until_it_is_reopened() -> None:
    life = Life.begin(at(9), NEXT_RESPONSE)
    life.tell(Happening.CLOSED, at(10), "paid")
    life.tell(Happening.MESSAGE_RECEIVED, at(11))
    assert life.clocks == {}
    life.tell(Happening.REOPENED, at(12), "appeal")
    life.tell(Happening.MESSAGE_RECEIVED, at(13))
    assert life.due("next_response") == at(15)


def test_a_closing_that_is_no_stop_cancels_what_still_runs() -> None:
    life = Life.begin(at(9), promise("survey", elapsed(4), stops=["signalled:surveyed"]))
    life.tell(Happening.CLOSED, at(10), "paid")
    assert life.state("survey") is ClockState.CANCELLED
    assert life.reading("survey").cause == "paid"
    assert life.told("survey") == ["started", "cancelled"]


def test_an_outcome_may_be_a_stop_while_others_cancel() -> None:
    objective = promise("payment", elapsed(4), stops=["closed:paid"])
    paid, declined = Life.begin(at(9), objective), Life.begin(at(9), objective)
    paid.tell(Happening.CLOSED, at(10), "paid")
    declined.tell(Happening.CLOSED, at(10), "declined")
    assert (paid.state("payment"), declined.state("payment")) == (ClockState.MET, ClockState.CANCELLED)


def test_a_withdrawn_request_cancels_its_clocks_but_leaves_a_verdict_that_was_reached() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.RESPONDED, at(10))
    life.tell(Happening.CLOSED, at(10.5), "withdrawn")
    assert life.state("response") is ClockState.MET
    assert life.state("resolution") is ClockState.CANCELLED
    assert life.told("resolution") == ["started", "cancelled"]
    assert life.reading("resolution").is_kept is None


def test_a_cancelled_or_merged_request_cancels_every_clock() -> None:
    for happening in (Happening.CANCELLED, Happening.MERGED):
        life = Life.begin(at(9))
        life.tell(happening, at(10), "mistake" if happening is Happening.CANCELLED else None)
        assert [clock.reading.state.value for clock in life.clocks.values()] == ["cancelled", "cancelled"]
        assert life.timers() == []


def test_a_clock_cancelled_after_its_deadline_counts_as_not_kept() -> None:
    life = Life.begin(at(9))
    life.tick(at(17))
    life.tell(Happening.CLOSED, at(17), "withdrawn")
    assert life.state("resolution") is ClockState.CANCELLED
    assert life.reading("resolution").is_kept is False
    assert BREACH in life.standing("resolution")


def test_an_ended_clock_is_frozen() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.CLOSED, at(10), "paid")
    before = life.clock("resolution")
    life.tell(Happening.PAUSED, at(11), "documents")
    life.tell(Happening.CLOSED, at(12), "declined")
    life.tell(Happening.EXTENDED, at(12), "resolution", seconds=3600)
    life.tick(at(20))
    assert life.clock("resolution") is before


def test_a_reset_begins_the_count_anew_within_the_cycle() -> None:
    life = Life.begin(at(9), promise("papers", elapsed(4), resets=["signalled:papers_complete"]))
    life.tick(at(11.5))
    life.tell(Happening.SIGNALLED, at(12), "papers_complete")
    assert (life.due("papers"), life.clock("papers").cycle) == (at(16), 1)
    assert life.told("papers") == ["started", "warned", "retargeted"]


def test_an_event_that_ends_a_cycle_and_resets_it_only_ends_it() -> None:
    life = Life.begin(at(9), promise("papers", elapsed(4), stops=["signalled:x"], resets=["signalled:x"]))
    life.tell(Happening.SIGNALLED, at(10), "x")
    assert life.states("papers") == ["met"]


def test_one_word_may_end_a_cycle_and_begin_the_next() -> None:
    life = Life.begin(at(9), promise("beat", elapsed(1), starts=["signalled:beat"], stops=["signalled:beat"]))
    for hours in (10, 10.5, 11.75):
        life.tell(Happening.SIGNALLED, at(hours), "beat")
    assert life.states("beat") == ["met", "missed", "running"]


def test_late_news_of_a_start_in_between_numbers_the_cycles_anew() -> None:
    life = Life.begin(at(9), NEXT_RESPONSE)
    life.tell(Happening.MESSAGE_RECEIVED, at(10))
    life.tell(Happening.RESPONDED, at(15), recorded_at=at(15))
    assert life.states("next_response") == ["missed"]
    life.tell(Happening.RESPONDED, at(11), recorded_at=at(16))
    assert life.states("next_response") == ["met"]
    assert BREACH not in life.standing("next_response")


def test_late_news_that_a_cycle_never_began_cancels_its_clock_and_withdraws_what_it_said() -> None:
    life = Life.begin(at(9), NEXT_RESPONSE)
    life.tell(Happening.MESSAGE_RECEIVED, at(10))
    life.tick(at(12.5))
    life.tell(Happening.CLOSED, at(9.5), "paid", recorded_at=at(12.75))
    assert life.state("next_response") is ClockState.CANCELLED
    assert life.reading("next_response").cause == "late_news"
    assert life.standing("next_response") == {}
    assert life.told("next_response") == ["started", "warned", "breached", "breach_withdrawn", "cancelled"]
    assert life.timers() == []


def test_nothing_occurs_before_the_submission() -> None:
    life = Life.begin(at(9), NEXT_RESPONSE)
    life.tell(Happening.MESSAGE_RECEIVED, at(8), recorded_at=at(9.5))
    assert life.reading("next_response").started_at == at(9)


def test_a_stage_that_was_left_before_it_was_entered_has_no_length() -> None:
    decision = promise("decision", working(2), starts=["stage_entered:decision"], stops=["stage_left:decision"])
    life = Life.begin(at(9), decision)
    life.hear(said(2, Happening.STAGE_ENTERED, at(11), "decision", details={"from": "assessment"}))
    life.hear(said(3, Happening.STAGE_ENTERED, at(10.5), "payment", at(11.2), {"from": "decision"}))
    assert (life.state("decision"), life.reading("decision").ended_at) == (ClockState.MET, at(11))


def test_a_budget_of_days_runs_by_the_days_of_the_calendar() -> None:
    two, by_the_end = promise("two", days(2)), promise("end", days(2, end_of_day=True))
    life = Life.begin(at(10, day=4), two, by_the_end)  # a Thursday
    assert life.due("two") == at(10, day=8)
    assert life.due("end") == at(18, day=8)
