"""Whatever happens to a request and whenever somebody looks: never early, never twice, and as a plain count says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import moves
from services.intake.domain.automation.deciding import Case
from services.intake.domain.automation.reminders import CountedSpan, Hours, ReminderRule
from services.intake.domain.automation.reminding import coming_reminders, next_look
from services.intake.domain.automation.rules import RuleSet
from services.intake.domain.automation.trying import Trial
from services.intake.domain.automation.waiting import read_wait
from services.intake.domain.changes import StageEntered
from services.intake.domain.life import State
from services.intake.domain.moves import Move
from services.intake.domain.refusing import MoveRefused
from services.intake.domain.reminded import Reminded
from shared.contracts.payload import Market
from shared.rules.conditions import ALWAYS
from shared.worktime import ALWAYS_OPEN, Calendar, WorkingTime
from tests.unit.intake.automation.lives import MINUTE, START, looked_at, moved, submitted
from tests.unit.intake.automation.test_acting import ON

OUTSIDE = ("customer_documents", "third_party")

what = st.sampled_from(
    [
        moves.EnterStage("assessment"),
        moves.EnterStage("documents"),
        moves.LeaveStage(None),
        moves.Note(None),
        moves.Close("withdrawn", None),
        moves.Reopen("our_mistake"),
        *(moves.Pause(reason, ()) for reason in (*OUTSIDE, "second_opinion")),
        *(moves.Pause(OUTSIDE[0], (document,)) for document in ("receipts", "report")),
        *(moves.Resume(reason) for reason in (*OUTSIDE, "second_opinion")),
    ]
)
minutes = st.integers(0, 40)
lives = st.lists(st.tuples(minutes, what), max_size=12)


@dataclass(frozen=True)
class Told:
    minute: int
    number: int


def rules_of(after: int, every: int, at_most: int) -> RuleSet:
    first, then = CountedSpan(after * MINUTE), CountedSpan(every * MINUTE)
    return RuleSet((), (ReminderRule("nudge", ALWAYS, first, then, at_most),))


rule_sets = st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(2, 4))


def play(
    rules: RuleSet, life: list[tuple[int, Move]], looks: Collection[int] | None, length: int
) -> tuple[Case, list[Told]]:
    """What is said when somebody looks at these minutes, or when the rules say so; what happens comes before a look."""
    case, told, happenings = submitted(), list[Told](), _by_minute(life)
    for minute in range(length):
        at = START + minute * MINUTE
        for move in happenings.get(minute, ()):
            case = _try(case, move, minute)
        if looks is None:
            look_at = next_look(rules, case)
            is_looked_at = look_at is not None and look_at <= at
        else:
            is_looked_at = minute in looks
        if is_looked_at:
            case, due = looked_at(rules, case, at)
            told += (Told(minute, coming.reminded.number) for coming in due)
            assert all(coming.due_at > at for coming in coming_reminders(rules, case))  # nothing is left over
    return case, told


def count(after: int, every: int, at_most: int, life: list[tuple[int, Move]], length: int) -> list[Told]:
    """The same, by counting the minutes in which the house was waited for."""
    case, told, happenings = submitted(), list[Told](), _by_minute(life)
    waited, number = 0, 0
    for minute in range(length):
        for move in happenings.get(minute, ()):
            before = len(case.history)
            case = _try(case, move, minute)
            if any(isinstance(entry.change, StageEntered) for entry in case.history[before:]):
                waited, number = 0, 0
        is_ours = case.life.ended_as is None and not set(OUTSIDE) & set(case.life.pause_reasons)
        if is_ours and number < at_most and waited >= (every if number else after):
            waited, number = 0, number + 1
            told.append(Told(minute, number))
        waited += is_ours
    return told


@given(lives, rule_sets)
def test_who_looks_when_the_rules_say_so_says_what_a_plain_count_of_minutes_says(
    life: list[tuple[int, Move]], span: tuple[int, int, int]
) -> None:
    length = _length(life)
    case, told = play(rules_of(*span), life, None, length)
    assert told == count(*span, life, length)
    assert told == play(rules_of(*span), life, range(length), length)[1]  # looking more often adds nothing
    trial = Trial(rules_of(*span), most_listed=1000, until=START + length * MINUTE)
    trial.take("R-1", case)
    listed = trial.results["nudge"].listed
    assert [(each.at - START) // MINUTE for each in listed] == [each.minute for each in told]


@given(lives, rule_sets, st.sets(st.integers(0, 500), max_size=30))
def test_whoever_looks_whenever_nothing_is_early_twice_or_too_often(
    life: list[tuple[int, Move]], span: tuple[int, int, int], looks: set[int]
) -> None:
    after, every, at_most = span
    case, _ = play(rules_of(*span), life, looks, _length(life))
    said: dict[int, int] = {}
    for position, entry in enumerate(case.history):
        if not isinstance(entry.change, Reminded):
            continue
        wait = read_wait(case.history[:position], case.process)
        assert wait is not None  # it waited for the house then
        assert entry.change.stage_entry == wait.stage_entry
        waited = WorkingTime(ALWAYS_OPEN).elapsed(wait.since, entry.occurred_at, wait.pauses)
        number = said[wait.stage_entry] = said.get(wait.stage_entry, 0) + 1
        assert entry.change.number == number <= at_most
        assert waited >= (after + (number - 1) * every) * MINUTE
        assert entry.change.due_at <= entry.occurred_at


@given(
    lives,
    st.sampled_from(sorted(ON.hours.calendars.items())),
    st.integers(1, 3000),
    st.integers(0, 7 * 24 * 60),
)
def test_working_time_that_has_passed_when_it_comes_is_what_the_rule_asks_for(
    life: list[tuple[int, Move]], of_market: tuple[Market, Calendar], after: int, begins: int
) -> None:
    market, calendar = of_market
    span = CountedSpan(after * MINUTE, is_working=True)
    rules = RuleSet((), (ReminderRule("nudge", ALWAYS, span),), Hours({market: calendar}))
    case = replace(submitted(START + begins * MINUTE), market=market.value)
    minute = begins
    for gap, move in life:
        minute += gap * 60
        case = _try(case, move, minute)
    at, wait = next_look(rules, case), read_wait(case.history, case.process)
    assert (at is None) == (wait is None)
    if at is not None and wait is not None:
        passed = WorkingTime(calendar).elapsed
        assert passed(wait.since, at, wait.pauses) == after * MINUTE
        assert passed(wait.since, at - timedelta(microseconds=1), wait.pauses) < after * MINUTE


@given(lives)
def test_the_wait_is_the_one_of_the_state(life: list[tuple[int, Move]]) -> None:
    case = play(rules_of(1, 1, 2), life, (), _length(life))[0]
    wait = read_wait(case.history, case.process)
    waits_outside = set(OUTSIDE) & set(case.life.pause_reasons)
    is_waiting = case.life.state in {State.OPEN, State.PAUSED} and not waits_outside
    assert (wait is not None) == is_waiting
    assert wait is None or wait.stage == case.life.stage


def _by_minute(life: list[tuple[int, Move]]) -> dict[int, list[Move]]:
    happenings: dict[int, list[Move]] = {}
    minute = 0
    for gap, move in life:
        minute += gap
        happenings.setdefault(minute, []).append(move)
    return happenings


def _length(life: list[tuple[int, Move]]) -> int:
    return sum(gap for gap, _ in life) + 60


def _try(case: Case, move: Move, minute: int) -> Case:
    try:
        return moved(case, move, START + minute * MINUTE)
    except MoveRefused:
        return case
