"""The system's business clock, followed from outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from punctual.channel.intake import IntakeClient
from shared.clock import monotonic

_REFRESH_SECONDS = 10.0  # the machine's clocks drift apart by less than a millisecond meanwhile


class FollowedClock:
    """Never ahead of the system: its answer was true some time before it reached us."""

    def __init__(self, intake: IntakeClient) -> None:
        self._intake = intake
        self._at = datetime.min.replace(tzinfo=UTC)
        self._read_at = 0.0
        self.speed = 1.0

    async def read(self) -> datetime:
        """Ask the system."""
        self._at, self.speed = await self._intake.read_clock()
        self._read_at = monotonic()
        return self._at

    async def refresh(self) -> None:
        """Ask again if the last answer is old; the system may have been stopped and continued meanwhile."""
        if monotonic() - self._read_at > _REFRESH_SECONDS:
            await self.read()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=(monotonic() - self._read_at) * self.speed)

    def real_seconds_until(self, instant: datetime) -> float:
        """Negative when it has passed."""
        return (instant - self.now()).total_seconds() / self.speed
