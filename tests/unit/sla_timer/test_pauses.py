from __future__ import annotations

from datetime import datetime

import pytest

from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.pauses import NO_PAUSES, PauseReader, Pauses, name_pauses
from services.sla_timer.domain.rules import BudgetKind, LongestPause, Objective
from tests.unit.sla_timer.cases import CALENDARS, HOUR, RESOLUTION, at, promise, said, working

SUBMITTED = said(1, Happening.SUBMITTED, at(8))
BEGINS, ENDS = Happening.PAUSED, Happening.RESUMED


def find(objective: Objective, *told: tuple[Happening, datetime, str]) -> Pauses:
    history = [said(number, what, when, why) for number, (what, when, why) in enumerate(told, start=2)]
    return read([SUBMITTED, *history], objective)


def read(history: list[RequestEvent], objective: Objective) -> Pauses:
    """In one go and bit by bit, which must give the same."""
    reader = PauseReader(objective, CALENDARS["office"])
    found = [reader.read_on(history[:count]) for count in range(1, len(history) + 1)]
    assert PauseReader(objective, CALENDARS["office"]).read_on(history) == found[-1]
    return found[-1]


def longest(hours: float, counts: BudgetKind = BudgetKind.ELAPSED, *, resumes: bool = False) -> Objective:
    limit = LongestPause(hours * HOUR, counts, ("team_lead",), resumes=resumes)
    return promise("resolution", working(4), paused_by=["documents", "doctor"], longest_pause=limit)


def test_pauses_of_several_reasons_are_one_while_any_holds() -> None:
    told = [
        (BEGINS, at(10), "documents"),
        (BEGINS, at(11), "doctor"),
        (ENDS, at(12), "documents"),
        (ENDS, at(13), "doctor"),
        (BEGINS, at(14), "doctor"),
    ]
    assert find(RESOLUTION, *told) == Pauses(((at(10), at(13)),), at(14), "doctor")
    assert find(RESOLUTION, *told[:3]) == Pauses((), at(10), "doctor")


def test_a_reason_that_the_objective_does_not_name_pauses_nothing() -> None:
    assert find(RESOLUTION, (BEGINS, at(10), "lunch")) == NO_PAUSES


def test_a_star_stands_for_any_reason_and_each_is_paired_with_its_own_end() -> None:
    anything = promise("resolution", working(4), paused_by=["*"])
    told = [(BEGINS, at(10), "lunch"), (BEGINS, at(11), "rain"), (ENDS, at(12), "lunch")]
    assert find(anything, *told) == Pauses((), at(10), "rain")
    assert find(anything, *told, (ENDS, at(13), "rain")) == Pauses(((at(10), at(13)),))


def test_a_repeated_pause_begins_with_the_earlier_one() -> None:
    assert find(RESOLUTION, (BEGINS, at(11), "doctor"), (BEGINS, at(10), "doctor")).open_since == at(10)


def test_pauses_are_paired_in_the_order_they_were_told_not_in_that_in_which_they_occurred() -> None:
    told = [
        (BEGINS, at(11), "doctor"),
        (ENDS, at(12), "doctor"),
        (BEGINS, at(10), "doctor"),
        (ENDS, at(10.5), "doctor"),
    ]
    assert find(RESOLUTION, *told) == Pauses(((at(10), at(10.5)), (at(11), at(12))))


def test_a_resumption_that_occurred_before_its_pause_makes_none_of_it() -> None:
    assert find(RESOLUTION, (BEGINS, at(11), "doctor"), (ENDS, at(10), "doctor")) == Pauses()


def test_a_resumption_without_a_pause_means_nothing() -> None:
    assert find(RESOLUTION, (ENDS, at(10), "doctor")) == Pauses()


def test_an_open_pause_that_touches_one_before_continues_it() -> None:
    told = [(BEGINS, at(10), "doctor"), (ENDS, at(11), "doctor"), (BEGINS, at(11), "documents")]
    assert find(RESOLUTION, *told) == Pauses((), at(10), "documents")


def test_a_clock_stands_still_between_two_words() -> None:
    paired = promise("resolution", working(4), paused_between=(("stage_entered:bank", "stage_left:bank"),))
    entered = said(2, Happening.STAGE_ENTERED, at(10), "bank", details={"from": "decision"})
    left = said(3, Happening.STAGE_ENTERED, at(12), "payment", details={"from": "bank"})
    assert read([entered], paired).open_since == at(10)
    assert read([entered, left], paired) == Pauses(((at(10), at(12)),))


def test_an_ending_ends_what_waits_for_a_reason_and_not_what_lasts_between_two_words() -> None:
    both = promise("resolution", working(4), paused_by=["*"], paused_between=(("signalled:storm", "signalled:calm"),))
    told = [
        said(2, BEGINS, at(10), "doctor"),
        said(3, Happening.CLOSED, at(11), "declined"),
        said(4, Happening.SIGNALLED, at(12), "storm"),
        said(5, Happening.CLOSED, at(13), "declined"),
    ]
    assert read([SUBMITTED, *told[:2]], both) == Pauses(((at(10), at(11)),))
    assert read([SUBMITTED, *told], both) == Pauses(((at(10), at(11)),), at(12), "signalled:storm")
    assert name_pauses([SUBMITTED, *told], both) == [
        ("doctor", at(10), at(11)),
        ("signalled:storm", at(12), None),
    ]


def test_one_word_may_end_a_pause_and_begin_the_next() -> None:
    objective = promise("resolution", working(4), paused_between=(("signalled:ping", "signalled:ping"),))
    pings = [said(n, Happening.SIGNALLED, at(9 + n), "ping") for n in (1, 2, 3)]
    assert read(pings, objective) == Pauses((), at(10), "signalled:ping")


def test_no_pause_begins_before_the_submission() -> None:
    assert find(longest(2), (BEGINS, at(7), "doctor")) == Pauses((), at(8), "doctor", ((at(10), at(8)),))


def test_a_pause_goes_no_further_than_the_end() -> None:
    pauses = Pauses(((at(9), at(10)),), at(11), "documents")
    assert pauses.until(at(12)) == Pauses(((at(9), at(10)), (at(11), at(12))))
    assert pauses.until(at(9.5)) == Pauses(((at(9), at(9.5)),))


def test_a_clock_stands_still_from_the_beginning_of_a_pause_to_just_before_its_end() -> None:
    pauses = Pauses(((at(9), at(10)),), at(11), "documents")
    covered = [(at(8.9), False), (at(9), True), (at(10), False), (at(11), True), (at(99), True)]
    assert [pauses.cover(instant) for instant, _ in covered] == [is_covered for _, is_covered in covered]


def test_each_pause_that_lasts_too_long_is_noted_at_the_instant_when_it_has() -> None:
    told = [(BEGINS, at(9), "doctor"), (ENDS, at(12), "doctor"), (BEGINS, at(13), "doctor"), (ENDS, at(15), "doctor")]
    assert find(longest(2), *told).overrun_ats == ((at(11), at(9)),)
    assert find(longest(1.5), *told).overrun_ats == ((at(10.5), at(9)), (at(14.5), at(13)))


def test_a_longest_pause_in_working_time_leaves_the_closed_hours_out() -> None:
    begun = (BEGINS, at(11), "doctor")
    assert find(longest(2, BudgetKind.WORKING), begun).overrun_ats == ((at(14), at(11)),)


@pytest.mark.parametrize("ends_at", [None, at(14)])
def test_a_clock_may_go_on_by_itself_when_a_pause_has_lasted_too_long(ends_at: datetime | None) -> None:
    told = [(BEGINS, at(9), "doctor")] + ([(ENDS, ends_at, "doctor")] if ends_at is not None else [])
    pauses = find(longest(2, resumes=True), *told)
    assert (pauses.closed, pauses.open_since) == (((at(9), at(11)),), None)
    assert pauses.overrun_ats == ((at(11), at(9)),)


def test_single_pauses_are_named_for_people() -> None:
    history: list[RequestEvent] = [
        SUBMITTED,
        said(2, BEGINS, at(10), "documents"),
        said(3, BEGINS, at(9), "doctor"),
        said(4, ENDS, at(11), "documents"),
    ]
    assert name_pauses(history, RESOLUTION) == [("doctor", at(9), None), ("documents", at(10), at(11))]
