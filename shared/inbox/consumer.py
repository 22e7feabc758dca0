"""Reads a subscription and has its records handled until they are done.

Outcomes of a record: done; retryable (the batch backs off and is repeated, the position stays); rejected (dead letter,
then on). Anything else ends the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from shared.clock import Clock, monotonic
from shared.contracts.envelope import decode
from shared.errors import Retryable
from shared.inbox.batch import BatchHandling, Decode, Handler
from shared.inbox.bounds import warn_of_lost_records
from shared.inbox.breaker import DEFAULT_SHARE
from shared.inbox.lane import Lane, Polled
from shared.inbox.ownership import Ownership
from shared.inbox.sequences import Sequences, SequenceTable
from shared.kafka.records import Subscription, TopicPartition
from shared.outbox import Outbox
from shared.postgres.database import Database
from shared.telemetry import metrics
from shared.telemetry.logs import get_logger
from shared.waiting import backoff_seconds, first_of

_log = get_logger(__name__)

_POLL_SECONDS = 0.25
_MIRROR_SECONDS = 2.0
_MOST_WAITING = 4000
"""Records read ahead of the lanes; at half of it the next are fetched, so that no lane waits for Kafka."""


class InboxConsumer:
    """A component: reads a subscription and hands batches to the handler."""

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        subscription: Subscription,
        handler: Handler,
        ownership: Ownership,
        outbox: Outbox,
        clock: Clock,
        sequences: Sequences | None = None,
        reject_share: float = DEFAULT_SHARE,
        lanes: int = 2,
        transaction_records: int = 500,
        decode: Decode = decode,
    ) -> None:
        """Args:
        sequences: where the last sequences are remembered; None is the table ``inbox_sequence``.
        lanes: transactions at a time, on partitions of their own; the handler runs in all of them.
        transaction_records: the most records of one; more would keep a ticker waiting for the partition.
        decode: reads records; what it rejects becomes a dead letter.
        """
        self._service = service
        self._subscription = subscription
        self._ownership = ownership
        handling = BatchHandling(
            service=service,
            database=database,
            handler=handler,
            ownership=ownership,
            outbox=outbox,
            clock=clock,
            sequences=sequences or SequenceTable(),
            reject_share=reject_share,
            decode=decode,
        )
        self._positions: dict[TopicPartition, int] = {}
        self._has_progressed = asyncio.Event()
        self._lanes = [
            Lane(
                service,
                handling,
                ownership,
                most_records=transaction_records,
                progressed=self._has_progressed,
                reached=self._on_reached,
                lost=lambda where: self._forget([where]),
            )
            for _ in range(lanes)
        ]
        self._lane_of: dict[TopicPartition, Lane] = {}
        self._mirrored_at = 0.0
        self._checks: set[asyncio.Task[None]] = set()
        self._has_started = False
        self._troubles: dict[str, str] = {}

    def trouble(self) -> str | None:
        """Why nothing is consumed right now; None when all is well. For readiness."""
        if not self._has_started:
            return "joining the consumer group"
        return next((lane.trouble for lane in self._lanes if lane.trouble), next(iter(self._troubles.values()), None))

    async def run(self, stopping: asyncio.Event) -> None:
        starting = asyncio.ensure_future(self._subscription.start(self._on_assigned, self._on_revoked))
        stopped = asyncio.ensure_future(stopping.wait())
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not starting.done():
            starting.cancel()
        try:
            if not stopping.is_set():
                await starting
                self._has_started = True
                await self._work(stopping)
        finally:
            for check in self._checks:
                check.cancel()
            await asyncio.gather(starting, *self._checks, return_exceptions=True)
            await self._mirror(is_forced=True)
            await self._subscription.stop()

    async def run_once(self, stopping: asyncio.Event) -> int:
        """Poll once and handle what came; gives the number of records read."""
        count = await self._read(stopping)
        await asyncio.gather(*(lane.drain(stopping) for lane in self._lanes))
        await self._mirror()
        return count

    async def _work(self, stopping: asyncio.Event) -> None:
        """Read ahead while the lanes work. The first error ends all of them."""
        tasks = [asyncio.ensure_future(lane.run(stopping)) for lane in self._lanes]
        tasks.append(asyncio.ensure_future(self._read_on(stopping)))
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            task.result()

    async def _read_on(self, stopping: asyncio.Event) -> None:
        try:
            while not stopping.is_set():
                self._has_progressed.clear()
                if sum(lane.waiting for lane in self._lanes) > _MOST_WAITING // 2:
                    await self._has_progressed.wait()
                else:
                    await self._read(stopping)
                    await self._mirror()
        finally:
            for lane in self._lanes:
                lane.wake()

    async def _read(self, stopping: asyncio.Event) -> int:
        """Poll once and put what came into the lanes; gives the number of records."""
        try:
            batches = await self._subscription.poll(timeout_seconds=_POLL_SECONDS, max_records=_MOST_WAITING // 2)
        except Retryable as error:
            self._troubles["polling"] = str(error)
            _log.warning("polling failed, will repeat", error=str(error))
            await first_of(backoff_seconds(1), stopping)
            return 0
        self._troubles.pop("polling", None)
        # No other task runs between the end of the poll and here, so these are the epochs the records were read under.
        epochs = self._ownership.epochs
        for where, records in batches.items():
            if where in epochs:
                self._lane_of[where].put(Polled(where, epochs[where], records))
        return sum(len(records) for records in batches.values())

    async def _on_assigned(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        # An assignment is complete: what was resumed before the group answered and is not in it is not ours.
        self._forget([where for where in self._ownership.epochs if where not in partitions])
        self._lane_of = {where: self._lanes[n % len(self._lanes)] for n, where in enumerate(sorted(partitions))}
        failures = 0
        while True:
            try:
                positions = await self._ownership.take(partitions)
            except Retryable as error:
                failures += 1
                self._troubles["taking"] = str(error)
                _log.warning("partitions not taken yet", failures=failures, error=str(error))
                await asyncio.sleep(backoff_seconds(failures))
            else:
                self._troubles.pop("taking", None)
                self._positions.update(positions)
                _log.info("partitions taken", partitions=[f"{p.topic}/{p.partition}" for p in positions])
                check = asyncio.ensure_future(warn_of_lost_records(self._service, self._subscription, positions))
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)
                return positions

    async def _on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        async with self._ownership.exclusive(partitions):  # let the transactions in hand commit: it is still ours
            self._forget(partitions)

    def _on_reached(self, where: TopicPartition, position: int) -> None:
        self._positions[where] = position

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        self._ownership.drop(partitions)
        for where in partitions:
            self._positions.pop(where, None)
            with suppress(KeyError):  # the new owner shows the lag from now on
                metrics.INBOX_LAG.remove(self._service, where.topic, str(where.partition))

    async def _mirror(self, *, is_forced: bool = False) -> None:
        now = monotonic()
        if not is_forced and now - self._mirrored_at < _MIRROR_SECONDS:
            return
        self._mirrored_at = now
        for where, position in self._positions.items():
            lag = self._subscription.lag(where, position)
            if lag is not None:
                metrics.INBOX_LAG.labels(self._service, where.topic, str(where.partition)).set(lag)
        await self._subscription.mirror(dict(self._positions))
