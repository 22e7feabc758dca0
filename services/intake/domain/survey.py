"""What a customer says of a finished request by the link of its page."""

from __future__ import annotations

from services.intake.domain.changes import Closed, FeedbackGiven, Reopened
from services.intake.domain.history import Entry
from services.intake.domain.life import State
from services.intake.domain.record import RequestRecord
from services.intake.domain.refusing import MoveRefused

BY = "customer"
"""Who wrote the entries that come by the link."""

MOST = 5
"""Answers by the link to one request, however often it is reopened: minds change, and a program that never ends must
not fill the history."""


def is_asked(record: RequestRecord) -> bool:
    """Whether the page asks how it went: it is closed, nobody said so far, and an answer would be taken."""
    return record.life.ended_as is State.CLOSED and last_answer(record) is None and not _is_answered_enough(record)


def given_score(record: RequestRecord) -> int | None:
    """How satisfied the customer is, whoever told us; None while nobody did. With each closing it is asked anew."""
    answer = last_answer(record)
    return answer.change.score if answer is not None and isinstance(answer.change, FeedbackGiven) else None


def last_answer(record: RequestRecord) -> Entry | None:
    """The entry of the score that holds. What was said before the last closing is no answer to how it went."""
    for entry in reversed(record.history):
        match entry.change:
            case FeedbackGiven():
                return entry
            case Closed() | Reopened():
                return None
    return None


def check_answer(record: RequestRecord) -> None:
    """
    Raises:
        MoveRefused: it is not closed, or was answered too often by the link.
    """
    if record.life.ended_as is not State.CLOSED:
        raise MoveRefused("not_closed", "how it went is asked when the request is closed")
    if _is_answered_enough(record):
        raise MoveRefused("feedback_final", f"it was answered {MOST} times by this link, and the last answer stays")


def _is_answered_enough(record: RequestRecord) -> bool:
    return sum(isinstance(entry.change, FeedbackGiven) and entry.by == BY for entry in record.history) >= MOST
