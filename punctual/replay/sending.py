"""Sends one case: the submission, then its moves, each when its instant has come."""

from __future__ import annotations

from collections.abc import Iterable
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
_DISMISSED = "replayed_log"


class CaseLane:
    """One case under way; a lane of the courier.

    Args:
        shift: what to add to the log's instants.
        staff_key: dismisses what intake doubts; without one the doubts stay, and decisions are refused.
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
        staff_key: str | None = None,
    ) -> None:
        self._case = case
        self._log_name = log_name
        self._api_key = api_key
        self._shift = shift
        self._intake = intake
        self._clock = clock
        self._tally = tally
        self._staff_key = staff_key
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
            if step.action.verb == "submit":
                await self._dismiss_doubts(step, accepted.view["findings"])
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
        if step.action.reason is not None:
            body["reason"] = step.action.reason
        if step.action.verb in _WITH_HANDLER and step.handler:
            body["handler"] = step.handler
        return await self._intake.move(self._api_key, key, self._reference, path, body, at)

    def _take(self, step: Step, accepted: Accepted) -> None:
        self._tally.accept(step.action.words, is_repeated=accepted.is_repeated)
        if self._reference is None:
            self._reference = str(accepted.view["reference"])
            self._tally.submitted += 1
            self._tally.references[self._case.name] = (self._reference, self._api_key)
        elif step.action.verb == "close":
            self._tally.closed += 1

    async def _dismiss_doubts(self, step: Step, findings: Iterable[str]) -> None:
        """The log says that the case went on, so somebody held the data for right."""
        for rule in findings:
            self._tally.doubted[rule] += 1
            if self._staff_key is not None and self._reference is not None:
                key = idempotency_key(self._log_name, self._case.name, f"{step.number}.{rule}")
                judgement = {"rule": rule, "reason": _DISMISSED}
                at = step.at + self._shift
                try:
                    await self._intake.move(self._staff_key, key, self._reference, "dismiss", judgement, at)
                except Refused:
                    continue  # it stays open, and the report says so
                self._tally.dismissed += 1

    def _refuse(self, step: Step, refused: Refused) -> None:
        self._tally.refuse(Refusal(step.line, self._case.name, step.action.words, refused.code, refused.detail))
        if self._reference is None:  # without the request there is nothing to move
            left = len(self._case.steps) - self._next - 1
            self._tally.not_sent += left
            self._next += left
