"""Appends parcels of records to the caller's transaction, and as a component relays them.

The relay claims parcels and deletes what Kafka acknowledged. It never reads by "id greater than the last one":
concurrent commits make holes that fill later. Order per key holds because whoever appends holds the subject's row lock,
so the parcels that hold one key are given their ids in commit order. It publishes inside a transaction that holds the
shard's row lock: when the process dies, the lock dies with its connection; when it hangs, Postgres ends the idle
transaction. Both ways another process takes over, and what was published twice is dropped by the receivers' sequences.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence

from shared.clock import real_now
from shared.contracts.envelope import Event, encode
from shared.contracts.payload import Payload
from shared.contracts.topics import Topic
from shared.errors import Retryable
from shared.kafka.records import Publisher
from shared.outbox.parcels import SHARDS, EncodedRecord, pack, unpack
from shared.postgres.database import Connection, Database
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import OUTBOX_BACKLOG, OUTBOX_FAILURES, OUTBOX_PUBLISHED, OUTBOX_SECONDS

_log = get_logger(__name__)

_MOST_RECORDS = 2000
_MOST_BYTES = 8_000_000
"""What a transaction of the relay takes: the whole of it is repeated when it fails, and has 5 s to be acknowledged."""
_MOST_PARCELS = 2000  # services that append event by event make parcels of one
_POLL_SECONDS = 0.25  # backs up the wake-up; only rows of a process that died before waking anyone wait for it
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


class Outbox:
    """The outbox of one service's schema, and as a component its relay."""

    def __init__(self, database: Database, publisher: Publisher, service: str) -> None:
        self._database = database
        self._publisher = publisher
        self._service = service
        self._wakes = [asyncio.Event() for _ in range(SHARDS)]
        self._troubles: dict[int, str] = {}
        self._backlog = 0

    async def append(self, connection: Connection, topic: Topic, events: Sequence[Event[Payload]]) -> None:
        """Add events to the caller's transaction, in order. The caller holds the subjects' row locks."""
        await self.append_encoded(connection, topic, [encode(event) for event in events])

    async def append_encoded(self, connection: Connection, topic: Topic, records: Iterable[EncodedRecord]) -> None:
        """The same for records that are bytes already.

        Raises:
            ValueError: a header holds a zero byte.
        """
        rows = [(p.shard, topic.name, p.header_names, p.packed_lengths, p.body, p.records) for p in pack(records)]
        if len(rows) == 1:
            await connection.execute(_INSERT, *rows[0])
        elif rows:
            await connection.executemany(_INSERT, rows)

    def wake(self) -> None:
        """Publish now what was committed; call after the commit."""
        for event in self._wakes:
            event.set()

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
        return sum([await self._publish(shard) for shard in range(SHARDS)])

    async def _relay(self, shard: int, stopping: asyncio.Event) -> None:
        failures = 0
        wake = self._wakes[shard]
        while True:
            is_last = stopping.is_set()
            wake.clear()
            try:
                while await self._publish(shard):
                    pass
                failures = 0
                self._troubles.pop(shard, None)
            except Retryable as error:
                failures += 1
                self._troubles[shard] = str(error)
                OUTBOX_FAILURES.labels(self._service).inc()
                _log.warning("publishing failed, will repeat", shard=shard, failures=failures, error=str(error))
            if is_last:
                return
            pause = min(5.0, 0.1 * 2**failures) * random.uniform(0.5, 1.0) if failures else _POLL_SECONDS  # noqa: S311
            await _first_of(stopping, None if failures else wake, pause)

    async def _publish(self, shard: int) -> int:
        async with self._database.transaction() as connection:
            if not await connection.fetchval(_LOCK_SHARD, shard):
                return 0  # another process is publishing this shard right now
            parcels = await connection.fetch(_SELECT, shard, _MOST_PARCELS, _MOST_RECORDS, _MOST_BYTES)
            if not parcels:
                return 0
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
        return counts.total()

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
