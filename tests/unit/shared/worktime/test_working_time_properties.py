from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.worktime import Calendar, WorkingTime, complement, from_ticks, measure, to_ticks, union
from tests.unit.shared.worktime.calendar_strategies import (
    STEP,
    budgets,
    calendars,
    elapsed_by_walking,
    exact_instants,
    instants,
    is_open_by_definition,
    pause_lists,
)

Pauses = list[tuple[datetime, datetime]]
TICK = timedelta(microseconds=1)


@settings(max_examples=25, deadline=None)
@given(calendars(), instants, st.integers(0, 700))
def test_elapsed_time_is_what_walking_over_instants_finds(calendar: Calendar, start: datetime, steps: int) -> None:
    end = start + steps * STEP
    assert WorkingTime(calendar).elapsed(start, end) == elapsed_by_walking(calendar, start, end)


@settings(max_examples=25, deadline=None)
@given(calendars(), exact_instants)
def test_open_is_what_the_definition_says(calendar: Calendar, at: datetime) -> None:
    working = WorkingTime(calendar)
    assert working.is_open(at) == is_open_by_definition(calendar, at)
    opening = working.next_open(at)
    assert opening >= at
    assert working.is_open(opening)
    assert working.elapsed(at, opening) == timedelta(0)


@settings(max_examples=50, deadline=None)
@given(calendars(), exact_instants, budgets, pause_lists())
def test_a_deadline_is_the_earliest_instant_at_which_its_budget_is_spent(
    calendar: Calendar, start: datetime, budget: timedelta, pauses: Pauses
) -> None:
    working = WorkingTime(calendar)
    due = working.due(start, budget, pauses)
    assert working.elapsed(start, due, pauses) == budget
    assert working.elapsed(start, due - TICK, pauses) == budget - TICK


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, budgets, pause_lists())
def test_counting_back_gives_the_latest_start(
    calendar: Calendar, end: datetime, budget: timedelta, pauses: Pauses
) -> None:
    working = WorkingTime(calendar)
    start = working.due_back(end, budget, pauses)
    assert working.elapsed(start, end, pauses) == budget
    assert working.elapsed(start + TICK, end, pauses) == budget - TICK


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, budgets)
def test_counting_forward_and_back_meet_at_the_same_open_time(
    calendar: Calendar, start: datetime, budget: timedelta
) -> None:
    working = WorkingTime(calendar)
    opening = working.next_open(start)
    assert working.due_back(working.due(start, budget), budget) == opening
    assert working.due(working.due_back(start, budget), budget) == working.previous_close(start)


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, exact_instants, budgets, budgets, pause_lists())
def test_a_later_start_or_a_larger_budget_is_never_due_earlier(
    calendar: Calendar, one: datetime, other: datetime, small: timedelta, more: timedelta, pauses: Pauses
) -> None:
    working = WorkingTime(calendar)
    start, later = sorted((one, other))
    assert working.due(start, small, pauses) <= working.due(later, small, pauses)
    assert working.due(start, small, pauses) < working.due(start, small + more, pauses)


@settings(max_examples=30, deadline=None)
@given(calendars(), st.lists(exact_instants, min_size=3, max_size=3), pause_lists())
def test_the_parts_of_a_span_add_up(calendar: Calendar, three: list[datetime], pauses: Pauses) -> None:
    working = WorkingTime(calendar)
    start, middle, end = sorted(three)
    parts = working.elapsed(start, middle, pauses) + working.elapsed(middle, end, pauses)
    assert parts == working.elapsed(start, end, pauses)


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, budgets, budgets)
def test_a_budget_may_be_spent_in_two_parts(
    calendar: Calendar, start: datetime, one: timedelta, other: timedelta
) -> None:
    working = WorkingTime(calendar)
    assert working.due(working.due(start, one), other) == working.due(start, one + other)


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, budgets, pause_lists(), st.randoms(use_true_random=False))
def test_the_order_of_pauses_means_nothing(
    calendar: Calendar, start: datetime, budget: timedelta, pauses: Pauses, random: object
) -> None:
    working = WorkingTime(calendar)
    shuffled = list(pauses)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert working.due(start, budget, shuffled) == working.due(start, budget, pauses)


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, budgets, pause_lists())
def test_pauses_that_overlap_count_as_one(
    calendar: Calendar, start: datetime, budget: timedelta, pauses: Pauses
) -> None:
    working = WorkingTime(calendar)
    assert working.due(start, budget, pauses) == working.due(start, budget, union(pauses))
    assert working.elapsed(start, start + budget, pauses) == working.elapsed(start, start + budget, union(pauses))


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, budgets, exact_instants)
def test_a_pause_outside_working_hours_moves_nothing(
    calendar: Calendar, start: datetime, budget: timedelta, at: datetime
) -> None:
    working = WorkingTime(calendar)
    closed = (at, working.next_open(at))
    assert working.due(start, budget, [closed]) == working.due(start, budget)


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, exact_instants)
def test_windows_are_sorted_apart_and_sum_up_to_the_elapsed_time(
    calendar: Calendar, one: datetime, other: datetime
) -> None:
    working = WorkingTime(calendar)
    start, end = sorted((one, other))
    windows = working.windows(start, end)
    assert sum((stop - begin for begin, stop in windows), timedelta(0)) == working.elapsed(start, end)
    assert all(begin < stop for begin, stop in windows)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(windows))


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, exact_instants)
def test_open_and_closed_segments_together_are_all_of_time(calendar: Calendar, one: datetime, other: datetime) -> None:
    working = WorkingTime(calendar)
    start, end = sorted((one, other))
    windows = working.windows(start, end)
    closed = complement(windows, start, end)
    assert union([*windows, *closed]) == union([(start, end)])
    assert measure(windows, timedelta(0)) + measure(closed, timedelta(0)) == end - start
    assert all(working.is_open(begin) and not working.is_open(stop) for begin, stop in windows[:-1])
    assert not any(working.is_open(begin) or working.is_open(stop - TICK) for begin, stop in closed)


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants)
def test_the_last_closing_and_the_next_opening_are_on_either_side_of_a_closed_instant(
    calendar: Calendar, at: datetime
) -> None:
    working = WorkingTime(calendar)
    closing, opening = working.previous_close(at), working.next_open(at)
    assert closing <= at <= opening
    assert working.elapsed(closing, opening) == timedelta(0)
    assert working.is_open(closing - TICK)
    assert working.is_open(opening)


@settings(max_examples=30, deadline=None)
@given(calendars(), exact_instants, budgets, pause_lists())
def test_ticks_give_the_same_answers(calendar: Calendar, start: datetime, budget: timedelta, pauses: Pauses) -> None:
    working = WorkingTime(calendar)
    begins, spans = to_ticks(start), [(to_ticks(paused), to_ticks(resumed)) for paused, resumed in pauses]
    due = working.due(start, budget, pauses)
    assert from_ticks(working.due_ticks(begins, budget // TICK, spans)) == due
    assert working.elapsed_ticks(begins, to_ticks(due), spans) == budget // TICK
