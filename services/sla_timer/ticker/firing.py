"""Wakes for the earliest timer and fires what is due, one transaction per partition, never early."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.handlers.timers import TimerHandler
from services.sla_timer.store.timers import load_timers
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import Entry, Horizon, TimerBook
from shared.clock import Clock
from shared.contracts.topics import REQUESTS
from shared.errors import Fenced, Retryable
from shared.inbox import Ownership
from shared.outbox import Outbox
from shared.postgres import Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_MOST_AT_ONCE = 500  # keeps a transaction to tens of milliseconds, so that events and timers take turns
_READ_AT_ONCE = 20_000
_SWEEP_SECONDS = 1.0  # finds timers that memory missed, such as those of a transaction that was long in committing
_AGAIN_SECONDS = 0.02
_SLOWEST_RETRY_SECONDS = 5.0


class Ticker:
    """A component: fires the timers of the partitions that ``ownership`` holds."""

    def __init__(
        self,
        database: Database,
        handler: TimerHandler,
        ownership: Ownership,
        outbox: Outbox,
        clock: Clock,
        book: TimerBook,
        backlog: Backlog,
        horizon_seconds: float,
    ) -> None:
        """Args:
        horizon_seconds: real seconds ahead for which timers are in memory.
        """
        self._database = database
        self._handler = handler
        self._ownership = ownership
        self._outbox = outbox
        self._clock = clock
        self._book = book
        self._backlog = backlog
        self._horizon = Horizon(timedelta(seconds=horizon_seconds * clock.speed))
        self._held: dict[int, int] = {}
        self._lost: dict[int, int] = {}
        self._sweep_at: datetime | None = None
        self._wake = asyncio.Event()
        ownership.on_change(self._wake.set)

    def armed(self, partition: int, timers: Sequence[Timer]) -> None:
        """Timers were set; wakes the loop when one of them is earlier than what it waits for."""
        now, before = self._clock.now(), self._book.next_at
        self._book.add(partition, [timer for timer in timers if self._horizon.is_near(timer.due_at, now)])
        if self._book.next_at != before:
            self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        failures = 0
        while not stopping.is_set():
            self._wake.clear()
            try:
                await self.run_once()
            except Retryable as error:
                failures += 1
                _log.warning("firing failed, will repeat", failures=failures, error=str(error))
                await _first_of(stopping, None, _backoff_seconds(failures))
            else:
                failures = 0
                await _first_of(stopping, self._wake, self._seconds_to_wait())

    async def run_once(self) -> int:
        """Follow the ownership, read ahead, fire at most 500 of what is due; gives the number of timers fired.

        Raises:
            DatabaseUnavailable: what was in hand is back in memory.
        """
        self._follow_ownership()
        await self._read_ahead()
        return await self._fire_all(self._book.take_due(self._clock.now(), _MOST_AT_ONCE))

    def _follow_ownership(self) -> None:
        owned = {
            where.partition: epoch for where, epoch in self._ownership.epochs.items() if where.topic == REQUESTS.name
        }
        for partition, epoch in list(self._held.items()):
            if owned.get(partition) != epoch:
                self._drop(partition)
        for partition, epoch in owned.items():
            if self._held.get(partition) != epoch and self._lost.get(partition) != epoch:
                self._held[partition] = epoch
                self._backlog.begin(partition)

    def _drop(self, partition: int) -> None:
        self._held.pop(partition, None)
        self._backlog.forget(partition)
        self._book.drop(partition)

    async def _read_ahead(self) -> None:
        now = self._clock.now()
        is_sweep = self._sweep_at is None or now >= self._sweep_at
        for partition in list(self._held):
            read_until = self._book.read_until(partition)
            if self._horizon.needs_reading(read_until, now):
                await self._read(partition, read_until, now + self._horizon.ahead)
            elif is_sweep:
                overdue = now - self._business(_SWEEP_SECONDS)
                async with self._database.connection() as connection:
                    self._book.add(partition, await load_timers(connection, partition, overdue, _MOST_AT_ONCE))
        if is_sweep:
            self._sweep_at = now + self._business(_SWEEP_SECONDS)

    async def _read(self, partition: int, since: datetime | None, until: datetime) -> None:
        """Read a span of timers; when there are too many, as far as the last instant that is read whole."""
        most = _READ_AT_ONCE
        async with self._database.connection() as connection:
            timers = await load_timers(connection, partition, until, most, since)
            while len(timers) == most and timers[0].due_at == timers[-1].due_at:  # all due at one closing time
                most *= 2
                timers = await load_timers(connection, partition, until, most, since)
        if len(timers) == most:
            until = timers[-1].due_at - timedelta.resolution
            timers = [timer for timer in timers if timer.due_at <= until]
        self._book.add(partition, timers)
        self._book.mark_read(partition, until)

    async def _fire_all(self, taken: Mapping[int, Sequence[Entry]]) -> int:
        fired = 0
        waiting = dict(taken)
        for partition, entries in taken.items():
            try:
                fired += await self._fire(partition, entries)
            except Fenced:
                _log.warning("timers dropped, the partition was lost", partition=partition, timers=len(entries))
                if partition in self._held:
                    self._lost[partition] = self._held[partition]
                self._drop(partition)
            except BaseException:
                for left in waiting.values():
                    self._book.put_back(left, left[0].wake_at)
                raise
            del waiting[partition]
        if fired:
            self._outbox.wake()
        return fired

    async def _fire(self, partition: int, entries: Sequence[Entry]) -> int:
        again_at = self._clock.now() + self._business(_AGAIN_SECONDS)
        async with self._database.transaction() as connection:
            position = await self._ownership.check(connection, REQUESTS.name, partition)
            if not self._backlog.is_read(partition, position):
                self._book.put_back(entries, again_at)
                return 0
            missing = set(await self._handler.fire(connection, [entry.timer for entry in entries]))
        self._book.put_back_missing([entry for entry in entries if entry.timer in missing], again_at)
        return len(entries) - len(missing)

    def _seconds_to_wait(self) -> float:
        next_at = self._book.next_at
        if next_at is None:
            return _SWEEP_SECONDS
        return min(_SWEEP_SECONDS, max(0.0, self._clock.real_seconds_until(next_at)))

    def _business(self, real_seconds: float) -> timedelta:
        return timedelta(seconds=real_seconds * self._clock.speed)


def _backoff_seconds(failures: int) -> float:
    """0.1 s doubling to 5 s, with jitter so that several processes do not knock together."""
    return min(_SLOWEST_RETRY_SECONDS, 0.1 * 2.0**failures) * random.uniform(0.5, 1.0)  # noqa: S311


async def _first_of(stopping: asyncio.Event, wake: asyncio.Event | None, timeout_seconds: float) -> None:
    """Wait until one of the events is set or the time has passed."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stopping, wake) if event is not None]
    try:
        await asyncio.wait(waits, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
