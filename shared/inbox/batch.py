"""One batch in one transaction: ownership check, repeats, the handler, dead letters, positions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from shared.clock import Clock
from shared.contracts.envelope import Event, Tombstone, decode
from shared.contracts.payload import Payload
from shared.contracts.topics import DEADLETTERS, TOPIC_BY_NAME
from shared.errors import Rejected
from shared.inbox.breaker import RejectBreaker
from shared.inbox.deadletters import dead_letter, replay_target, store_rejections, take_back
from shared.inbox.ownership import Ownership
from shared.inbox.received import Received, Rejection
from shared.inbox.sequences import Sequences, sort_out
from shared.kafka.records import Record, TopicPartition
from shared.outbox import Outbox
from shared.postgres.database import UNSTORABLE, Connection, Database
from shared.telemetry import metrics
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_STORE_POSITIONS = """
UPDATE inbox_position SET next_offset = news.next_offset
FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS news (topic, partition, next_offset)
WHERE inbox_position.topic = news.topic AND inbox_position.partition = news.partition
"""

Batches = Mapping[TopicPartition, Sequence[Record]]
Epochs = Mapping[TopicPartition, int]
Decode = Callable[[bytes | None, bytes | None, Iterable[tuple[str, bytes]]], Event[Payload] | Tombstone]


class Handler(Protocol):
    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        """Apply a batch inside the open transaction; gives what can never be handled.

        The batch is in order within each partition; it can hold records of several partitions and topics.

        Raises:
            Retryable: roll back and repeat the batch later.
        """


class BatchHandling:
    """What happens to the records of a poll. Knows nothing of groups and polling."""

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        handler: Handler,
        ownership: Ownership,
        outbox: Outbox,
        clock: Clock,
        sequences: Sequences,
        reject_share: float,
        decode: Decode = decode,
    ) -> None:
        self._service = service
        self._database = database
        self._handler = handler
        self._ownership = ownership
        self._outbox = outbox
        self._clock = clock
        self._sequences = sequences
        self._breaker = RejectBreaker(reject_share)
        self._read = decode

    async def transact(self, batches: Batches, epochs: Epochs) -> dict[TopicPartition, int]:
        """Commit the effect of a batch; gives the offsets at which its partitions go on.

        The partitions are ours alone in this process until what the handler wanted after the commit has been done.

        When the database refuses what a record says, the records are repeated one by one, and that one is rejected.

        Args:
            epochs: under which the records were read.

        Raises:
            Fenced: names a partition that is not ours; nothing was committed.
            Retryable: nothing was committed, or it is unknown; the same batch can be given again.
            CircuitOpen: nothing was committed.
        """
        async with self._ownership.exclusive(batches):
            try:
                return await self._commit(batches, epochs)
            except UNSTORABLE:
                reached: dict[TopicPartition, int] = {}
                for where, records in batches.items():
                    for record in records:
                        reached |= await self._commit_alone(where, record, epochs)
                return reached

    async def _commit_alone(self, where: TopicPartition, record: Record, epochs: Epochs) -> dict[TopicPartition, int]:
        try:
            return await self._commit({where: [record]}, epochs)
        except UNSTORABLE as error:
            return await self._commit({where: [record]}, epochs, refusal=type(error).__name__)

    async def _commit(self, batches: Batches, epochs: Epochs, refusal: str | None = None) -> dict[TopicPartition, int]:
        """Args:
        refusal: why the database refuses the only record; it is rejected instead of handled.
        """
        async with self._database.transaction() as connection:
            positions = await self._ownership.check_all(connection, list(batches), epochs)
            news = [r for where, records in batches.items() for r in records if r.offset >= positions[where]]
            if not news:
                return positions
            batch, rejections, skipped = await self._decode(connection, news)
            if refusal is not None:
                rejections += [Rejection(r.record, "unstorable", f"the database refuses it: {refusal}") for r in batch]
                batch = []
            # A replay has no place in the sequences.
            in_order = [r.event for r in batch if isinstance(r.event, Event) and r.replay_of is None]
            last = await self._sequences.load_last(connection, in_order)
            sorted_out = sort_out(batch, last)
            if sorted_out.fresh:
                rejections = [*rejections, *await self._handler.handle(connection, sorted_out.fresh)]
            await self._sequences.store_last(connection, sorted_out.last)
            if rejections:
                letters = [dead_letter(self._service, rejection, self._clock.now()) for rejection in rejections]
                await store_rejections(connection, letters)
                await self._outbox.append(connection, DEADLETTERS, letters)
            fresh_rejections = [r for r in rejections if replay_target(r.record) is None]  # a person watches a replay
            self._breaker.record(handled=len(news) - len(rejections), rejected=len(fresh_rejections))
            reached = {
                where: records[-1].offset + 1
                for where, records in batches.items()
                if records and records[-1].offset >= positions[where]
            }
            await connection.execute(
                _STORE_POSITIONS, [w.topic for w in reached], [w.partition for w in reached], list(reached.values())
            )
        self._count(news, rejections, [*sorted_out.repeats, *skipped], sorted_out.gaps)
        return reached

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
                event = self._read(record.key, record.value, record.headers)
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
            headers = dict(record.headers)
            _log.error(
                "events are missing",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                subject=headers["ce_subject"].decode(),
                sequence=headers["ce_sequence"].decode(),
            )
