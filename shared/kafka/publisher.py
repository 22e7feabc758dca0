"""The idempotent producer with a deadline of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.errors import BrokerUnavailable
from shared.kafka.partitions import partition_of
from shared.kafka.records import OutgoingRecord, TopicPartition
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_DEADLINE_SECONDS = 5.0  # with the ending below the 10 s of an idle transaction: the relay publishes inside one

Batch = Any
"""aiokafka's builder of a batch of records; the library is untyped."""


class KafkaPublisher:
    """Publishes whole batches, which cost a quarter of single sends, with ``acks=all`` and idempotence.

    With idempotence on, the client never gives up on a batch, and after an OutOfOrderSequence it never recovers. So
    each call has a deadline, and after any failure the producer is thrown away and a new one made.
    """

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                producer = await self._ready()
                await _send(producer, await _dealt(producer, records))
        except (KafkaError, OSError, TimeoutError) as error:
            await self._discard(producer)
            raise BrokerUnavailable(f"Kafka did not acknowledge: {type(error).__name__}") from error

    async def close(self) -> None:
        await self._discard(self._producer)

    async def _ready(self) -> AIOKafkaProducer:
        async with self._making:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    client_id=self._client_id,
                    enable_idempotence=True,
                    acks="all",
                    linger_ms=0,
                    max_batch_size=1024 * 1024,
                    max_request_size=4 * 1024 * 1024,
                    request_timeout_ms=5000,
                    retry_backoff_ms=50,
                    metadata_max_age_ms=30_000,
                )
                try:
                    await producer.start()
                except BaseException:
                    await _end(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self, producer: AIOKafkaProducer | None) -> None:
        if producer is None or producer is not self._producer:
            return  # another call has thrown it away already
        self._producer = None
        await _end(producer)


async def _dealt(
    producer: AIOKafkaProducer, records: Sequence[OutgoingRecord]
) -> dict[TopicPartition, list[OutgoingRecord]]:
    """The records by the partition of their key, as many partitions as the topic has now."""
    counts = {topic: len(await producer.partitions_for(topic)) for topic in {record.topic for record in records}}
    dealt: dict[TopicPartition, list[OutgoingRecord]] = {}
    for record in records:
        where = TopicPartition(record.topic, partition_of(record.key, counts[record.topic]))
        dealt.setdefault(where, []).append(record)
    return dealt


async def _send(producer: AIOKafkaProducer, dealt: dict[TopicPartition, list[OutgoingRecord]]) -> None:
    """Return when all are acknowledged. The second batch of a partition is handed over when its first is on its way."""
    acknowledgements: list[asyncio.Future[Any]] = []
    try:
        for turn in zip_longest(*(_batches(producer, records) for records in dealt.values())):
            for where, batch in zip(dealt, turn, strict=True):
                if batch is not None:
                    acknowledgements.append(await producer.send_batch(batch, where.topic, partition=where.partition))
        await asyncio.gather(*acknowledgements)
    finally:  # nobody will ask for the others after the first failure
        for acknowledgement in acknowledgements:
            if not acknowledgement.cancel() and not acknowledgement.cancelled():
                acknowledgement.exception()


def _batches(producer: AIOKafkaProducer, records: Sequence[OutgoingRecord]) -> Iterator[Batch]:
    batch = producer.create_batch()
    for record in records:
        headers = list(record.headers)
        if batch.append(timestamp=None, key=record.key, value=record.value, headers=headers) is None:
            yield batch
            batch = producer.create_batch()  # takes its first record whatever its size
            batch.append(timestamp=None, key=record.key, value=record.value, headers=headers)
    yield batch


async def _end(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, OSError, TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(2):
            await producer.stop()
            return
    # stop() waits for batches that may never be acknowledged; the sender must not go on behind our back.
    with suppress(KafkaError, OSError, TimeoutError, AttributeError):
        async with asyncio.timeout(2):
            await producer._sender.close()  # noqa: SLF001  the library has no other way to drop what is pending
            await producer.client.close()
    producer._closed = True  # noqa: SLF001  silences the warning of an unclosed producer, which it no longer is
