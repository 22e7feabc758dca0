"""Several connections to the relay, each handing over one mail at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from prometheus_client import Histogram

from services.notifier.delivery.gate import RelayGate
from services.notifier.delivery.session import RelaySession
from services.notifier.domain.attempts import Answer, Outcome, judge
from services.notifier.handlers.claiming import Claim
from services.notifier.handlers.journal import Journal
from shared.clock import monotonic
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

HANDOVER_SECONDS = Histogram(
    "punctual_notifier_handover_seconds",
    "Real time from taking up a claim to the relay's answer.",
    ["outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600),
)

_IDLE_SECONDS = 20.0  # relays hang up on idle connections after minutes; say goodbye before


class Connections:
    """Workers and the claims they have in hand.

    Attributes:
        in_hand: claims not concluded yet.
        fewer: set whenever ``in_hand`` fell.
    """

    def __init__(
        self,
        *,
        count: int,
        journal: Journal,
        gate: RelayGate,
        new_session: Callable[[], RelaySession],
        sender: str,
        claim_lease: timedelta,
    ) -> None:
        """Args:
        sender: the envelope's.
        claim_lease: a claim that waited longer is given back unused.
        """
        self.count = count
        self.in_hand = 0
        self.fewer = asyncio.Event()
        self._journal = journal
        self._gate = gate
        self._new_session = new_session
        self._sender = sender
        self._lease_seconds = claim_lease.total_seconds()
        self._claims: asyncio.Queue[Claim | None] = asyncio.Queue()
        self._is_stopping = False

    def start(self, tasks: asyncio.TaskGroup) -> None:
        self._is_stopping = False
        for _ in range(self.count):
            tasks.create_task(self._work(tasks))

    def take(self, claims: list[Claim]) -> None:
        self.in_hand += len(claims)
        for claim in claims:
            self._claims.put_nowait(claim)

    def stop(self) -> None:
        """Finish the mails in hand; claims not begun are given back."""
        self._is_stopping = True
        for _ in range(self.count):
            self._claims.put_nowait(None)

    async def _work(self, tasks: asyncio.TaskGroup) -> None:
        """One connection. An outcome is committed together with the next mail's marker, not waited for before it."""
        session = self._new_session()
        concluding: asyncio.Task[None] | None = None
        try:
            while (claim := await self._next(session)) is not None:
                started_at = monotonic()
                if self._is_usable(claim):
                    ending = self._conclude(claim, await self._hand_over(session, claim), started_at)
                else:
                    ending = self._release(claim)
                former, concluding = concluding, tasks.create_task(ending)
                if former is not None:
                    await former
        finally:
            await session.close()

    async def _next(self, session: RelaySession) -> Claim | None:
        while True:
            try:
                async with asyncio.timeout(_IDLE_SECONDS):
                    return await self._claims.get()
            except TimeoutError:
                await session.close()

    def _is_usable(self, claim: Claim) -> bool:
        is_fresh = monotonic() - claim.claimed_at <= self._lease_seconds
        return is_fresh and not self._is_stopping and self._gate.seconds_closed() == 0

    async def _hand_over(self, session: RelaySession, claim: Claim) -> Answer | None:
        answer = await session.hand_over(
            self._sender, claim.recipients, claim.rendering.message, lambda: self._journal.begin(claim)
        )
        if answer is not None:
            self._learn(judge(answer).outcome)
        return answer

    def _learn(self, outcome: Outcome) -> None:
        if outcome is not Outcome.RELAY_FAULT:
            self._gate.succeed()
        elif self._gate.fault():
            _log.error("the relay is at fault, it rests", seconds=round(self._gate.seconds_closed(), 1))

    async def _release(self, claim: Claim) -> None:
        await self._journal.release(claim)
        self._ended()

    async def _conclude(self, claim: Claim, answer: Answer | None, started_at: float) -> None:
        if answer is None:
            _log.info("taken back before the body", **_identity(claim))
        else:
            HANDOVER_SECONDS.labels(judge(answer).outcome).observe(monotonic() - started_at)
            _report(claim, answer, is_counted=await self._journal.conclude(claim, answer))
        self._ended()

    def _ended(self) -> None:
        self.in_hand -= 1
        self.fewer.set()


def _identity(claim: Claim) -> dict[str, object]:
    return {
        "notice_id": str(claim.notice_id),
        "kind": claim.kind,
        "attempt": claim.attempt,
        "correlation_id": claim.correlation_id,
    }


def _report(claim: Claim, answer: Answer, *, is_counted: bool) -> None:
    outcome = judge(answer).outcome
    details = {"outcome": outcome, "step": answer.step.name.lower(), "code": answer.code, "enhanced": answer.enhanced}
    if outcome is Outcome.SENT:
        _log.info("handed over", **_identity(claim), **details, is_counted=is_counted)
    elif outcome is Outcome.PARTLY_SENT:
        put_off = len(answer.put_off)
        _log.warning("handed over for some", **_identity(claim), **details, put_off=put_off, is_counted=is_counted)
    else:
        _log.warning("not handed over", **_identity(claim), **details, is_counted=is_counted)
