"""Whatever is published comes out as it went in, in order per key, on the in-memory broker and on Kafka."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from shared.contracts.topics import NOTICES
from shared.errors import BrokerUnavailable
from shared.ids import new_id
from shared.kafka import KafkaPublisher, OutgoingRecord, Publisher, Record, ensure_topics, read_topic
from shared.testing.broker import InMemoryBroker


class Memory:
    def __init__(self) -> None:
        self._broker = InMemoryBroker(partitions=4)

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator[Publisher]:
        yield self._broker.publisher()

    async def written(self) -> Sequence[Record]:
        return self._broker.log(NOTICES.name)


class Kafka:
    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator[Publisher]:
        publisher = KafkaPublisher(self._bootstrap, "conformance")
        yield publisher
        await publisher.close()

    async def written(self) -> Sequence[Record]:
        return [record async for record in read_topic(self._bootstrap, NOTICES.name)]


@pytest.fixture(params=["memory", "kafka"])
async def broker(request: pytest.FixtureRequest) -> Memory | Kafka:
    if request.param == "memory":
        return Memory()
    bootstrap = request.getfixturevalue("kafka_bootstrap")
    await ensure_topics(bootstrap, partitions=4, replication=1)
    return Kafka(bootstrap)


def record(key: str, value: bytes | None) -> OutgoingRecord:
    return OutgoingRecord(NOTICES.name, key.encode(), value, (("ce_id", key.encode()), ("ce_type", b"x")))


async def check(broker: Memory | Kafka, records: Sequence[OutgoingRecord]) -> None:
    """The topic on Kafka is shared by all cases, so each looks at its own keys only."""
    async with broker.publisher() as publisher:
        await publisher.publish(records)
    keys = {record.key for record in records}
    found: dict[bytes, list[OutgoingRecord]] = defaultdict(list)
    for r in await broker.written():
        if r.key in keys:
            found[r.key].append(OutgoingRecord(r.topic, r.key, r.value, r.headers))
    assert found == {key: [record for record in records if record.key == key] for key in keys}


async def test_keys_values_headers_and_tombstones_come_out_as_they_went_in(broker: Memory | Kafka) -> None:
    keys = [str(new_id()) for _ in range(20)]
    await check(broker, [record(key, value) for value in (b"one", None, b"", b"two") for key in keys])


async def test_a_record_larger_than_a_batch_goes_out_between_its_neighbours(broker: Memory | Kafka) -> None:
    key = str(new_id())
    await check(broker, [record(key, value) for value in (b"before", b"x" * 3_000_000, b"after")])


async def test_more_than_a_batch_for_one_partition_keeps_its_order(broker: Memory | Kafka) -> None:
    key = str(new_id())
    await check(broker, [record(key, b"%d " % number + b"x" * 10_000) for number in range(400)])


async def test_nothing_to_publish_is_no_error(broker: Memory | Kafka) -> None:
    async with broker.publisher() as publisher:
        await publisher.publish([])


async def test_a_broker_that_is_away_is_reported_within_the_deadline() -> None:
    publisher = KafkaPublisher("127.0.0.1:1", "conformance")
    with pytest.raises(BrokerUnavailable):
        await publisher.publish([record("key", b"value")])
    await publisher.close()
