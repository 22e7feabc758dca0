"""What the house does with a request: answer, move, ask for documents, close. Some are late, a few are forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

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
_OUTCOME_REASONS = {
    (RequestKind.CLAIM, "declined"): ("not_covered", "excluded", "not_proved"),
    (RequestKind.POLICY_SERVICE, "declined"): ("not_entitled", "terms_do_not_allow"),
    (RequestKind.UNDERWRITING, "declined"): ("risk_too_high", "outside_guidelines", "non_disclosure"),
    (RequestKind.COMPLAINT, "rejected"): ("no_mistake_found", "terms_do_not_allow"),
}
_SURVEYED = {"motor": 0.35, "property": 0.5}
_COVER_CHECKED = ("cover_checked", {"cover_in_force": True})
_DOCUMENTS = ("receipts", "report", "bank_details", "identity")
_RATES = 0.25
_SCORES = {5: 46, 4: 30, 3: 13, 2: 6, 1: 5}

_ASKS_FOR_DOCUMENTS = {
    RequestKind.CLAIM: 0.3,
    RequestKind.POLICY_SERVICE: 0.12,
    RequestKind.UNDERWRITING: 0.35,
    RequestKind.ENQUIRY: 0.0,
    RequestKind.COMPLAINT: 0.0,
}


Control = tuple[str, dict[str, Any]]
"""A control point and what is recorded there."""

Controls = dict[str, tuple[Control, ...]]


@dataclass(frozen=True, slots=True)
class Move:
    """One call about a request: ``verb`` is the path's last part, ``body`` what it says."""

    at: datetime
    verb: str
    body: dict[str, Any]


def plan_moves(
    random: Random, kind: RequestKind, line: str, facts: Mapping[str, Any], submitted_at: datetime
) -> tuple[Move, ...]:
    """Everything the house will do, in order.

    Args:
        facts: the attributes that were submitted.
    """
    return _Plan(random, kind, line, facts).moves(submitted_at)


class _Plan:
    def __init__(self, random: Random, kind: RequestKind, line: str, facts: Mapping[str, Any]) -> None:
        self._random = random
        self._kind = kind
        self._line = line
        self._amount = facts.get("amount", 0)
        self._handler = random.choice(_HANDLERS)
        self._moves: list[Move] = []

    def moves(self, submitted_at: datetime) -> tuple[Move, ...]:
        random = self._random
        factor = 3.0 if random.random() < _FORGOTTEN else 1.0
        to_answer, to_end = _TYPICAL_HOURS[self._kind]
        answer = _hours(to_answer * factor * random.lognormvariate(0, _SPREAD_OF_ANSWER))
        work = _hours(to_end * factor * random.lognormvariate(0, _SPREAD_OF_WORK))
        at = after_work(submitted_at, answer)
        self._assign(after_work(submitted_at, answer * random.uniform(0.2, 0.8)))
        self._do(at, "response")
        if random.random() < _WITHDRAWN:
            self._close(after_work(at, work * random.random()), "withdrawn")
        else:
            self._work(at, work)
        self._rate()
        return tuple(self._moves)

    def _work(self, at: datetime, work: timedelta) -> None:
        random = self._random
        good, bad, share = _OUTCOMES[self._kind]
        outcome = good if random.random() < share else bad
        stages = self._stages(outcome)
        for position, stage in enumerate(stages):
            if position == 0:
                at = after_work(at, work * random.uniform(0.02, 0.12))
            else:
                at = after_work(at, work / len(stages))
                self._record_controls(stages[position - 1], at)
            self._do(at, "stage", stage=stage)
            if position == 0 and random.random() < _ASKS_FOR_DOCUMENTS[self._kind]:
                at = self._ask_for_documents(at)
        closed_at = after_work(at, work / len(stages))
        if outcome != "declined":
            self._record_controls(stages[-1], closed_at)
        self._close(closed_at, outcome)

    def _stages(self, outcome: str) -> tuple[str, ...]:
        stages = _STAGES[self._kind]
        if self._kind is not RequestKind.CLAIM:
            return stages
        if self._random.random() < _SURVEYED.get(self._line, 0):
            stages = (stages[0], "survey", *stages[1:])
        return stages[:-1] if outcome == "declined" else stages  # nothing is paid, so no payment is prepared

    def _record_controls(self, stage: str, at: datetime) -> None:
        for control, recorded in self._controls().get(stage, ()):
            self._do(at, "control", control=control, recorded=recorded)

    def _controls(self) -> Controls:
        """What the processes that ship ask for, stage by stage."""
        agreed = (("decision_agreed", {"amount_agreed": self._amount}),)
        surveyed = (("damage_recorded", {"repair_amount": self._amount}),)
        match self._kind, self._line:
            case RequestKind.CLAIM, "motor" | "property":
                return {"assessment": (_COVER_CHECKED,), "survey": surveyed, "decision": agreed}
            case RequestKind.CLAIM, "health":
                return {"assessment": (("receipts_complete", {}), _COVER_CHECKED), "decision": agreed}
            case RequestKind.CLAIM, "life":
                proved: tuple[Control, ...] = (("event_proved", {}), ("beneficiary_established", {}), _COVER_CHECKED)
                return {"assessment": proved, "decision": agreed, "payment": (("payee_verified", {}),)}
            case RequestKind.CLAIM, _:
                return {"assessment": (_COVER_CHECKED,)}
            case RequestKind.UNDERWRITING, "life" | "health":
                classified = ("risk_classified", {"risk_class": self._random.choice(("standard", "substandard"))})
                return {"risk_assessment": (("medical_evidence_seen", {}), classified)}
            case RequestKind.COMPLAINT, _:
                cause = self._random.choice(("waiting_time", "communication", "decision", "data_error"))
                return {"investigation": (("cause_recorded", {"cause": cause}),)}
            case _:
                return {}

    def _ask_for_documents(self, at: datetime) -> datetime:
        """The request waits for the customer, who answers at any hour. Claims have a stage of their own for it."""
        random = self._random
        asked_at = after_work(at, _hours(random.uniform(0.5, 4)))
        received_at = asked_at + _hours(random.lognormvariate(3.2, 0.7))  # about a day
        begun_again_at = after_work(received_at, _hours(random.uniform(0.2, 2)))
        documents = random.sample(_DOCUMENTS, random.randint(1, 2))
        is_claim = self._kind is RequestKind.CLAIM
        if is_claim:
            self._do(asked_at, "stage", stage="documents")
        self._moves.append(Move(asked_at, "pause", {"reason": "customer_documents", "documents": documents}))
        self._moves.append(Move(received_at, "documents", {"documents": documents}))
        if is_claim:
            self._do(begun_again_at, "stage", stage="assessment")
        return begun_again_at

    def _assign(self, at: datetime) -> None:
        self._do(at, "acknowledge")
        self._moves.append(Move(at, "assign", {"team": f"{self._kind}_team", "handler": self._handler}))

    def _close(self, at: datetime, outcome: str) -> None:
        reasons = _OUTCOME_REASONS.get((self._kind, outcome), ())
        body = {"reason": self._random.choice(reasons)} if reasons else {}
        self._do(at, "close", outcome=outcome, **body)

    def _rate(self) -> None:
        """Some customers say how satisfied they are."""
        random = self._random
        if random.random() < _RATES:
            at = self._moves[-1].at + _hours(random.uniform(1, 72))
            score = random.choices(list(_SCORES), weights=list(_SCORES.values()))[0]
            self._moves.append(Move(at, "feedback", {"score": score}))

    def _do(self, at: datetime, verb: str, **body: Any) -> None:
        self._moves.append(Move(at, verb, {**body, "handler": self._handler}))


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)
