"""Wakes for the earliest timer and fires what is due, never early."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.handlers.timers import TimerHandler
from services.sla_timer.store.timers import load_timers
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import Entry, Horizon, TimerBook
from shared.clock import Clock, monotonic
from shared.contracts.topics import REQUESTS
from shared.errors import Fenced, Retryable
from shared.inbox import Ownership
from shared.kafka import TopicPartition
from shared.postgres import Database
from shared.telemetry.logs import get_logger
from shared.waiting import backoff_seconds

_log = get_logger(__name__)

_MOST_AT_ONCE = 500  # keeps a transaction to tens of milliseconds, so that events and timers take turns
_READ_AT_ONCE = 2_000  # so that what is overdue begins to fire before all of it is read
_SWEEP_SECONDS = 1.0  # finds timers that memory missed, such as those of a commit whose outcome was unknown
_DRAINING_SWEEP_SECONDS = 30.0
_AGAIN_SECONDS = 0.02
_WARM_SECONDS = 0.25  # so many timers at once that loading is cheap, so few that firing hardly waits for it
_MOST_WARMED = 5_000  # of those that come at one instant; more would push each other out of memory


class Ticker:
    """A component: fires the timers of the partitions that ``ownership`` holds."""

    def __init__(
        self,
        database: Database,
        handler: TimerHandler,
        ownership: Ownership,
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
        self._clock = clock
        self._book = book
        self._backlog = backlog
        self._horizon = Horizon(timedelta(seconds=horizon_seconds * clock.speed))
        self._held: dict[int, int] = {}
        self._lost: dict[int, int] = {}
        self._swept_at: float | None = None  # real time: business time may jump
        self._wake = asyncio.Event()
        ownership.on_change(self._wake.set)

    def armed(self, partition: int, timers: Sequence[Timer]) -> None:
        """Timers were set; wakes the loop when one of them is earlier than what it waits for."""
        now, before = self._clock.now(), self._book.next_at
        self._book.add(partition, [timer for timer in timers if self._horizon.is_near(timer.due_at, now)])
        if self._book.next_at != before:
            self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_warm(stopping))
            tasks.create_task(self._keep_firing(stopping))

    async def _keep_warm(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            with suppress(Retryable):  # firing meets the same trouble and reports it
                await self.warm()
            await _first_of(stopping, None, _WARM_SECONDS)

    async def _keep_firing(self, stopping: asyncio.Event) -> None:
        failures = 0
        while not stopping.is_set():
            self._wake.clear()
            try:
                await self.run_once()
            except Retryable as error:
                failures += 1
                _log.warning("firing failed, will repeat", failures=failures, error=str(error))
                await _first_of(stopping, None, backoff_seconds(failures))
            else:
                failures = 0
                seconds = self._seconds_to_wait()
                if seconds > 0:
                    await _first_of(stopping, self._wake, seconds)

    async def run_once(self) -> int:
        """Follow the ownership, read ahead, fire at most 500 of what is due; gives the number of timers fired.

        Raises:
            DatabaseUnavailable: what was in hand is back in memory.
        """
        self._follow_ownership()
        await self._read_ahead()
        entries = self._book.take_due(self._known_until(), _MOST_AT_ONCE)
        return await self._fire(entries) if entries else 0

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
        now, seconds = self._clock.now(), monotonic()
        known_until = self._known_until()
        is_sweep = self._swept_at is None or seconds >= self._swept_at + self._sweep_seconds(now)
        for partition in list(self._held):
            read_until = self._book.read_until(partition)
            if self._horizon.needs_reading(read_until, now):
                if read_until is None or read_until >= now or read_until <= known_until:
                    await self._read(partition, read_until, now + self._horizon.ahead)
            elif is_sweep:
                overdue = now - self._business(_SWEEP_SECONDS)
                async with self._database.connection() as connection:
                    self._book.add(partition, await load_timers(connection, partition, overdue, _MOST_AT_ONCE))
        if is_sweep:
            self._swept_at = seconds

    def _sweep_seconds(self, now: datetime) -> float:
        """While what is overdue is in hand, a sweep finds little else."""
        next_at = self._book.next_at
        is_draining = next_at is not None and next_at < now - self._business(_SWEEP_SECONDS)
        return _DRAINING_SWEEP_SECONDS if is_draining else _SWEEP_SECONDS

    def _known_until(self) -> datetime:
        """Now; before it while not all that is overdue is read, so that the earliest of all partitions fires first."""
        known = [until for partition in self._held if (until := self._book.read_until(partition)) is not None]
        return min([self._clock.now(), *known])

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

    async def warm(self) -> None:
        """Load the requests of timers that come soon, many at once, so that firing need not read them one by one.

        Raises:
            DatabaseUnavailable: firing reads what is missing.
        """
        now = self._clock.now()
        soon = [e for e in self._book.approach(now + self._business(2 * _WARM_SECONDS)) if e.wake_at > now]
        if not soon:
            return
        del soon[_MOST_WARMED:]
        wheres = _partitions_of(soon)
        with suppress(Fenced):  # firing will notice
            async with self._database.snapshot() as connection:
                # Inside, unlike elsewhere: a snapshot is taken by the first statement, and it locks no rows.
                async with self._ownership.exclusive(wheres):
                    epochs = await self._ownership.look(connection, wheres)
                    mark = {where.partition: epoch for where, epoch in epochs.items()}
                    expected = self._handler.expect(entry.timer for entry in soon)
                await self._handler.warm(connection, expected, mark)

    async def _fire(self, entries: Sequence[Entry]) -> int:
        """Fire in one transaction for all partitions: their rows are locked in one order everywhere."""
        try:
            return await self._transact(entries)
        except Fenced as fenced:
            lost = [entry for entry in entries if entry.partition == fenced.partition]
            _log.warning("timers dropped, the partition was lost", partition=fenced.partition, timers=len(lost))
            if fenced.partition in self._held:
                self._lost[fenced.partition] = self._held[fenced.partition]
            self._drop(fenced.partition)
            self._book.put_back([entry for entry in entries if entry.partition != fenced.partition])
            return 0
        except BaseException:
            self._book.put_back(entries)
            raise

    async def _transact(self, entries: Sequence[Entry]) -> int:
        wheres = _partitions_of(entries)
        async with self._ownership.exclusive(wheres), self._database.transaction() as connection:
            positions = await self._ownership.check_all(connection, wheres)
            ready = {where.partition for where in wheres if self._backlog.is_read(where.partition, positions[where])}
            waiting = [entry for entry in entries if entry.partition not in ready]
            due = [(entry.partition, entry.timer) for entry in entries if entry.partition in ready]
            fired = await self._handler.fire(connection, due, self.armed) if due else 0
        if waiting:
            self._book.put_back(waiting, self._clock.now() + self._business(_AGAIN_SECONDS))
        return fired

    def _seconds_to_wait(self) -> float:
        next_at = self._book.next_at
        if next_at is None:
            return _SWEEP_SECONDS
        return min(_SWEEP_SECONDS, max(0.0, self._clock.real_seconds_until(next_at)))

    def _business(self, real_seconds: float) -> timedelta:
        return timedelta(seconds=real_seconds * self._clock.speed)


def _partitions_of(entries: Iterable[Entry]) -> list[TopicPartition]:
    return sorted({TopicPartition(REQUESTS.name, entry.partition) for entry in entries})


async def _first_of(stopping: asyncio.Event, wake: asyncio.Event | None, timeout_seconds: float) -> None:
    """Wait until one of the events is set or the time has passed."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stopping, wake) if event is not None]
    try:
        await asyncio.wait(waits, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
