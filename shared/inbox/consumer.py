"""Reads a subscription and has each batch handled until it is done.

Outcomes of a record: done; retryable (the batch backs off and is repeated, the position stays); rejected (dead letter,
then on). Anything else ends the process.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from shared.clock import Clock, monotonic
from shared.errors import Fenced, Retryable
from shared.inbox.batch import Batches, BatchHandling, Handler
from shared.inbox.breaker import DEFAULT_SHARE
from shared.inbox.ownership import Ownership
from shared.kafka.records import Record, Subscription, TopicPartition
from shared.outbox import Outbox
from shared.postgres.database import Database
from shared.telemetry import metrics
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_POLL_SECONDS = 0.25
_MAX_RECORDS = 1000
_MIRROR_SECONDS = 2.0

_TRANSACTION_RECORDS = 200
"""Partitions with few records share a transaction until it has so many; more would keep a ticker waiting for locks."""


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
        reject_share: float = DEFAULT_SHARE,
    ) -> None:
        self._service = service
        self._subscription = subscription
        self._ownership = ownership
        self._outbox = outbox
        self._batches = BatchHandling(
            service=service,
            database=database,
            handler=handler,
            ownership=ownership,
            outbox=outbox,
            clock=clock,
            reject_share=reject_share,
        )
        self._positions: dict[TopicPartition, int] = {}
        self._mirrored_at = 0.0
        self._working = asyncio.Lock()
        self._has_started = False
        self._trouble: str | None = None

    def trouble(self) -> str | None:
        """Why nothing is consumed right now; None when all is well. For readiness."""
        if not self._has_started:
            return "joining the consumer group"
        return self._trouble

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
            while not stopping.is_set():
                await self.run_once(stopping)
        finally:
            await asyncio.gather(starting, return_exceptions=True)
            await self._mirror(is_forced=True)
            await self._subscription.stop()

    async def run_once(self, stopping: asyncio.Event) -> int:
        """Poll once and handle what came; gives the number of records read."""
        try:
            batches = await self._subscription.poll(timeout_seconds=_POLL_SECONDS, max_records=_MAX_RECORDS)
        except Retryable as error:
            self._trouble = str(error)
            _log.warning("polling failed, will repeat", error=str(error))
            await _pause(1, stopping)
            return 0
        for share in _shares(batches):
            async with self._working:
                await self._handle(share, stopping)
        await self._mirror()
        return sum(len(records) for records in batches.values())

    async def _handle(self, batches: Batches, stopping: asyncio.Event) -> None:
        failures = 0
        mine = dict(batches)
        while mine:
            started_at = monotonic()
            epochs = dict(self._ownership.epochs)
            try:
                self._positions.update(await self._batches.transact(mine))
            except Fenced as lost:
                where = TopicPartition(lost.topic, lost.partition)
                _log.warning("partition lost", topic=where.topic, partition=where.partition)
                if self._ownership.epochs.get(where) == epochs.get(where):  # else it was taken again meanwhile
                    self._forget([where])
                del mine[where]
            except Retryable as error:
                failures += 1
                self._trouble = str(error)
                for topic in {where.topic for where in mine}:
                    metrics.INBOX_RETRIES.labels(self._service, topic).inc()
                _log.warning("batch failed, will repeat", failures=failures, error=str(error))
                await _pause(failures, stopping)
                if stopping.is_set():
                    return
            else:
                self._trouble = None
                metrics.INBOX_BATCH_SECONDS.labels(self._service).observe(monotonic() - started_at)
                self._outbox.wake()
                return

    async def _on_assigned(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        failures = 0
        while True:
            try:
                positions = await self._ownership.take(partitions)
            except Retryable as error:
                failures += 1
                self._trouble = str(error)
                _log.warning("partitions not taken yet", failures=failures, error=str(error))
                await asyncio.sleep(_backoff_seconds(failures))
            else:
                self._trouble = None
                self._positions.update(positions)
                _log.info("partitions taken", partitions=[f"{p.topic}/{p.partition}" for p in positions])
                return positions

    async def _on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        async with self._working:  # let the batch in hand commit: it is still ours
            self._forget(partitions)

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


def _shares(batches: Batches) -> Iterator[Batches]:
    """The partitions, gathered into transactions of a fair size."""
    share: dict[TopicPartition, Sequence[Record]] = {}
    count = 0
    for where, records in batches.items():
        share[where] = records
        count += len(records)
        if count >= _TRANSACTION_RECORDS:
            yield share
            share, count = {}, 0
    if share:
        yield share


def _backoff_seconds(failures: int) -> float:
    """0.1 s doubling to 5 s, with jitter so that several processes do not knock together."""
    return min(5.0, 0.1 * 2.0**failures) * random.uniform(0.5, 1.0)  # noqa: S311


async def _pause(failures: int, stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_backoff_seconds(failures)):
            await stopping.wait()
    except TimeoutError:
        return
