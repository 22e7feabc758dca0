"""The oracle of the kill campaign, by examples one can reckon in one's head. `kills_promises` has the budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from services.sla_timer.domain.rulebook import RuleSources, read_rulebook
from tests.campaign.kills_lives import draw_life, payload_of
from tests.campaign.kills_oracle import Answer, reckon
from tests.campaign.kills_promises import PROMISES, WITHDRAWN, write_calendars, write_policies
from tests.campaign.kills_told import Told

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FAR = NOON + timedelta(days=1)


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


class Request:
    """Told from noon on; minutes count from there."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.tell(0, "submitted", "received")

    def tell(
        self,
        minute: float,
        what: str,
        value: str | None = None,
        *,
        left: str | None = None,
        seconds: int = 0,
        told_at: float | None = None,
    ) -> Request:
        recorded_at = at(minute if told_at is None else told_at)
        self.told.append(Told(len(self.told) + 1, what, at(minute), recorded_at, value, left, seconds))
        return self

    def read(self, code: str, cycle: int = 1, until: datetime = FAR) -> Answer:
        return reckon(self.told, until)[code, cycle]

    def cycles(self, code: str) -> int:
        return sum(promise == code for promise, _ in reckon(self.told, FAR))


def test_a_promise_left_alone_goes_up_its_whole_ladder() -> None:
    response = Request().read("response")
    assert response.state == "breached"
    assert response.due_at == at(10)
    assert response.rungs == {
        ("warning", 1): at(5),
        ("warning", 2): at(8),
        ("breach", 1): at(10),
        ("escalation", 1): at(12),
        ("escalation", 2): at(14),
        ("escalation", 3): at(16),
        ("escalation", 4): at(18),
    }


def test_nothing_is_decided_before_its_instant() -> None:
    early = Request().read("response", until=at(8) - timedelta.resolution)
    assert early.state == "running"
    assert set(early.rungs) == {("warning", 1)}
    assert set(Request().read("response", until=at(8)).rungs) == {("warning", 1), ("warning", 2)}


def test_a_stop_at_the_very_deadline_is_in_time_and_ends_the_ladder() -> None:
    response = Request().tell(10, "responded").read("response")
    assert (response.state, response.ended_at) == ("met", at(10))
    assert set(response.rungs) == {("warning", 1), ("warning", 2)}


def test_a_stop_after_the_deadline_is_missed_whenever_it_is_told() -> None:
    response = Request().tell(11, "responded", told_at=40).read("response")
    assert response.state == "missed"
    assert set(response.rungs) == {("warning", 1), ("warning", 2), ("breach", 1)}


def test_late_news_of_a_stop_in_time_leaves_no_breach() -> None:
    response = Request().tell(7, "responded", told_at=40).read("response")
    assert response.state == "met"
    assert set(response.rungs) == {("warning", 1)}


def test_what_is_said_to_lie_in_the_future_has_occurred_when_it_was_told() -> None:
    assert Request().tell(30, "responded", told_at=4).read("response").ended_at == at(4)


def test_pauses_of_several_reasons_count_once() -> None:
    request = Request().tell(2, "paused", "third_party").tell(4, "paused", "customer_documents")
    request.tell(5, "resumed", "third_party").tell(8, "resumed", "customer_documents")
    assert request.read("resolution").due_at == at(24 + 6)
    assert request.read("response").due_at == at(10), "a response is not paused"


def test_a_reason_that_the_promise_does_not_name_pauses_nothing() -> None:
    request = Request().tell(2, "paused", "customer_decision").tell(8, "resumed", "customer_decision")
    assert request.read("resolution").due_at == at(24)


def test_a_paused_clock_has_no_deadline_and_rings_when_it_stands_too_long() -> None:
    resolution = Request().tell(2, "paused", "third_party").read("resolution")
    assert (resolution.state, resolution.due_at, resolution.is_paused) == ("paused", None, True)
    assert resolution.rungs == {("pause_alarm", 1): at(2 + 9)}


def test_a_pause_that_ends_itself_lets_the_clock_run_on() -> None:
    request = Request().tell(1, "stage_entered", "assessment", left="received").tell(2, "paused", "third_party")
    assessment = request.read("assessment")
    assert assessment.due_at == at(1 + 7 + 5)
    assert assessment.rungs["pause_alarm", 1] == at(2 + 5)


def test_a_pause_after_the_deadline_holds_up_the_ladder() -> None:
    request = Request().tell(25, "paused", "third_party").tell(31, "resumed", "third_party")
    resolution = request.read("resolution")
    assert resolution.rungs["breach", 1] == at(24)
    assert resolution.rungs["escalation", 1] == at(24 + 3 + 6)


def test_time_spent_counts_when_the_priority_changes() -> None:
    resolution = Request().tell(4, "changed", "urgent").read("resolution")
    assert resolution.due_at == at(14)
    assert resolution.rungs["warning", 1] == at(7)


def test_a_budget_that_is_spent_already_is_due_at_the_change() -> None:
    resolution = Request().tell(16, "changed", "urgent").read("resolution")
    assert resolution.due_at == at(16)
    assert resolution.rungs["warning", 1] == at(16), "by what is known now; it was decided before"


def test_a_change_after_the_deadline_moves_nothing() -> None:
    request = Request().tell(24, "changed", "urgent").tell(25, "extended", "resolution", seconds=300)
    assert request.read("resolution").due_at == at(24)


def test_a_change_can_begin_the_count_anew() -> None:
    request = Request().tell(1, "message_received").tell(3, "changed", "urgent")
    assert request.read("next_response").due_at == at(3 + 4)
    again = request.tell(4, "changed", "urgent").read("next_response")
    assert again.due_at == at(3 + 4), "the budget stays, so the count goes on"


def test_a_change_that_leaves_the_budget_moves_nothing() -> None:
    request = Request().tell(20, "changed", "normal").tell(21, "paused", "third_party")
    assert request.read("resolution").rungs["warning", 1] == at(12)


def test_what_is_said_to_lie_before_the_submission_has_occurred_with_it() -> None:
    request = Request().tell(-3, "paused", "third_party", told_at=2).tell(4, "resumed", "third_party")
    request.tell(-1, "extended", "resolution", seconds=60, told_at=5)
    assert request.read("resolution").due_at == at(24 + 4 + 1)


def test_no_time_counts_for_two_cycles() -> None:
    request = Request().tell(2, "stage_left", "received").tell(5, "stage_entered", "decision", left="received")
    request.tell(6, "closed", "settled").tell(9, "reopened", "customer_asked")
    request.tell(10, "stage_entered", "decision", left="decision").tell(
        11, "stage_entered", "decision", left="decision"
    )
    assert request.read("decision", 2).started_at == at(10)
    assert request.read("decision", 3).started_at == at(11)


def test_an_extension_moves_deadline_and_warnings() -> None:
    response = Request().tell(1, "extended", "response", seconds=120).read("response")
    assert response.due_at == at(12)
    assert response.rungs["warning", 1] == at(6)


def test_a_reset_begins_the_count_anew_within_the_cycle() -> None:
    request = Request().tell(1, "signalled", "inspection_ordered").tell(5, "signalled", "inspection_moved")
    assert request.cycles("inspection") == 1
    assert request.read("inspection").due_at == at(5 + 8)


def test_a_pause_between_two_words() -> None:
    request = Request().tell(1, "signalled", "inspection_ordered").tell(3, "signalled", "access_denied")
    assert request.read("inspection").state == "paused"
    assert request.tell(6, "signalled", "access_granted").read("inspection").due_at == at(1 + 8 + 3)


def test_one_word_ends_a_cycle_and_begins_the_next() -> None:
    request = Request().tell(3, "customer_informed").tell(5, "responded")
    assert request.cycles("periodic_update") == 3
    assert [request.read("periodic_update", cycle).state for cycle in (1, 2, 3)] == ["met", "met", "breached"]
    assert request.read("periodic_update", 3).due_at == at(5 + 9)


def test_a_stage_counts_from_the_exit_of_the_one_before() -> None:
    request = Request().tell(2, "stage_left", "received").tell(5, "stage_entered", "decision", left="received")
    assert request.read("decision").started_at == at(2)
    plain = Request().tell(5, "stage_entered", "decision", left="received")
    assert plain.read("decision").started_at == at(5)


def test_closing_freezes_and_reopening_begins_a_new_cycle() -> None:
    request = Request().tell(4, "closed", "settled").tell(6, "message_received").tell(9, "reopened", "customer_asked")
    assert request.read("resolution", 1).state == "met"
    assert request.read("resolution", 2).due_at == at(9 + 24)
    assert request.cycles("next_response") == 0, "a request that is over starts nothing"
    assert request.cycles("response") == 1, "a first response is promised once"


@pytest.mark.parametrize(("what", "value"), [("cancelled", "customer_asked"), ("merged", None), ("closed", WITHDRAWN)])
def test_what_ends_without_a_verdict(what: str, value: str | None) -> None:
    request = Request().tell(4, what, value)
    assert {answer.state for answer in reckon(request.told, FAR).values()} == {"cancelled"}


def test_late_news_can_show_that_a_cycle_never_began() -> None:
    request = Request().tell(5, "message_received")
    assert request.cycles("next_response") == 1
    assert request.tell(4, "closed", "settled", told_at=6).cycles("next_response") == 0


def test_the_policy_file_says_what_the_oracle_reckons_with() -> None:
    rulebook = read_rulebook(RuleSources(write_policies(), write_calendars()))
    urgent, usual = rulebook.policies
    for promise in PROMISES:
        for policy, is_urgent in ((urgent, True), (usual, False)):
            objective = policy.objective(promise.code)
            assert objective is not None
            assert objective.budget.span == promise.span(is_urgent=is_urgent)
            assert objective.starts == set(promise.starts)
            assert objective.stops == set(promise.stops)


def test_drawn_lives_hold_everything_that_can_happen() -> None:
    steps = [step for seed in range(300) for step in draw_life(Random(seed))]
    told = {step.what for step in steps}
    assert told >= {"submitted", "stage_entered", "paused", "resumed", "changed", "extended", "closed", "reopened"}
    assert told >= {"cancelled", "merged", "message_received", "signalled", "responded", "customer_informed"}
    assert any(step.late_by for step in steps)
    assert any(step.is_twice for step in steps)
    for step in steps:
        event = Told(1, step.what, NOON, NOON, step.value, step.left, step.seconds)
        assert payload_of(UUID(int=7), event).event_type().startswith(f"punctual.request.{step.what}")
