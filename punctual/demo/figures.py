"""The figures that the demo shows, gathered once a second."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from punctual.channel.business_clock import FollowedClock
from punctual.demo.sender import Sent
from punctual.demo.services import ServiceReader
from shared.clock import monotonic
from shared.waiting import first_of

_EVERY = 1.0  # real seconds


@dataclass(frozen=True)
class Figures:
    """One look at the system. What a service does not answer stays as it was.

    Attributes:
        business_at: business time.
        running_for: real seconds since the start.
        down: services that did not answer.
        score: the card of quality_audit.
        plumbing: service -> backlog and lag.
    """

    business_at: datetime
    speed: float
    running_for: float
    sent: int = 0
    moves: int = 0
    repeated: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    first_accepted_after: float | None = None
    intake: dict[str, Any] = field(default_factory=dict)
    sla_timer: dict[str, Any] = field(default_factory=dict)
    notifier: dict[str, Any] = field(default_factory=dict)
    quality_audit: dict[str, Any] = field(default_factory=dict)
    score: dict[str, Any] = field(default_factory=dict)
    plumbing: dict[str, dict[str, float]] = field(default_factory=dict)
    down: tuple[str, ...] = ()

    @property
    def attainment(self) -> float | None:
        """Share of the decided deadlines that were met; one that has passed counts as missed at once."""
        met = int(self.sla_timer.get("met", 0))
        decided = met + int(self.sla_timer.get("missed", 0)) + int(self.sla_timer.get("breached", 0))
        return met / decided if decided else None

    def total(self, what: str) -> int:
        """``backlog`` or ``lag`` over all services."""
        return int(sum(values.get(what, 0) for values in self.plumbing.values()))

    def as_dict(self) -> dict[str, Any]:
        """JSON types."""
        values = asdict(self)
        values["business_at"] = self.business_at.isoformat()
        values["attainment"] = self.attainment
        values["running_for"] = round(self.running_for, 1)
        return values


class FigureWatch:
    """Keeps the newest figures."""

    def __init__(self, reader: ServiceReader, clock: FollowedClock, sent: Sent, started_at: float) -> None:
        self._reader = reader
        self._clock = clock
        self._sent = sent
        self._started_at = started_at
        self._latest = Figures(clock.now(), clock.speed, 0.0)

    @property
    def latest(self) -> Figures:
        """The newest figures, with the clock and the sender's counts as of now."""
        first = self._sent.first_accepted_at
        return replace(
            self._latest,
            business_at=self._clock.now(),
            speed=self._clock.speed,
            running_for=monotonic() - self._started_at,
            sent=self._sent.accepted,
            moves=self._sent.moves,
            repeated=self._sent.repeated,
            refused=dict(self._sent.refused),
            first_accepted_after=None if first is None else round(first - self._started_at, 2),
        )

    async def look(self) -> None:
        """Ask every service once."""
        summaries, score, plumbing = await asyncio.gather(
            self._reader.summaries(), self._reader.score(), self._reader.plumbing()
        )
        before = self._latest
        self._latest = replace(
            before,
            intake=summaries["intake"] or before.intake,
            sla_timer=summaries["sla_timer"] or before.sla_timer,
            notifier=summaries["notifier"] or before.notifier,
            quality_audit=summaries["quality_audit"] or before.quality_audit,
            score=score or before.score,
            plumbing={**before.plumbing, **plumbing},
            down=tuple(service for service, summary in summaries.items() if summary is None),
        )

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            await self.look()
            await first_of(_EVERY, stopping)
