"""Reads a topic from one end to the other, outside any group; for people and audits, not for services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiokafka
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from shared.errors import BrokerUnavailable
from shared.kafka.records import Record, TopicPartition


@asynccontextmanager
async def _consumer(bootstrap: str, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
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
    """Every record that was there when the reading began; in order within a partition.

    Raises:
        BrokerUnavailable: Kafka did not answer.
    """
    async with _consumer(bootstrap, topic) as consumer:
        partitions = list(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.beginning_offsets(partitions)
        unread = {partition for partition in partitions if starts[partition] < ends[partition]}
        while unread:
            for partition, records in (await consumer.getmany(timeout_ms=1000)).items():
                for record in records:
                    if record.offset < ends[partition]:
                        yield _record(record)
            # Compaction leaves holes, so the position decides, not the count.
            unread = {partition for partition in unread if await consumer.position(partition) < ends[partition]}


async def read_record(bootstrap: str, where: TopicPartition, offset: int) -> Record | None:
    """The record at an offset; None when it has expired or was compacted away."""
    async with _consumer(bootstrap) as consumer:
        partition = aiokafka.TopicPartition(*where)
        consumer.assign([partition])
        if offset >= (await consumer.end_offsets([partition]))[partition]:
            return None
        consumer.seek(partition, offset)
        for record in (await consumer.getmany(timeout_ms=5000, max_records=1)).get(partition, ()):
            if record.offset == offset:
                return _record(record)
    return None


def _record(record: Any) -> Record:
    return Record(record.topic, record.partition, record.offset, record.key, record.value, tuple(record.headers))
