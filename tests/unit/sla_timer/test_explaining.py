from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla_timer.domain.case import Case, open_case
from services.sla_timer.domain.choosing import explain_choices, find
from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.effects import EffectKind
from services.sla_timer.domain.explaining import Explanation, explain
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import Happening, Origin, RequestEvent
from services.sla_timer.domain.rules import (
    Budget,
    BudgetKind,
    Mode,
    Objective,
    Policy,
    Rulebook,
    Rung,
    RungKind,
)
from shared.contracts.payload import Market
from shared.rules.conditions import ALWAYS, AllOf, Among, AnyOf, Between, Known, Not
from shared.worktime import Calendar, Window, WorkingTime

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
REQUEST_ID = UUID("01977c00-0000-7000-8000-000000000001")
LADDER = (
    Rung(RungKind.WARNING, 1, fraction=0.5, roles=("team_lead",)),
    Rung(RungKind.BREACH, 1, roles=("team_lead",)),
)
RESOLUTION = Objective(
    "resolution",
    Budget(BudgetKind.WORKING, 8 * HOUR),
    resets=frozenset({"signalled:again"}),
    paused_by=frozenset({"documents", "doctor"}),
    ladder=LADDER,
    modes={Mode.PEAK: Budget(BudgetKind.ELAPSED, 36 * HOUR)},
    modes_move_running=True,
)
URGENT = replace(RESOLUTION, budget=Budget(BudgetKind.WORKING, 4 * HOUR))
OFFICE = Calendar("office", "UTC", ((Window(9 * HOUR, 12 * HOUR), Window(13 * HOUR, 18 * HOUR)),) * 5 + ((), ()))
FACTS = Facts(kind="claim", market="HK", channel="app", priority="normal", customer_tier="standard")


def rulebook(version: int, *objectives: Objective) -> Rulebook:
    urgent = tuple(replace(URGENT, code=objective.code) for objective in objectives)
    policies = (
        Policy("urgent", Among("priority", frozenset({"urgent"})), urgent),
        Policy("usual", ALWAYS, objectives),
    )
    return Rulebook(version, policies, {"office": WorkingTime(OFFICE)}, dict.fromkeys(Market, "office"))


RULEBOOKS = {
    1: rulebook(1, RESOLUTION),
    2: rulebook(2, replace(RESOLUTION, budget=Budget(BudgetKind.WORKING, 16 * HOUR))),
}


def at(hours: float) -> datetime:
    return MONDAY + timedelta(minutes=round(hours * 60))


def case_of(*told: tuple[float, Happening, str | None, dict[str, object] | None]) -> Case:
    """A request submitted at nine on Monday, and what was told of it since: hours after midnight."""
    history = [RequestEvent(1, Happening.SUBMITTED, at(9), at(9), "received")]
    house = [Happening.POLICY_APPLIED, Happening.MODE_CHANGED]
    for hours, happening, value, details in told:
        origin = Origin.HOUSE if happening in house else Origin.INTAKE
        sequence = 1 + sum(entry.origin is origin for entry in history)
        history.append(RequestEvent(sequence, happening, at(hours), at(hours), value, details, origin))
    history.sort(key=lambda entry: (entry.origin is Origin.HOUSE, entry.sequence))
    return open_case(REQUEST_ID, "K7M4Q-2XD9C", history, FACTS, 1, RULEBOOKS.__getitem__)


def explained(case: Case, hours: float = 1000) -> Explanation:
    (explanation,) = explain(case, "resolution", at(hours))
    return explanation


def test_the_windows_add_up_to_the_budget() -> None:
    explanation = explained(case_of())
    assert [(window.start, window.end, window.total) for window in explanation.windows] == [
        (at(9), at(12), 3 * HOUR),
        (at(13), at(18), 8 * HOUR),
    ]
    assert explanation.course.reading.due_at == at(18)


def test_pauses_are_left_out_with_their_reasons() -> None:
    explanation = explained(
        case_of(
            (10, Happening.PAUSED, "documents", None),
            (11, Happening.PAUSED, "doctor", None),
            (12, Happening.RESUMED, "documents", None),
            (14, Happening.RESUMED, "doctor", None),
        )
    )
    (pause,) = explanation.left_out
    assert (pause.start, pause.end, pause.reasons) == (at(10), at(14), ("documents", "doctor"))
    assert [(window.start, window.end) for window in explanation.windows] == [
        (at(9), at(10)),
        (at(14), at(18)),
        (at(33), at(36)),
    ]


def test_a_clock_that_stands_still_shows_what_it_has_spent() -> None:
    explanation = explained(case_of((11, Happening.PAUSED, "documents", None)))
    assert explanation.course.reading.state is ClockState.PAUSED
    assert [window.total for window in explanation.windows] == [2 * HOUR]
    assert explanation.left_out[0].end is None


def test_what_moved_a_deadline_is_told_with_its_reason() -> None:
    granted = {"seconds": 3600, "reason": "agreed_with_customer", "approved_by": "lead"}
    explanation = explained(
        case_of(
            (10, Happening.EXTENDED, "resolution", granted),
            (11, Happening.POLICY_APPLIED, "2", {"version": 2}),
            (12, Happening.CHANGED, "corrected", {"priority": "urgent"}),
        )
    )
    moves = [(move.entry.happening.value, move.due_before, move.due_after) for move in explanation.moves]
    assert moves == [
        ("extended", at(18), at(34)),
        ("policy_applied", at(34), at(48 + 10)),
        ("changed", at(58), at(15)),
    ]
    assert explanation.moves[0].entry.details == granted
    assert explanation.course.target.extension == HOUR


def test_a_mode_moves_a_running_clock_and_says_so() -> None:
    explanation = explained(case_of((10, Happening.MODE_CHANGED, "peak", None)))
    assert explanation.moves[0].due_after == at(9 + 36)
    assert explanation.course.target.mode is Mode.PEAK
    assert [(window.start, window.end) for window in explanation.windows] == [(at(9), at(45))]


def test_a_budget_that_is_cut_below_what_was_spent_is_due_at_once() -> None:
    explanation = explained(case_of((15, Happening.CHANGED, "corrected", {"priority": "urgent"})))
    assert explanation.is_due_at_once
    assert explanation.course.reading.due_at == at(15)


def test_nothing_is_counted_from_a_pause_on_though_a_change_makes_it_due_in_the_pause() -> None:
    explanation = explained(
        case_of((15, Happening.PAUSED, "documents", None), (16, Happening.CHANGED, "corrected", {"priority": "urgent"}))
    )
    assert explanation.is_due_at_once
    assert explanation.course.reading.due_at == at(16)
    assert [(window.start, window.end) for window in explanation.windows] == [(at(9), at(12)), (at(13), at(15))]


def test_a_word_that_the_objective_does_not_know_has_no_effect_and_leaves_the_deadline() -> None:
    started, message = explained(case_of((10, Happening.MESSAGE_RECEIVED, None, None))).effects
    assert (started.kind, started.due_after) == (EffectKind.STARTED, at(18))
    assert (message.kind, message.due_before, message.due_after) == (None, at(18), at(18))


def test_every_entry_has_its_effect_and_late_news_corrects() -> None:
    case = case_of(
        (10, Happening.RESPONDED, None, None),
        (11, Happening.PAUSED, "documents", None),
        (12, Happening.RESUMED, "documents", None),
        (16, Happening.CLOSED, "paid", None),
    )
    kinds = [effect.kind for effect in explained(case).effects]
    assert kinds == [EffectKind.STARTED, None, EffectKind.PAUSED, EffectKind.RESUMED, EffectKind.MET]
    late = RequestEvent(6, Happening.CLOSED, at(14), at(20), "paid")
    told_late = open_case(REQUEST_ID, "K7M4Q-2XD9C", [*case.history, late], FACTS, 1, RULEBOOKS.__getitem__)
    assert explained(told_late).effects[-1].kind is EffectKind.CORRECTED


def test_a_deadline_past_the_known_calendar_says_since_when() -> None:
    known = replace(OFFICE, known_until=MONDAY.date())
    rules = replace(RULEBOOKS[2], version=1, calendars={"office": WorkingTime(known)})
    case = open_case(REQUEST_ID, "K7M4Q-2XD9C", case_of().history, FACTS, 1, lambda _: rules)
    assert explained(case).provisional_since == MONDAY.date()
    assert explained(case_of()).provisional_since is None


happenings = st.one_of(
    st.tuples(st.just(Happening.PAUSED), st.sampled_from(["documents", "doctor", "other"]), st.none()),
    st.tuples(st.just(Happening.RESUMED), st.sampled_from(["documents", "doctor", "other"]), st.none()),
    st.tuples(st.just(Happening.SIGNALLED), st.just("again"), st.none()),
    st.tuples(st.just(Happening.EXTENDED), st.just("resolution"), st.just({"seconds": 5400})),
    st.tuples(
        st.just(Happening.CHANGED),
        st.just("corrected"),
        st.sampled_from([{"priority": p} for p in ("urgent", "normal")]),
    ),
    st.tuples(st.just(Happening.POLICY_APPLIED), st.just("2"), st.just({"version": 2})),
    st.tuples(st.just(Happening.MODE_CHANGED), st.sampled_from(["peak", "normal"]), st.none()),
    st.tuples(st.just(Happening.CLOSED), st.just("paid"), st.none()),
)
lives = st.lists(st.tuples(st.integers(0, 200), happenings), max_size=12)


@given(lives, st.integers(0, 400))
def test_what_was_counted_is_the_budget_whatever_happened(
    life: list[tuple[int, tuple[Happening, str | None, dict[str, object] | None]]], read: int
) -> None:
    case = case_of(*((9 + quarters / 4, *told) for quarters, told in life))
    for explanation in explain(case, "resolution", at(9 + read / 4)):
        target = explanation.course.target
        counted = sum((window.counted for window in explanation.windows), timedelta(0))
        assert not explanation.windows or counted == explanation.windows[-1].total
        if target.due_at is None:
            assert counted <= target.budget.span + target.extension
        elif explanation.is_due_at_once:
            assert counted >= target.budget.span + target.extension
        else:
            assert counted == target.budget.span + target.extension
        for window in explanation.windows:
            for pause in explanation.left_out:
                assert window.end <= pause.start or (pause.end is not None and pause.end <= window.start)


@pytest.mark.parametrize(
    ("condition", "text", "holds"),
    [
        (ALWAYS, "applies to everything", True),
        (Among("priority", frozenset({"urgent", "high"})), "priority high or urgent (is normal)", False),
        (Between("amount", at_least=100, below=5000), "amount at least 100 and below 5000 (is 250)", True),
        (Known("broker"), "broker known (is not known)", False),
    ],
)
def test_a_condition_says_what_was_asked_and_what_the_fact_is(condition: object, text: str, holds: bool) -> None:
    finding = find(condition, replace(FACTS, attributes={"amount": 250.0}))  # type: ignore[arg-type]
    assert (finding.text, finding.holds) == (text, holds)


def test_a_choice_names_every_policy_that_was_asked() -> None:
    choices = explain_choices(case_of((10, Happening.CHANGED, "corrected", {"priority": "urgent"})))
    assert [[(asked.policy.code, asked.finding.holds) for asked in choice.asked] for choice in choices] == [
        [("urgent", False), ("usual", True)],
        [("urgent", True)],
    ]
    finding = find(AllOf((Not(Known("broker")), AnyOf((Known("kind"),)))), FACTS)
    assert [part.text for part in finding.parts] == ["not", "any of"]
    assert finding.parts[0].parts[0].text == "broker known (is not known)"
