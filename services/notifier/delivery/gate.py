"""Lets the relay rest while it, or our access to it, is at fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from prometheus_client import Gauge

RELAY_OPEN = Gauge("punctual_notifier_relay_open", "1 while mails may be handed to the relay, 0 while it rests.")


class RelayGate:
    """Closed for 1, 5, 15, ... seconds after each fault in a row; then one mail tries whether the relay is back."""

    def __init__(self, delays: Sequence[timedelta], monotonic: Callable[[], float]) -> None:
        self._delays = delays
        self._monotonic = monotonic
        self._faults = 0
        self._opens_at = 0.0
        RELAY_OPEN.set(1)

    @property
    def is_trusted(self) -> bool:
        """No fault since the last success: several mails at once may go."""
        return self._faults == 0

    def seconds_closed(self) -> float:
        """How long to wait; 0 when open."""
        return max(0.0, self._opens_at - self._monotonic())

    def succeed(self) -> None:
        self._faults = 0
        self._opens_at = 0.0
        RELAY_OPEN.set(1)

    def fault(self) -> bool:
        """Close. What fails while it is closed already counts as the same fault; gives whether this one was new."""
        if self.seconds_closed() > 0:
            return False
        self._opens_at = self._monotonic() + self._delays[min(self._faults, len(self._delays) - 1)].total_seconds()
        self._faults += 1
        RELAY_OPEN.set(0)
        return True
