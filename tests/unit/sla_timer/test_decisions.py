from __future__ import annotations

import pytest

from services.sla_timer.domain.case import insert_entry
from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.decisions import advance, by_objective, concerns
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.rules import BudgetKind, LongestPause, Party, Rung, RungKey, RungKind
from tests.unit.sla_timer.cases import (
    BREACH,
    BREACH_RUNG,
    HOUR,
    Life,
    at,
    elapsed,
    policy,
    promise,
    rules,
    said,
    working,
)


def last_told(life: Life, code: str) -> dict[str, object]:
    told = [a for step in life.steps if step.clock.objective == code for a in step.announcements]
    return {"occurred_at": told[-1].occurred_at} | told[-1].data.model_dump(mode="json")


def test_a_clock_that_starts_says_what_was_promised_by_when() -> None:
    life = Life.begin(at(10), promise("resolution", working(4), party=Party.INTERNAL))
    told = last_told(life, "resolution")
    expected = {
        "occurred_at": at(10),
        "started_at": "2026-06-01T10:00:00Z",
        "due_at": "2026-06-01T15:00:00Z",
        "budget_seconds": 14400,
        "budget_kind": "working",
        "calendar": "office",
        "party": "internal",
        "mode": "normal",
        "policy": "claim",
        "policy_version": 7,
        "cycle": 1,
    }
    assert {name: told[name] for name in expected} == expected


def test_a_decision_is_told_with_the_roles_of_its_rung_and_the_instant_it_became_true() -> None:
    life = Life.begin(at(9))
    life.tick(at(12.5))
    told = last_told(life, "response")
    assert (told["occurred_at"], told["level"]) == (at(11) + HOUR, 1)
    assert (told["due_at"], told["notify_roles"]) == ("2026-06-01T11:00:00Z", ["operations_manager"])


def test_a_repetition_is_told_with_its_own_level() -> None:
    rungs = BREACH_RUNG, Rung(RungKind.ESCALATION, 1, after=HOUR, roles=("head",), every=HOUR)
    life = Life.begin(at(9), promise("resolution", elapsed(2), ladder=rungs))
    life.tick(at(14))
    assert last_told(life, "resolution")["level"] == 3


def test_a_withdrawn_breach_says_when_the_clock_had_stopped() -> None:
    life = Life.begin(at(9))
    life.tick(at(12))
    life.tell(Happening.RESPONDED, at(10.5), recorded_at=at(12))
    told = [a for step in life.steps for a in step.announcements if a.kind.TYPE.endswith("breach_withdrawn")]
    assert told[0].data.model_dump(mode="json")["stopped_at"] == "2026-06-01T10:30:00Z"


def test_a_pause_says_its_first_reason_and_a_resumption_the_new_deadline() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.PAUSED, at(10), "documents")
    life.tell(Happening.PAUSED, at(10.5), "doctor")
    told = last_told(life, "resolution")
    assert (told["paused_at"], told["reason"]) == ("2026-06-01T10:00:00Z", "documents")
    life.tell(Happening.RESUMED, at(11), "documents")
    life.tell(Happening.RESUMED, at(11.5), "doctor")
    told = last_told(life, "resolution")
    assert (told["resumed_at"], told["due_at"]) == ("2026-06-01T11:30:00Z", "2026-06-01T15:30:00Z")


def test_a_clock_that_goes_on_because_a_pause_lasted_too_long_says_so() -> None:
    limit = LongestPause(2 * HOUR, BudgetKind.ELAPSED, ("team_lead",), resumes=True)
    life = Life.begin(at(9), promise("resolution", elapsed(8), paused_by=["documents"], longest_pause=limit))
    life.tell(Happening.PAUSED, at(10), "documents")
    assert life.told("resolution")[-1] == "paused"
    life.tick(at(12))
    assert life.told("resolution")[-2:] == ["resumed", "pause_overrun"]


@pytest.mark.parametrize(
    ("happening", "value", "details", "reason"),
    [
        (Happening.CHANGED, "asked", {"priority": "urgent"}, "changed"),
        (Happening.EXTENDED, "resolution", {"seconds": 3600}, "extended"),
        (Happening.SIGNALLED, "complete", {}, "reset"),
    ],
)
def test_a_moved_deadline_says_what_moved_it(
    happening: Happening, value: str, details: dict[str, object], reason: str
) -> None:
    resets = ["signalled:complete"]
    life = Life.begin(
        at(9),
        promise("resolution", elapsed(8), resets=resets),
        urgent=(promise("resolution", elapsed(4), resets=resets),),
    )
    life.tell(happening, at(10), value, None, None, **details)
    assert last_told(life, "resolution")["reason"] == reason
    assert last_told(life, "resolution")["previous_due_at"] == "2026-06-01T17:00:00Z"


def test_new_rules_say_that_they_moved_a_deadline() -> None:
    fast = promise("resolution", elapsed(4))
    life = Life.begin(at(9), promise("resolution", elapsed(8)), later=(rules(*policy(fast), version=8),))
    life.apply(8, at(10))
    assert last_told(life, "resolution")["reason"] == "policy_applied"


def test_a_clock_is_named_by_the_rules_that_hold_now_even_where_its_deadline_stays() -> None:
    objective = promise("resolution", elapsed(8))
    life = Life.begin(at(9), objective, later=(rules(*policy(objective), version=8),))
    (step,) = life.apply(8, at(10))
    assert (step.announcements, step.is_rearmed) == ((), False)
    assert life.clock("resolution").policy_version == 8


def test_reading_again_says_nothing_new() -> None:
    life = Life.begin(at(9))
    life.tick(at(12.5))
    for code, clocks in by_objective(life.clocks).items():
        assert advance(life.case, code, clocks, at(12.5)) == []
        assert advance(life.case, code, clocks, at(9)) == []  # nor does a look back


def test_clocks_are_grouped_by_objective_in_the_order_of_their_cycles() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.CLOSED, at(10), "paid")
    life.tell(Happening.REOPENED, at(11), "appeal")
    grouped = by_objective(dict(reversed(life.clocks.items())))
    assert [clock.cycle for clock in grouped["resolution"]] == [1, 2]


# Which entries concern which clocks

ENTRIES = [
    (said(2, Happening.RESPONDED, at(9.75)), True, False),
    (said(2, Happening.PAUSED, at(9.75), "documents"), False, True),
    (said(2, Happening.PAUSED, at(9.75), "lunch"), False, False),
    (said(2, Happening.ASSIGNED, at(9.75), "motor"), False, False),
    (said(2, Happening.EXTENDED, at(9.75), "response", details={"seconds": 1}), True, False),
    (said(2, Happening.STAGE_ENTERED, at(9.75), "decision", details={"from": "assessment"}), True, False),
    (said(2, Happening.CHANGED, at(9.75), "asked", details={"priority": "urgent"}), True, True),
    (said(2, Happening.CLOSED, at(9.75), "paid"), True, True),
    (said(2, Happening.MERGED, at(9.75)), True, True),
    (said(2, Happening.MODE_CHANGED, at(9.75), "peak"), True, True),
]


@pytest.mark.parametrize(("entry", "response", "resolution"), ENTRIES, ids=lambda part: str(getattr(part, "value", "")))
def test_an_entry_concerns_the_clocks_that_its_words_are_about(
    entry: RequestEvent, response: bool, resolution: bool
) -> None:
    assert _concerned(Life.begin(at(9)), entry) == {"response": response, "resolution": resolution}


def test_what_occurs_after_the_end_concerns_a_clock_only_when_it_can_start_another() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.CLOSED, at(10), "paid")
    assert not _concerned(life, said(3, Happening.CLOSED, at(11), "declined"))["resolution"]
    assert _concerned(life, said(3, Happening.REOPENED, at(11), "appeal"))["resolution"]
    assert _concerned(life, said(3, Happening.PAUSED, at(9.5), "documents", at(11)))["resolution"]


def test_what_occurred_before_something_that_is_known_already_always_concerns_the_clocks_it_is_about() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.RESPONDED, at(9.5))
    life.tell(Happening.CLOSED, at(11), "paid")
    assert _concerned(life, said(4, Happening.REOPENED, at(10), "appeal", at(12))) == {
        "response": True,
        "resolution": True,
    }


def test_late_news_is_judged_by_the_words_of_the_rules_that_held_then_too() -> None:
    by_answer = promise("answer", elapsed(8), stops=["responded"])
    by_signal = promise("answer", elapsed(8), stops=["signalled:answered"])
    life = Life.begin(at(9), by_answer, later=(rules(*policy(by_signal), version=8),))
    life.apply(8, at(11))
    assert life.states("answer") == ["running"]
    life.tell(Happening.RESPONDED, at(10), recorded_at=at(12))
    assert life.states("answer") == ["met"]


def test_rules_that_hold_from_the_instant_of_an_entry_on_hold_for_that_entry() -> None:
    plain = promise("resolution", elapsed(8))
    again = promise("resolution", elapsed(8), starts=["submitted", "reopened"])
    life = Life.begin(at(9), plain, later=(rules(*policy(again), version=8),))
    life.tell(Happening.CLOSED, at(10), "paid")
    life.tell(Happening.REOPENED, at(11), "appeal")
    assert life.states("resolution") == ["met"]
    life.apply(8, at(11))
    assert life.states("resolution") == ["met", "running"]


def test_late_news_may_show_that_an_objective_was_never_promised() -> None:
    main, survey = promise("resolution", elapsed(8)), promise("survey", elapsed(4), stops=["signalled:surveyed"])
    later = rules(*policy(main, survey, urgent=(main,)), version=8)
    life = Life.begin(at(9), main, urgent=(main,), later=(later,))
    life.apply(8, at(11))
    life.tick(at(13))
    assert life.states("survey") == ["breached"]
    life.tell(Happening.CHANGED, at(10), "asked", at(13.5), None, priority="urgent")
    assert (life.states("survey"), life.standing("survey")) == (["cancelled"], {})
    life.tell(Happening.CHANGED, at(14), "asked", priority="normal")
    assert life.states("survey") == ["breached"]  # promised again, and counted from the submission


def test_a_pause_that_only_later_rules_know_mends_no_breach() -> None:
    plain, pausing = promise("resolution", elapsed(4)), promise("resolution", elapsed(4), paused_by=["documents"])
    life = Life.begin(at(9), plain, later=(rules(*policy(pausing), version=8),))
    life.tell(Happening.PAUSED, at(10), "documents")
    life.tell(Happening.RESUMED, at(12), "documents")
    life.tick(at(13))
    life.apply(8, at(14))
    assert (life.state("resolution"), life.due("resolution")) == (ClockState.BREACHED, at(13))


def test_an_extension_said_to_be_older_than_the_submission_counts_from_there() -> None:
    life = Life.begin(at(9), promise("resolution", elapsed(4)))
    life.tell(Happening.EXTENDED, at(8.5), "resolution", at(10), None, seconds=3600)
    assert life.due("resolution") == at(14)


def _concerned(life: Life, entry: RequestEvent) -> dict[str, bool]:
    life.history = insert_entry(life.history, entry)
    case, clocks = life.afresh(), by_objective(life.clocks)
    return {code: concerns(case, code, clocks[code], entry) for code in case.objectives()}


def test_an_entry_that_concerns_no_clock_still_lets_time_pass() -> None:
    life = Life.begin(at(9))
    life.tell(Happening.ASSIGNED, at(11.5), "motor")
    assert life.standing("response")[BREACH] == at(11)
    assert RungKey(RungKind.WARNING, 1) in life.standing("resolution")
