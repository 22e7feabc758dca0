"""Consumes topics: one Postgres transaction per batch holds ownership check, state, outbox rows and position.

Outcomes of a record: done; retryable (the batch backs off and is repeated, the position stays); rejected (dead letter,
then on). Anything else ends the process.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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

_TRANSACTION_RECORDS = 200
"""Partitions with few records share a transaction until it has so many; more would keep a ticker waiting for locks."""

_STORE_POSITIONS = """
UPDATE inbox_position SET next_offset = news.next_offset
FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS news (topic, partition, next_offset)
WHERE inbox_position.topic = news.topic AND inbox_position.partition = news.partition
"""

Batches = Mapping[TopicPartition, Sequence[Record]]


class Handler(Protocol):
    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        """Apply a batch inside the open transaction; gives what can never be handled.

        The batch is in order within each partition; it can hold records of several partitions and topics.

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
                await self._transact(mine)
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

    async def _transact(self, batches: Batches) -> None:
        async with self._database.transaction() as connection:
            positions = await self._ownership.check_all(connection, list(batches))
            news = [r for where, records in batches.items() for r in records if r.offset >= positions[where]]
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
            self._breaker.record(handled=len(news) - len(rejections), rejected=len(rejections))
            reached = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in news}
            await connection.execute(
                _STORE_POSITIONS, [w.topic for w in reached], [w.partition for w in reached], list(reached.values())
            )
        self._positions.update(reached)
        self._count(news, rejections, [*sorted_out.repeats, *skipped], sorted_out.gaps)

    async def _decode(
        self, connection: Connection, records: Sequence[Record]
    ) -> tuple[list[Received], list[Rejection], list[Record]]:
        """The readable records that concern this service, the unreadable ones, and those passed over."""
        replays = {record: target for record in records if (target := replay_target(record)) is not None}
        mine = {record: letter for record, (letter, service) in replays.items() if service == self._service}
        still_dead = await take_back(connection, list(mine.values())) if mine else set()
        batch: list[Received] = []
        rejections: list[Rejection] = []
        skipped: list[Record] = []
        for record in records:
            if replays and record in replays:
                if mine.get(record) not in still_dead:
                    skipped.append(record)
                    continue
                still_dead.remove(mine[record])  # a second replay in the same batch finds it taken
            try:
                event = decode(record.key, record.value, record.headers)
            except Rejected as error:
                rejections.append(Rejection(record, error.reason, error.detail))
            else:
                batch.append(Received(event, record, mine.get(record) if mine else None))
        return batch, rejections, skipped

    def _count(
        self,
        news: Sequence[Record],
        rejections: Sequence[Rejection],
        repeats: Sequence[Record],
        gaps: Sequence[Record],
    ) -> None:
        read = Counter(record.topic for record in news)
        repeated = Counter(record.topic for record in repeats)
        rejected = Counter(rejection.record.topic for rejection in rejections)
        for topic, count in read.items():
            events = metrics.INBOX_EVENTS
            events.labels(self._service, topic, "handled").inc(count - repeated[topic] - rejected[topic])
            events.labels(self._service, topic, "repeated").inc(repeated[topic])
            events.labels(self._service, topic, "rejected").inc(rejected[topic])
        for rejection in rejections:
            record = rejection.record
            metrics.INBOX_REJECTED.labels(self._service, record.topic, rejection.reason).inc()
            _log.error(
                "event rejected",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                reason=rejection.reason,
                detail=rejection.detail,
            )
        for record in gaps:
            if TOPIC_BY_NAME[record.topic].is_compacted:
                continue  # such a topic has holes by design
            metrics.INBOX_GAPS.labels(self._service, record.topic).inc()
            _log.error("events are missing", topic=record.topic, partition=record.partition, offset=record.offset)

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
