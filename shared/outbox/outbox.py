"""Appends parcels of records to the caller's transaction, and as a component relays them.

The relay claims parcels and deletes what Kafka acknowledged. It never reads by "id greater than the last one":
concurrent commits make holes that fill later. Order per key holds because whoever appends holds the subject's row lock,
so the parcels that hold one key are given their ids in commit order. It publishes inside a transaction that holds the
shard's row lock: when the process dies, the lock dies with its connection; when it hangs, Postgres ends the idle
transaction. Both ways another process takes over, and what was published twice is dropped by the receivers' sequences.

After a round it rests for as long as the round took: the busier the machine, the fuller the batches.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from shared.clock import monotonic, real_now
from shared.contracts.envelope import Event, encode
from shared.contracts.payload import Payload
from shared.contracts.topics import Topic
from shared.errors import Retryable
from shared.kafka.records import Publisher
from shared.outbox.parcels import SHARDS, EncodedRecord, pack, unpack
from shared.postgres.database import Connection, Database
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import OUTBOX_BACKLOG, OUTBOX_FAILURES, OUTBOX_PUBLISHED, OUTBOX_SECONDS
from shared.waiting import backoff_seconds

_log = get_logger(__name__)

_MOST_RECORDS = 2000
_MOST_BYTES = 8_000_000
"""What a transaction of the relay takes: the whole of it is repeated when it fails, and has 5 s to be acknowledged."""
_MOST_PARCELS = 2000  # services that append event by event make parcels of one
_POLL_SECONDS = 0.25  # only rows of a process that died before publishing them wait for it
_BUSY_SECONDS = 0.02  # another process publishes the shard, and may have looked before our rows were there
_LONGEST_REST_SECONDS = 0.05
_COUNT_LIMIT = 100_000
_COUNT_SECONDS = 1.0

_INSERT = """
INSERT INTO outbox (shard, topic, header_names, lengths, body, records) VALUES ($1, $2, $3, $4, $5, $6)
"""
_LOCK_SHARD = "SELECT true FROM outbox_shard WHERE shard = $1 FOR UPDATE SKIP LOCKED"
_SELECT = """
SELECT id, topic, header_names, lengths, body, records, created_at
FROM (
    SELECT
        first.*,
        sum(records) OVER (ORDER BY id) - records AS records_before,
        sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS bytes_before
    FROM (SELECT * FROM outbox WHERE shard = $1 ORDER BY id LIMIT $2) AS first
) AS parcel
WHERE records_before < $3 AND bytes_before < $4
ORDER BY id
"""
_DELETE = "DELETE FROM outbox WHERE shard = $1 AND id = ANY($2::bigint[])"
_COUNT = "SELECT coalesce(sum(records), 0) FROM (SELECT records FROM outbox LIMIT $1) AS waiting"


@dataclass(frozen=True, slots=True)
class _Round:
    """What a transaction of the relay did.

    Attributes:
        is_all: nothing was left over that was committed before it began.
        is_busy: another process has the shard; it publishes ours too, or leaves them.
    """

    records: int = 0
    is_all: bool = True
    is_busy: bool = False


class Outbox:
    """The outbox of one service's schema, and as a component its relay."""

    def __init__(self, database: Database, publisher: Publisher, service: str) -> None:
        self._database = database
        self._publisher = publisher
        self._service = service
        self._wakes = [asyncio.Event() for _ in range(SHARDS)]
        self._troubles: dict[int, str] = {}
        self._backlog = 0

    async def append(self, connection: Connection, topic: Topic, events: Iterable[Event[Payload]]) -> None:
        """Add events to the caller's transaction, in order; they are published once it has committed.

        One is packed before the next is asked for: the collector need not walk over what is gone by then.

        Args:
            connection: inside ``Database.transaction()``. The caller holds the subjects' row locks.
        """
        await self.append_encoded(connection, topic, map(encode, events))

    async def append_encoded(self, connection: Connection, topic: Topic, records: Iterable[EncodedRecord]) -> None:
        """The same for records that are bytes already.

        Raises:
            ValueError: a header holds a zero byte.
        """
        await self.append_together(connection, {topic: records})

    async def append_together(self, connection: Connection, records: Mapping[Topic, Iterable[EncodedRecord]]) -> None:
        """The same for several topics in one round trip."""
        rows = [
            (parcel.shard, topic.name, parcel.header_names, parcel.packed_lengths, parcel.body, parcel.records)
            for topic, ones in records.items()
            for parcel in pack(ones)
        ]
        if len(rows) == 1:
            await connection.execute(_INSERT, *rows[0])
        elif rows:
            await connection.executemany(_INSERT, rows)
        for shard in {row[0] for row in rows}:
            self._database.after_commit(connection, self._wakes[shard].set)

    def backlog(self) -> int:
        """Records not yet published, of up to 100,000 parcels, as of the last second."""
        return self._backlog

    def trouble(self) -> str | None:
        """Why nothing is published right now; None when all is well. For readiness."""
        return next((trouble for trouble in self._troubles.values()), None)

    async def run(self, stopping: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            for shard in range(SHARDS):
                tasks.create_task(self._relay(shard, stopping))
            tasks.create_task(self._count(stopping))

    async def run_once(self) -> int:
        """Publish what is waiting in every shard, up to the limits of a transaction; gives the number of records."""
        return sum([(await self._publish(shard)).records for shard in range(SHARDS)])

    async def _relay(self, shard: int, stopping: asyncio.Event) -> None:
        failures = 0
        wake = self._wakes[shard]
        while True:
            is_last = stopping.is_set()
            wake.clear()
            begun_at = monotonic()
            try:
                done = await self._publish_all(shard)
                failures = 0
                self._troubles.pop(shard, None)
            except Retryable as error:
                failures += 1
                self._troubles[shard] = str(error)
                OUTBOX_FAILURES.labels(self._service).inc()
                _log.warning("publishing failed, will repeat", shard=shard, failures=failures, error=str(error))
                done = None
            if is_last:
                return
            if done is None:
                await _first_of(stopping, None, backoff_seconds(failures))
            elif done.is_busy:
                await _first_of(stopping, None, _BUSY_SECONDS)
            else:
                if done.records:  # many tiny batches cost Kafka, Postgres and us more than full ones
                    await _first_of(stopping, None, min(_LONGEST_REST_SECONDS, monotonic() - begun_at))
                await _first_of(stopping, wake, _POLL_SECONDS)

    async def _publish_all(self, shard: int) -> _Round:
        """What was committed before is published afterwards; what is committed meanwhile has set the wake-up again."""
        records = 0
        while True:
            done = await self._publish(shard)
            records += done.records
            if done.is_all:
                return replace(done, records=records)

    async def _publish(self, shard: int) -> _Round:
        async with self._database.transaction() as connection:
            if not await connection.fetchval(_LOCK_SHARD, shard):
                return _Round(is_busy=True)
            parcels = await connection.fetch(_SELECT, shard, _MOST_PARCELS, _MOST_RECORDS, _MOST_BYTES)
            if not parcels:
                return _Round()
            await self._publisher.publish(
                [
                    record
                    for parcel in parcels
                    for record in unpack(parcel["topic"], parcel["header_names"], parcel["lengths"], parcel["body"])
                ]
            )
            await connection.execute(_DELETE, shard, [parcel["id"] for parcel in parcels])
        now = real_now()
        counts: Counter[str] = Counter()
        for parcel in parcels:
            counts[parcel["topic"]] += parcel["records"]
        for topic, count in counts.items():
            OUTBOX_PUBLISHED.labels(self._service, topic).inc(count)
        OUTBOX_SECONDS.labels(self._service).observe((now - parcels[0]["created_at"]).total_seconds())
        is_cut = (
            len(parcels) >= _MOST_PARCELS
            or counts.total() >= _MOST_RECORDS
            or sum(len(parcel["body"]) for parcel in parcels) >= _MOST_BYTES
        )
        return _Round(counts.total(), is_all=not is_cut)

    async def _count(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                async with self._database.connection() as connection:
                    self._backlog = await connection.fetchval(_COUNT, _COUNT_LIMIT)
                OUTBOX_BACKLOG.labels(self._service).set(self._backlog)
            except Retryable:
                pass  # the relay reports the same trouble
            await _first_of(stopping, None, _COUNT_SECONDS)


async def _first_of(stopping: asyncio.Event, wake: asyncio.Event | None, timeout_seconds: float) -> None:
    """Wait until one of the events is set or the time has passed."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stopping, wake) if event is not None]
    try:
        await asyncio.wait(waits, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
