"""Sends one case: the submission, then its moves, each when its instant has come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from punctual.channel.answers import Accepted, Refused
from punctual.channel.business_clock import FollowedClock
from punctual.channel.intake import IntakeClient
from punctual.replay.cases import Case, Step, idempotency_key
from punctual.replay.tally import Refusal, Tally

_PATH_AND_FIELD = {
    "stage": ("stage", "stage"),
    "respond": ("response", None),
    "pause": ("pause", "reason"),
    "resume": ("resume", "reason"),
    "close": ("close", "outcome"),
}
_WITH_HANDLER = {"stage", "respond", "close"}


class CaseLane:
    """One case under way; a lane of the courier.

    Args:
        shift: what to add to the log's instants.
    """

    def __init__(
        self,
        case: Case,
        *,
        log_name: str,
        api_key: str,
        shift: timedelta,
        intake: IntakeClient,
        clock: FollowedClock,
        tally: Tally,
    ) -> None:
        self._case = case
        self._log_name = log_name
        self._api_key = api_key
        self._shift = shift
        self._intake = intake
        self._clock = clock
        self._tally = tally
        self._next = 0
        self._reference: str | None = None

    @property
    def due_at(self) -> datetime | None:
        steps = self._case.steps
        return steps[self._next].at + self._shift if self._next < len(steps) else None

    async def send_next(self) -> None:
        step = self._case.steps[self._next]
        sent_at = self._clock.now()
        try:
            accepted = await self._send(step)
        except Refused as refused:
            self._refuse(step, refused)
        else:
            self._take(step, accepted)
            if not accepted.is_repeated:
                self._tally.note_delay(step.at + self._shift, sent_at)
        self._next += 1

    async def _send(self, step: Step) -> Accepted:
        key = idempotency_key(self._log_name, self._case.name, step.number)
        at = step.at + self._shift
        if self._reference is None:
            return await self._intake.submit(self._api_key, key, self._case.submission, at)
        path, field = _PATH_AND_FIELD[step.action.verb]
        body: dict[str, Any] = {} if field is None else {field: step.action.object}
        if step.action.verb in _WITH_HANDLER and step.handler:
            body["handler"] = step.handler
        return await self._intake.move(self._api_key, key, self._reference, path, body, at)

    def _take(self, step: Step, accepted: Accepted) -> None:
        self._tally.accept(is_repeated=accepted.is_repeated)
        if self._reference is None:
            self._reference = str(accepted.view["reference"])
            self._tally.submitted += 1
            self._tally.references[self._case.name] = (self._reference, self._api_key)
        elif step.action.verb == "close":
            self._tally.closed += 1

    def _refuse(self, step: Step, refused: Refused) -> None:
        action = f"{step.action.verb} {step.action.object}".strip()
        self._tally.refuse(Refusal(step.line, self._case.name, action, refused.code, refused.detail))
        if self._reference is None:  # without the request there is nothing to move
            left = len(self._case.steps) - self._next - 1
            self._tally.not_sent += left
            self._next += left
