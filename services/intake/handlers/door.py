"""How long requests wait for their transaction: when no more are let in, and when those who wait are told so.

What a request of a batch waits is the batch's matter, and goes before nobody: it neither closes the door nor is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from math import inf

from services.intake.handlers.offers import Offer, StillWaiting
from shared.clock import monotonic

_LOOKS = 10
"""In the time after which somebody is told, so it may be told a tenth of that too late. A timer for each request would
cost what its place in the queue costs."""


class Door:
    """Args:
    queue_patience: how long the oldest request may wait, real time; then Postgres is slow, and the door is closed.
    call_patience: how long somebody waits to hear what became of a request; the request itself goes on waiting.
    waiting: what waits beside the groups under way.

    Attributes:
        closes_at: reading of the monotonic clock after which no more are let in.
    """

    def __init__(
        self, queue_patience: timedelta, call_patience: timedelta, waiting: Callable[[], Iterable[Offer]]
    ) -> None:
        self._queue_patience = queue_patience.total_seconds()
        self._call_patience = call_patience.total_seconds()
        self._waiting = waiting
        self._under_way: dict[int, tuple[float, Sequence[Offer]]] = {}
        self._next_look: asyncio.TimerHandle | None = None
        self.closes_at = inf

    def begin(self, transaction: int, group: Sequence[Offer], now: float) -> None:
        """A transaction begins. What came before the group has left the queue, so its first is the oldest that counts.

        Args:
            transaction: tells apart those under way at the same time.
        """
        first = group[0]
        # One aside has waited for what another transaction holds, which says nothing about Postgres.
        since = now if first.is_of_batch or first.is_aside else first.offered_at
        self._under_way[transaction] = (since, group)
        self._note_oldest()
        if self._next_look is None:
            self._look_later()

    def end(self, transaction: int) -> None:
        del self._under_way[transaction]
        self._note_oldest()

    def _note_oldest(self) -> None:
        self.closes_at = min((since for since, _ in self._under_way.values()), default=inf) + self._queue_patience

    def _look_later(self) -> None:
        self._next_look = asyncio.get_running_loop().call_later(self._call_patience / _LOOKS, self._look)

    def _look(self) -> None:
        self._next_look = None
        if not self._under_way:
            return
        late = monotonic() - self._call_patience
        for offers in (self._waiting(), *(group for _, group in self._under_way.values())):
            for offer in offers:
                if offer.offered_at <= late and not offer.is_of_batch and not offer.outcome.done():
                    offer.settle(StillWaiting("the request is not stored yet"))
        self._look_later()
