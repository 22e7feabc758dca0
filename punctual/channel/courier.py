"""Sends when business time has come: many lanes at once, one call at a time in each."""

from __future__ import annotations

import asyncio
import heapq
from datetime import datetime
from itertools import count
from typing import Protocol

from punctual.channel.business_clock import FollowedClock

_LONGEST_WAIT = 1.0  # real seconds; then the clock is looked at again, should the system have been restarted


class Lane(Protocol):
    """Calls that must stay in order, such as those about one request."""

    @property
    def due_at(self) -> datetime | None:
        """When the next call is due, business time; None when none is left."""

    async def send_next(self) -> None:
        """Make the call; whatever comes of it, the lane moves on. An error ends the courier."""


class Courier:
    """Args:
    concurrency: calls under way at once.
    """

    def __init__(self, clock: FollowedClock, concurrency: int) -> None:
        self._clock = clock
        self._free = asyncio.Semaphore(concurrency)
        self._lanes: list[tuple[datetime, int, Lane]] = []
        self._ties = count()
        self._changed = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._is_closing = False

    def add(self, lane: Lane) -> None:
        """Take a lane on; one with nothing to send is left out."""
        if lane.due_at is not None:
            heapq.heappush(self._lanes, (lane.due_at, next(self._ties), lane))
            self._changed.set()

    def close(self) -> None:
        """Let ``run`` return once nothing is left to send."""
        self._is_closing = True
        self._changed.set()

    @property
    def waiting(self) -> int:
        """Lanes whose next call is not under way."""
        return len(self._lanes)

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until ``stopping`` is set, or ``close`` was called and everything is sent.

        Raises:
            Whatever a lane raised; the other calls under way are finished first.
        """
        stopped = asyncio.create_task(self._wake_when(stopping))
        try:
            while True:
                self._changed.clear()
                if stopping.is_set() or self._failure is not None or not self._has_work():
                    break
                await self._clock.refresh()
                seconds = self._seconds_to_next()
                if seconds > 0:
                    await self._wait(min(seconds, _LONGEST_WAIT))
                    continue
                await self._free.acquire()
                self._start(heapq.heappop(self._lanes)[2])
        finally:
            stopped.cancel()
            if self._under_way:
                await asyncio.wait(self._under_way)
        if self._failure is not None:
            raise self._failure

    def _has_work(self) -> bool:
        return bool(self._lanes or self._under_way) or not self._is_closing

    def _seconds_to_next(self) -> float:
        return self._clock.real_seconds_until(self._lanes[0][0]) if self._lanes else _LONGEST_WAIT

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _wake_when(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._changed.set()

    def _start(self, lane: Lane) -> None:
        task = asyncio.create_task(lane.send_next())
        self._under_way.add(task)

        def done(finished: asyncio.Task[None]) -> None:
            self._under_way.discard(finished)
            self._free.release()
            if finished.cancelled() or finished.exception() is not None:
                self._failure = self._failure or finished.exception() or asyncio.CancelledError()
            else:
                self.add(lane)
            self._changed.set()

        task.add_done_callback(done)
