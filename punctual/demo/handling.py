"""What the house does with a request: answer, move, ask for documents, close. Some are late, a few are forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from punctual.demo.office_hours import after_work
from shared.contracts.payload import RequestKind

_HANDLERS = tuple(f"s-{number}" for number in range(101, 125))

# Hours of office time until the first answer and until the end, half of all requests; the promises that come with the
# program are about twice as long, so most are kept.
_TYPICAL_HOURS = {
    RequestKind.CLAIM: (2.6, 42.0),
    RequestKind.POLICY_SERVICE: (2.6, 11.0),
    RequestKind.UNDERWRITING: (3.0, 19.0),
    RequestKind.ENQUIRY: (1.3, 6.5),
    RequestKind.COMPLAINT: (2.4, 45.0),
}
_SPREAD_OF_ANSWER = 0.62
_SPREAD_OF_WORK = 0.5
_FORGOTTEN = 0.02  # three times as long, so that escalations climb to the second level
_WITHDRAWN = 0.03

_STAGES = {
    RequestKind.CLAIM: ("assessment", "decision", "payment"),
    RequestKind.POLICY_SERVICE: ("processing", "done_check"),
    RequestKind.UNDERWRITING: ("risk_assessment", "offer"),
    RequestKind.ENQUIRY: ("answering",),
    RequestKind.COMPLAINT: ("investigation", "reply"),
}
_OUTCOMES = {
    RequestKind.CLAIM: ("paid", "declined", 0.86),
    RequestKind.POLICY_SERVICE: ("done", "declined", 0.97),
    RequestKind.UNDERWRITING: ("accepted", "declined", 0.8),
    RequestKind.ENQUIRY: ("answered", "answered", 1.0),
    RequestKind.COMPLAINT: ("upheld", "rejected", 0.45),
}
_ASKS_FOR_DOCUMENTS = {
    RequestKind.CLAIM: 0.3,
    RequestKind.POLICY_SERVICE: 0.12,
    RequestKind.UNDERWRITING: 0.35,
    RequestKind.ENQUIRY: 0.0,
    RequestKind.COMPLAINT: 0.0,
}


@dataclass(frozen=True, slots=True)
class Move:
    """One call about a request: ``verb`` is the path's last part, ``body`` what it says."""

    at: datetime
    verb: str
    body: dict[str, str]


def plan_moves(random: Random, kind: RequestKind, submitted_at: datetime) -> tuple[Move, ...]:
    """Everything the house will do, in order."""
    handler = random.choice(_HANDLERS)
    factor = 3.0 if random.random() < _FORGOTTEN else 1.0
    to_answer, to_end = _TYPICAL_HOURS[kind]
    answer = _hours(to_answer * factor * random.lognormvariate(0, _SPREAD_OF_ANSWER))
    work = _hours(to_end * factor * random.lognormvariate(0, _SPREAD_OF_WORK))
    answered_at = after_work(submitted_at, answer)
    moves = [Move(answered_at, "response", {"handler": handler})]
    if random.random() < _WITHDRAWN:
        withdrawn_at = after_work(answered_at, work * random.random())
        return (*moves, Move(withdrawn_at, "close", {"outcome": "withdrawn", "handler": handler}))
    stages = _STAGES[kind]
    at = answered_at
    for position, stage in enumerate(stages):
        at = after_work(at, work * random.uniform(0.02, 0.12)) if position == 0 else after_work(at, work / len(stages))
        moves.append(Move(at, "stage", {"stage": stage, "handler": handler}))
        if position == 0 and random.random() < _ASKS_FOR_DOCUMENTS[kind]:
            at = _ask_for_documents(random, kind, at, handler, moves)
    good, bad, share = _OUTCOMES[kind]
    outcome = good if random.random() < share else bad
    closed_at = after_work(at, work / len(stages))
    return (*moves, Move(closed_at, "close", {"outcome": outcome, "handler": handler}))


def _ask_for_documents(random: Random, kind: RequestKind, at: datetime, handler: str, moves: list[Move]) -> datetime:
    """The request waits for the customer, who answers at any hour. Claims have a stage of their own for it."""
    asked_at = after_work(at, _hours(random.uniform(0.5, 4)))
    received_at = asked_at + _hours(random.lognormvariate(3.2, 0.7))  # about a day
    begun_again_at = after_work(received_at, _hours(random.uniform(0.2, 2)))
    if kind is RequestKind.CLAIM:
        moves.append(Move(asked_at, "stage", {"stage": "documents", "handler": handler}))
    moves.append(Move(asked_at, "pause", {"reason": "customer_documents"}))
    moves.append(Move(received_at, "resume", {"reason": "customer_documents"}))
    if kind is RequestKind.CLAIM:
        moves.append(Move(begun_again_at, "stage", {"stage": "assessment", "handler": handler}))
    return begun_again_at


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)
