"""Consumes topics: one Postgres transaction per batch holds ownership check, state, outbox rows and position.

Outcomes of a record: done; retryable (the batch backs off and is repeated, the position stays); rejected (dead letter,
then on). Anything else ends the process.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from shared.clock import Clock, monotonic
from shared.contracts.envelope import Event, decode
from shared.contracts.topics import DEADLETTERS, TOPIC_BY_NAME
from shared.errors import Fenced, Rejected, Retryable
from shared.inbox.breaker import RejectBreaker
from shared.inbox.deadletters import dead_letter, replay_target, store_rejections, take_back
from shared.inbox.ownership import Ownership
from shared.inbox.received import Received, Rejection
from shared.inbox.sequences import load_last, sort_out, store_last
from shared.kafka.records import Record, Subscription, TopicPartition
from shared.outbox import Outbox
from shared.postgres.database import Connection, Database
from shared.telemetry import metrics
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_POLL_SECONDS = 0.25
_MAX_RECORDS = 1000
_MIRROR_SECONDS = 2.0

_STORE_POSITION = "UPDATE inbox_position SET next_offset = $3 WHERE topic = $1 AND partition = $2"


class Handler(Protocol):
    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        """Apply a batch of one partition inside the open transaction; gives what can never be handled.

        Raises:
            Retryable: roll back and repeat the batch later.
        """


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
    ) -> None:
        self._service = service
        self._database = database
        self._subscription = subscription
        self._handler = handler
        self._ownership = ownership
        self._outbox = outbox
        self._clock = clock
        self._breaker = RejectBreaker()
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
        for where, records in batches.items():
            async with self._working:
                await self._handle(where, records, stopping)
        await self._mirror()
        return sum(len(records) for records in batches.values())

    async def _handle(self, where: TopicPartition, records: Sequence[Record], stopping: asyncio.Event) -> None:
        failures = 0
        while True:
            started_at = monotonic()
            epoch = self._ownership.epochs.get(where)
            try:
                await self._transact(where, records)
            except Fenced:
                _log.warning("partition lost", topic=where.topic, partition=where.partition)
                if self._ownership.epochs.get(where) == epoch:  # else it was taken again meanwhile
                    self._forget([where])
                return
            except Retryable as error:
                failures += 1
                self._trouble = str(error)
                metrics.INBOX_RETRIES.labels(self._service, where.topic).inc()
                _log.warning("batch failed, will repeat", topic=where.topic, failures=failures, error=str(error))
                await _pause(failures, stopping)
                if stopping.is_set():
                    return
            else:
                self._trouble = None
                metrics.INBOX_BATCH_SECONDS.labels(self._service, where.topic).observe(monotonic() - started_at)
                self._outbox.wake()
                return

    async def _transact(self, where: TopicPartition, records: Sequence[Record]) -> None:
        async with self._database.transaction() as connection:
            position = await self._ownership.check(connection, *where)
            news = [record for record in records if record.offset >= position]
            if not news:
                return
            batch, rejections, skipped = await self._decode(connection, news)
            last = await load_last(connection, [r.event for r in batch if isinstance(r.event, Event)])
            sorted_out = sort_out(batch, last)
            if sorted_out.fresh:
                rejections = [*rejections, *await self._handler.handle(connection, sorted_out.fresh)]
            await store_last(connection, sorted_out.last)
            if rejections:
                letters = [dead_letter(self._service, rejection, self._clock.now()) for rejection in rejections]
                await store_rejections(connection, letters)
                await self._outbox.append(connection, DEADLETTERS, letters)
            handled = len(news) - len(rejections)
            self._breaker.record(handled=handled, rejected=len(rejections))
            await connection.execute(_STORE_POSITION, *where, news[-1].offset + 1)
        self._positions[where] = news[-1].offset + 1
        # A compacted topic has holes by design.
        gaps = 0 if TOPIC_BY_NAME[where.topic].is_compacted else sorted_out.gaps
        repeats = sorted_out.repeats + skipped
        self._count(where, rejections, handled=handled - repeats, repeats=repeats, gaps=gaps)

    async def _decode(
        self, connection: Connection, records: Sequence[Record]
    ) -> tuple[list[Received], list[Rejection], int]:
        """The readable records that concern this service, the unreadable ones, and how many were passed over."""
        replays = {record.offset: target for record in records if (target := replay_target(record)) is not None}
        mine = {offset: letter for offset, (letter, service) in replays.items() if service == self._service}
        still_dead = await take_back(connection, list(mine.values())) if mine else set()
        batch: list[Received] = []
        rejections: list[Rejection] = []
        skipped = 0
        for record in records:
            if record.offset in replays:
                if mine.get(record.offset) not in still_dead:
                    skipped += 1
                    continue
                still_dead.remove(mine[record.offset])  # a second replay in the same batch finds it taken
            try:
                event = decode(record.key, record.value, record.headers)
            except Rejected as error:
                rejections.append(Rejection(record, error.reason, error.detail))
            else:
                batch.append(Received(event, record, mine.get(record.offset)))
        return batch, rejections, skipped

    def _count(
        self, where: TopicPartition, rejections: Sequence[Rejection], *, handled: int, repeats: int, gaps: int
    ) -> None:
        events = metrics.INBOX_EVENTS
        events.labels(self._service, where.topic, "handled").inc(handled)
        events.labels(self._service, where.topic, "repeated").inc(repeats)
        events.labels(self._service, where.topic, "rejected").inc(len(rejections))
        for rejection in rejections:
            metrics.INBOX_REJECTED.labels(self._service, where.topic, rejection.reason).inc()
            _log.error(
                "event rejected",
                topic=where.topic,
                partition=where.partition,
                offset=rejection.record.offset,
                reason=rejection.reason,
                detail=rejection.detail,
            )
        if gaps:
            metrics.INBOX_GAPS.labels(self._service, where.topic).inc(gaps)
            _log.error("events are missing", topic=where.topic, partition=where.partition, gaps=gaps)

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


def _backoff_seconds(failures: int) -> float:
    """0.1 s doubling to 5 s, with jitter so that several processes do not knock together."""
    return min(5.0, 0.1 * 2.0**failures) * random.uniform(0.5, 1.0)  # noqa: S311


async def _pause(failures: int, stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_backoff_seconds(failures)):
            await stopping.wait()
    except TimeoutError:
        return
