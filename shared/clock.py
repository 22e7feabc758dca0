"""The one module that reads the wall clock.

Business time (``Clock.now``) decides deadlines and may run faster than real time in a demo or a drill.
Real time (``real_now``, ``monotonic``) serves timeouts, retries and token lifetimes, always.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


def real_now() -> datetime:
    """The machine's wall clock, UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a clock that never jumps; only differences mean anything."""
    return time.monotonic()


class Clock(Protocol):
    """Business time."""

    @property
    def speed(self) -> float:
        """Business seconds per real second; 1.0 in production."""

    def now(self) -> datetime:
        """The business instant, UTC."""

    def real_seconds_until(self, instant: datetime) -> float:
        """Real seconds to wait until ``instant``; negative when it has passed."""


class SystemClock:
    """Business time is real time."""

    speed = 1.0

    def now(self) -> datetime:
        return real_now()

    def real_seconds_until(self, instant: datetime) -> float:
        return (instant - real_now()).total_seconds()


class ScaledClock:
    """Business time that was ``start`` at the real instant ``anchor`` and runs ``speed`` times real time.

    Processes that share the three values agree on the business instant.
    """

    def __init__(self, start: datetime, anchor: datetime, speed: float) -> None:
        self._start = start
        self._anchor = anchor
        self.speed = speed

    def now(self) -> datetime:
        return self._start + (real_now() - self._anchor) * self.speed

    def real_seconds_until(self, instant: datetime) -> float:
        return (instant - self.now()).total_seconds() / self.speed


class ManualClock:
    """Business time that moves only when told to; for tests and simulations."""

    speed = 1.0

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def real_seconds_until(self, instant: datetime) -> float:
        return (instant - self._now).total_seconds()

    def advance(self, span: timedelta) -> None:
        self._now += span

    def set(self, instant: datetime) -> None:
        self._now = instant
