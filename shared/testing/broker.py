"""A broker in memory with the interfaces of ``shared.kafka``; the conformance tests run the same cases on both."""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from shared.errors import BrokerUnavailable
from shared.kafka.records import Assigned, OutgoingRecord, Record, Revoked, TopicPartition


class InMemoryBroker:
    """Logs per partition, and groups whose partitions are dealt out evenly whenever a member comes or goes."""

    def __init__(self, partitions: int = 4) -> None:
        self._partitions = partitions
        self._logs: dict[TopicPartition, list[Record]] = defaultdict(list)
        self._members: dict[str, list[InMemorySubscription]] = defaultdict(list)
        self._news = asyncio.Condition()
        self._dealing = asyncio.Lock()  # one rebalance at a time, or a partition is dealt to nobody
        self.is_down = False

    def publisher(self) -> InMemoryPublisher:
        return InMemoryPublisher(self)

    def subscription(self, topics: Sequence[str], *, group: str) -> InMemorySubscription:
        return InMemorySubscription(self, topics, group)

    def log(self, topic: str) -> list[Record]:
        """Every record of a topic, partition by partition."""
        return [record for where, log in sorted(self._logs.items()) if where.topic == topic for record in log]

    def end(self, where: TopicPartition) -> int:
        return len(self._logs[where])

    def read(self, where: TopicPartition, position: int, count: int) -> list[Record]:
        return self._logs[where][position : position + count]

    async def append(self, records: Sequence[OutgoingRecord]) -> None:
        if self.is_down:
            raise BrokerUnavailable("the broker is down")
        for record in records:
            where = TopicPartition(record.topic, zlib.crc32(record.key) % self._partitions)
            log = self._logs[where]
            log.append(Record(*where, len(log), record.key, record.value, record.headers))
        async with self._news:
            self._news.notify_all()

    async def wait_for_news(self, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds), self._news:
                await self._news.wait()
        except TimeoutError:
            return

    async def join(self, member: InMemorySubscription, group: str) -> None:
        async with self._dealing:
            self._members[group].append(member)
            await self._rebalance(group)

    async def leave(self, member: InMemorySubscription, group: str) -> None:
        async with self._dealing:
            self._members[group].remove(member)
            await member.assign([])
            await self._rebalance(group)

    async def _rebalance(self, group: str) -> None:
        members = self._members[group]
        for member in members:
            await member.assign([])
        for number, member in enumerate(members):
            mine = [p for p in range(self._partitions) if p % len(members) == number]
            await member.assign([TopicPartition(topic, p) for topic in member.topics for p in mine])


class InMemoryPublisher:
    def __init__(self, broker: InMemoryBroker) -> None:
        self._broker = broker

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        await self._broker.append(records)


class InMemorySubscription:
    def __init__(self, broker: InMemoryBroker, topics: Sequence[str], group: str) -> None:
        self._broker = broker
        self.topics = list(topics)
        self._group = group
        self._positions: dict[TopicPartition, int] = {}
        self.mirrored: dict[TopicPartition, int] = {}

    async def start(self, assigned: Assigned, revoked: Revoked) -> None:
        self._assigned, self._revoked = assigned, revoked
        await self._broker.join(self, self._group)

    async def assign(self, partitions: Sequence[TopicPartition]) -> None:
        if self._positions:
            await self._revoked(list(self._positions))
            self._positions = {}
        if partitions:
            self._positions = dict(await self._assigned(partitions))

    async def poll(self, *, timeout_seconds: float, max_records: int) -> Mapping[TopicPartition, Sequence[Record]]:
        found = self._take(max_records)
        if not found:
            await self._broker.wait_for_news(timeout_seconds)
            found = self._take(max_records)
        return found

    def _take(self, count: int) -> dict[TopicPartition, Sequence[Record]]:
        found: dict[TopicPartition, Sequence[Record]] = {}
        for where, position in self._positions.items():
            records = self._broker.read(where, position, max(1, count // len(self._positions)))
            if records:
                self._positions[where] = position + len(records)
                found[where] = records
        return found

    async def mirror(self, positions: Mapping[TopicPartition, int]) -> None:
        self.mirrored.update(positions)

    async def ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {where: self._broker.end(where) for where in partitions}

    def lag(self, partition: TopicPartition, position: int) -> int | None:
        return self._broker.end(partition) - position

    async def stop(self) -> None:
        await self._broker.leave(self, self._group)
