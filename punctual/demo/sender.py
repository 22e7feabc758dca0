"""Sends the planned traffic: arrivals make lanes, each lane is one request from submission to closing."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from punctual.channel.answers import Accepted, Refused
from punctual.channel.courier import Courier
from punctual.channel.intake import IntakeClient
from punctual.demo.journal import Begun, Journal
from punctual.demo.traffic import PlannedRequest, Traffic, plan_request
from shared.clock import monotonic

_LATEST = 8  # happenings kept for the screen


@dataclass(frozen=True, slots=True)
class Happening:
    """One line for the screen."""

    at: datetime
    reference: str
    market: str
    language: str
    what: str


@dataclass
class Sent:
    """What this run has sent.

    Attributes:
        first_accepted_at: monotonic seconds; None until then.
    """

    accepted: int = 0
    moves: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    first_accepted_at: float | None = None
    latest: deque[Happening] = field(default_factory=lambda: deque(maxlen=_LATEST))

    def take(self, answer: Accepted, happening: Happening, *, is_submission: bool) -> None:
        self.first_accepted_at = self.first_accepted_at or monotonic()
        self.accepted += is_submission
        self.moves += not is_submission
        self.repeated += answer.is_repeated
        self.latest.append(happening)


class RequestLane:
    """One request under way; a lane of the courier."""

    def __init__(
        self,
        begun: Begun,
        plan: PlannedRequest,
        keys: Mapping[str, str],
        intake: IntakeClient,
        journal: Journal,
        sent: Sent,
    ) -> None:
        self._begun = begun
        self._plan = plan
        self._keys = keys
        self._intake = intake
        self._journal = journal
        self._sent = sent
        self._is_over = False

    @property
    def due_at(self) -> datetime | None:
        if self._is_over:
            return None
        if self._begun.reference is None:
            return self._plan.at
        moves = self._plan.moves
        return moves[self._begun.done].at if self._begun.done < len(moves) else None

    async def send_next(self) -> None:
        try:
            if self._begun.reference is None:
                await self._submit()
            else:
                await self._move(self._begun.reference)
        except Refused as refused:
            self._sent.refused[refused.code] += 1
            if self._begun.reference is None:
                self._is_over = True
            else:
                self._journal.done(self._plan.number, self._begun.done + 1)
        if self.due_at is None:
            self._journal.ended(self._plan.number)

    async def _submit(self) -> None:
        plan = self._plan
        answer = await self._intake.submit(self._keys[plan.channel], self._key("0"), plan.submission, plan.at)
        reference = str(answer.view["reference"])
        self._journal.accepted(plan.number, reference)
        what = f"{plan.submission['kind']} by {plan.channel}".replace("_", " ")
        self._note(answer, reference, plan.at, what, is_submission=True)
        for rule in answer.view["findings"]:
            judgement = {"rule": rule, "reason": "looked_at"}
            await self._intake.move(
                self._keys["staff"], self._key(f"0-{rule}"), reference, "dismiss", judgement, plan.at
            )

    async def _move(self, reference: str) -> None:
        move = self._plan.moves[self._begun.done]
        key = self._key(str(self._begun.done + 1))
        staff = self._keys["staff"]
        answer = await self._intake.move(staff, key, reference, move.verb, move.body, move.at)
        self._journal.done(self._plan.number, self._begun.done + 1)
        said = next(
            (move.body[field] for field in ("stage", "control", "reason", "outcome", "team") if field in move.body), ""
        )
        self._note(answer, reference, move.at, f"{move.verb} {said}".replace("_", " ").strip(), is_submission=False)

    def _note(self, answer: Accepted, reference: str, at: datetime, what: str, *, is_submission: bool) -> None:
        submission = self._plan.submission
        language = submission["customer"]["language"]
        happening = Happening(at, reference, submission["market"], language, what)
        self._sent.take(answer, happening, is_submission=is_submission)

    def _key(self, call: str) -> str:
        return f"demo-{self._begun.seed}-{self._plan.number}-{call}"


class Arrivals:
    """Brings the requests in, one after the other; a lane of the courier that calls nobody.

    Args:
        after: the business instant of the first request.
    """

    def __init__(
        self,
        traffic: Traffic,
        courier: Courier,
        keys: Mapping[str, str],
        intake: IntakeClient,
        journal: Journal,
        sent: Sent,
        after: datetime,
    ) -> None:
        self._traffic = traffic
        self._courier = courier
        self._keys = keys
        self._intake = intake
        self._journal = journal
        self._sent = sent
        self._number = journal.last_number + 1
        self._at = after  # the first one comes at once, so that even at night one sees soon that it works

    @property
    def due_at(self) -> datetime | None:
        return self._at

    def take_up(self) -> int:
        """Go on with the requests that an earlier run left under way."""
        left = list(self._journal.under_way.values())
        for begun in left:
            self._add(begun, plan_request(begun.seed, begun.number, begun.at))
        return len(left)

    async def send_next(self) -> None:
        seed = self._traffic.seed
        self._journal.begin(seed, self._number, self._at)
        self._add(self._journal.under_way[self._number], self._traffic.request(self._number, self._at))
        self._number += 1
        self._at = self._traffic.arrival(self._number, self._at)

    def _add(self, begun: Begun, plan: PlannedRequest) -> None:
        self._courier.add(RequestLane(begun, plan, self._keys, self._intake, self._journal, self._sent))
