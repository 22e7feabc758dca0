"""What a customer may say by the link, and which answer holds."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.changes import Cancelled, Closed, FeedbackGiven, Merged, Reopened
from services.intake.domain.history import Change
from services.intake.domain.record import RequestRecord
from services.intake.domain.refusing import MoveRefused
from services.intake.domain.survey import BY, MOST, check_answer, given_score, is_asked, last_answer
from tests.unit.intake.api.test_page import NOW, RECORD

OPEN = RECORD


def after(record: RequestRecord, *changes: Change, by: str = "app") -> RequestRecord:
    return record.after(changes, occurred_at=NOW, recorded_at=NOW, by=by)


CLOSED = after(OPEN, Closed("paid"))


def test_a_closed_request_is_asked_about_until_somebody_says_how_it_went() -> None:
    assert (is_asked(CLOSED), given_score(CLOSED)) == (True, None)
    for by in (BY, "app"):
        answered = after(CLOSED, FeedbackGiven(2), by=by)
        assert (is_asked(answered), given_score(answered)) == (False, 2)
        check_answer(answered)


def test_the_last_answer_holds() -> None:
    assert given_score(after(CLOSED, FeedbackGiven(2), FeedbackGiven(5))) == 5


@pytest.mark.parametrize("by", [BY, "app"])
def test_what_was_said_before_the_closing_is_no_answer_to_how_it_went(by: str) -> None:
    record = after(after(OPEN, FeedbackGiven(1), by=by), Closed("paid"))
    assert (is_asked(record), given_score(record), last_answer(record)) == (True, None, None)
    check_answer(record)
    assert given_score(after(record, FeedbackGiven(1), by=BY)) == 1
    assert given_score(after(OPEN, FeedbackGiven(1), Cancelled("duplicate"))) == 1  # nobody asks there


def test_a_reopening_asks_anew() -> None:
    again = after(CLOSED, FeedbackGiven(2), Reopened("new_evidence"), Closed("paid"))
    assert (is_asked(again), given_score(again)) == (True, None)


@given(st.lists(st.lists(st.tuples(st.sampled_from([BY, "app"]), st.integers(1, 5)), max_size=MOST + 1), max_size=5))
def test_who_is_asked_can_answer_however_often_it_was_reopened(cycles: list[list[tuple[str, int]]]) -> None:
    record = CLOSED
    by_link = 0
    for answers in cycles:
        for by, score in answers:
            if by == BY and by_link == MOST:
                continue
            by_link += by == BY
            record = after(record, FeedbackGiven(score), by=by)
        record = after(record, Reopened("new_evidence"), Closed("paid"))
        assert is_asked(record) == (by_link < MOST)
        if is_asked(record):
            check_answer(record)


@pytest.mark.parametrize("ending", [None, Cancelled("duplicate"), Merged(UUID(int=2))])
def test_what_is_not_closed_is_not_asked_about(ending: Change | None) -> None:
    record = OPEN if ending is None else after(OPEN, ending)
    assert not is_asked(record)
    with pytest.raises(MoveRefused) as refused:
        check_answer(record)
    assert refused.value.code == "not_closed"


def test_the_history_takes_so_many_answers_by_the_link_and_no_more() -> None:
    record = after(CLOSED, *[FeedbackGiven(1 + number % 2) for number in range(MOST - 1)], by=BY)
    check_answer(after(record, *[FeedbackGiven(3)] * MOST))  # what the house was told otherwise does not count
    with pytest.raises(MoveRefused) as refused:
        check_answer(after(record, FeedbackGiven(5), by=BY))
    assert refused.value.code == "feedback_final"
    assert not is_asked(replace(record, life=replace(record.life, ended_as=None, closed_at=None)))
