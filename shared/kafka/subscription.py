"""A consumer group whose positions are kept elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import aiokafka
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from shared.errors import BrokerUnavailable
from shared.kafka.records import Assigned, Record, Revoked, TopicPartition
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_RETRY_SECONDS = 0.5
_SAY_EVERY = 20


class KafkaSubscription:
    """Reads bytes only, so that an unreadable record cannot pin its partition.

    Args:
        member: a name that stays the same over restarts of this process; a restarted member gets its partitions back at
            once instead of after the session timeout.
    """

    def __init__(
        self, bootstrap: str, topics: Sequence[str], *, group: str, member: str, session_timeout_seconds: float = 10.0
    ) -> None:
        self._topics = list(topics)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            group_instance_id=member,
            client_id=member,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(session_timeout_seconds * 1000),
            heartbeat_interval_ms=int(session_timeout_seconds * 1000 / 4),
            rebalance_timeout_ms=10_000,
            max_poll_interval_ms=600_000,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=250,
            metadata_max_age_ms=10_000,
            retry_backoff_ms=100,
        )

    async def start(self, assigned: Assigned, revoked: Revoked) -> None:
        self._consumer.subscribe(self._topics, listener=_Listener(self._consumer, assigned, revoked))
        failures = 0
        while True:  # a front door may serve without Kafka, so waiting never ends the process
            try:
                await self._consumer.start()
            except (KafkaError, OSError) as error:
                failures += 1
                if failures % _SAY_EVERY == 1:
                    _log.warning("waiting for Kafka", error=type(error).__name__, failures=failures)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def poll(self, *, timeout_seconds: float, max_records: int) -> Mapping[TopicPartition, Sequence[Record]]:
        try:
            batches = await self._consumer.getmany(timeout_ms=int(timeout_seconds * 1000), max_records=max_records)
        except KafkaError as error:
            raise BrokerUnavailable(f"polling failed: {type(error).__name__}") from error
        return {
            TopicPartition(where.topic, where.partition): [
                Record(r.topic, r.partition, r.offset, r.key, r.value, tuple(r.headers)) for r in records
            ]
            for where, records in batches.items()
        }

    async def mirror(self, positions: Mapping[TopicPartition, int]) -> None:
        offsets = {
            aiokafka.TopicPartition(*where): position
            for where, position in positions.items()
            if aiokafka.TopicPartition(*where) in self._consumer.assignment()
        }
        if offsets:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(5):
                    await self._consumer.commit(offsets)

    def lag(self, partition: TopicPartition, position: int) -> int | None:
        with suppress(KafkaError, AssertionError):
            end = self._consumer.highwater(aiokafka.TopicPartition(*partition))
            return None if end is None else max(0, end - position)
        return None

    async def stop(self) -> None:
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(8):
                await self._consumer.stop()


class _Listener(aiokafka.ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: AIOKafkaConsumer, assigned: Assigned, revoked: Revoked) -> None:
        self._consumer = consumer
        self._assigned = assigned
        self._revoked = revoked

    async def on_partitions_revoked(self, revoked: set[aiokafka.TopicPartition]) -> None:
        await self._revoked([TopicPartition(where.topic, where.partition) for where in revoked])

    async def on_partitions_assigned(self, assigned: set[aiokafka.TopicPartition]) -> None:
        positions = await self._assigned([TopicPartition(where.topic, where.partition) for where in assigned])
        for where, position in positions.items():
            self._consumer.seek(aiokafka.TopicPartition(*where), position)
