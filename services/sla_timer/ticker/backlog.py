"""Holds timers back until the events of an outage are read.

After an outage the topic may hold the very stops that keep a promise. A clock is not called breached before the events
that were waiting when the partition was taken have been folded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_UNKNOWN_SECONDS = 5.0  # a broker that does not tell the end of a partition by then must not hold up deadlines
_STUCK_SECONDS = 30.0  # nor must a consumer that makes no progress


@dataclass(slots=True)
class _Waiting:
    taken_at: float
    moved_at: float
    position: int = -1
    end: int | None = None


class Backlog:
    """Which partitions still have events to read from before they were taken.

    Args:
        lag: partition and position -> records behind the end; None while the end is unknown.
        monotonic: real seconds.
    """

    def __init__(self, lag: Callable[[int, int], int | None], monotonic: Callable[[], float]) -> None:
        self._lag = lag
        self._monotonic = monotonic
        self._waiting: dict[int, _Waiting] = {}

    def begin(self, partition: int) -> None:
        """The partition was taken."""
        now = self._monotonic()
        self._waiting[partition] = _Waiting(now, now)

    def forget(self, partition: int) -> None:
        self._waiting.pop(partition, None)

    def is_read(self, partition: int, position: int) -> bool:
        """Whether timers may fire.

        Args:
            position: the offset at which the partition goes on.
        """
        waiting = self._waiting.get(partition)
        if waiting is None:
            return True
        now = self._monotonic()
        if position != waiting.position:
            waiting.position, waiting.moved_at = position, now
        if waiting.end is None:
            lag = self._lag(partition, position)
            waiting.end = None if lag is None else position + lag
        if waiting.end is None:
            is_read = now - waiting.taken_at >= _UNKNOWN_SECONDS
        else:
            is_read = position >= waiting.end or now - waiting.moved_at >= _STUCK_SECONDS
        if is_read:
            self.forget(partition)
        return is_read
