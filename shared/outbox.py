"""The transactional outbox: events are rows of the transaction that caused them; a relay publishes them afterwards.

The relay claims rows and deletes what Kafka acknowledged. It never reads by "id greater than the last one": concurrent
commits make holes that fill later. Order per key holds because whoever appends holds the subject's row lock, so ids of
one key are given in commit order. It publishes inside a transaction that holds the shard's row lock: when the process
dies, the lock dies with its connection; when it hangs, Postgres ends the idle transaction. Both ways another process
takes over, and what was published twice is dropped by the receivers' sequences.
"""

from __future__ import annotations

import asyncio
import json
import random
import zlib
from collections.abc import Sequence
from typing import Any

from shared.clock import real_now
from shared.contracts.envelope import Event, encode
from shared.contracts.payload import Payload
from shared.contracts.topics import Topic
from shared.errors import Retryable
from shared.kafka.records import OutgoingRecord, Publisher
from shared.postgres.database import Connection, Database
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import OUTBOX_BACKLOG, OUTBOX_FAILURES, OUTBOX_PUBLISHED, OUTBOX_SECONDS

_log = get_logger(__name__)

SHARDS = 2  # one publishes while the other waits for Postgres; more only add smaller batches
_BATCH = 1000
_POLL_SECONDS = 0.25  # backs up the wake-up; only rows of a process that died before waking anyone wait for it
_COUNT_LIMIT = 100_000
_COUNT_SECONDS = 1.0

_INSERT = """
INSERT INTO outbox (shard, topic, record_key, record_value, headers)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::bytea[], $4::bytea[], $5::text[])
"""
_LOCK_SHARD = "SELECT true FROM outbox_shard WHERE shard = $1 FOR UPDATE SKIP LOCKED"
_SELECT = """
SELECT id, topic, record_key, record_value, headers, created_at FROM outbox WHERE shard = $1 ORDER BY id LIMIT $2
"""
_DELETE = "DELETE FROM outbox WHERE shard = $1 AND id = ANY($2::bigint[])"
_COUNT = "SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS waiting"


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
        if not events:
            return
        rows = [_row(topic, event) for event in events]
        await connection.execute(_INSERT, *map(list, zip(*rows, strict=True)))

    def wake(self) -> None:
        """Publish now what was committed; call after the commit."""
        for event in self._wakes:
            event.set()

    def backlog(self) -> int:
        """Rows not yet published, up to 100,000, as of the last second."""
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
        """Publish what is waiting in every shard; gives the number of rows."""
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
            rows = await connection.fetch(_SELECT, shard, _BATCH)
            if not rows:
                return 0
            await self._publisher.publish([_outgoing(row) for row in rows])
            await connection.execute(_DELETE, shard, [row["id"] for row in rows])
        now = real_now()
        for row in rows:
            OUTBOX_PUBLISHED.labels(self._service, row["topic"]).inc()
        OUTBOX_SECONDS.labels(self._service).observe((now - rows[0]["created_at"]).total_seconds())
        return len(rows)

    async def _count(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                async with self._database.connection() as connection:
                    self._backlog = await connection.fetchval(_COUNT, _COUNT_LIMIT)
                OUTBOX_BACKLOG.labels(self._service).set(self._backlog)
            except Retryable:
                pass  # the relay reports the same trouble
            await _first_of(stopping, None, _COUNT_SECONDS)


def _row(topic: Topic, event: Event[Payload]) -> tuple[int, str, bytes, bytes, str]:
    key, value, headers = encode(event)
    return _shard(key), topic.name, key, value, json.dumps({name: text.decode() for name, text in headers})


def _shard(key: bytes) -> int:
    return zlib.crc32(key) % SHARDS


def _outgoing(row: Any) -> OutgoingRecord:
    headers = tuple((name, text.encode()) for name, text in json.loads(row["headers"]).items())
    return OutgoingRecord(row["topic"], row["record_key"], row["record_value"], headers)


async def _first_of(stopping: asyncio.Event, wake: asyncio.Event | None, timeout_seconds: float) -> None:
    """Wait until one of the events is set or the time has passed."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stopping, wake) if event is not None]
    try:
        await asyncio.wait(waits, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
