"""Reads a topic from one end to the other, outside any group; for people and audits, not for services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiokafka
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from shared.errors import BrokerUnavailable
from shared.kafka.records import Record, TopicPartition


@asynccontextmanager
async def _consumer(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    try:
        await consumer.start()
    except (KafkaError, OSError) as error:
        await consumer.stop()
        raise BrokerUnavailable(f"Kafka at {bootstrap} did not answer: {type(error).__name__}") from error
    try:
        yield consumer
    finally:
        await consumer.stop()


async def read_topic(bootstrap: str, topic: str) -> AsyncIterator[Record]:
    """Every record that was there when the reading began, partition by partition.

    Raises:
        BrokerUnavailable: Kafka did not answer.
    """
    async with _consumer(bootstrap) as consumer:
        numbers = await _partitions(consumer, topic)
        where = [aiokafka.TopicPartition(topic, number) for number in numbers]
        consumer.assign(where)
        ends = await consumer.end_offsets(where)
        starts = await consumer.beginning_offsets(where)
        for partition in where:
            position, end = starts[partition], ends[partition]
            consumer.assign([partition])
            consumer.seek(partition, position)
            while position < end:
                for record in (await consumer.getmany(timeout_ms=1000)).get(partition, ()):
                    if record.offset < end:
                        yield Record(
                            topic, record.partition, record.offset, record.key, record.value, tuple(record.headers)
                        )
                # Compaction leaves holes, so the position decides, not the count.
                position = await consumer.position(partition)


async def read_record(bootstrap: str, where: TopicPartition, offset: int) -> Record | None:
    """The record at an offset; None when it has expired or was compacted away."""
    async with _consumer(bootstrap) as consumer:
        partition = aiokafka.TopicPartition(*where)
        if where.partition not in await _partitions(consumer, where.topic):
            return None
        consumer.assign([partition])
        if offset >= (await consumer.end_offsets([partition]))[partition]:
            return None
        consumer.seek(partition, offset)
        for record in (await consumer.getmany(timeout_ms=5000, max_records=1)).get(partition, ()):
            if record.offset == offset:
                return Record(*where, offset, record.key, record.value, tuple(record.headers))
    return None


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    await consumer.topics()  # fetches the metadata
    return sorted(consumer.partitions_for_topic(topic) or ())
