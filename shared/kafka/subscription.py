"""A consumer group whose positions are kept elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import aiokafka
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from shared.errors import BrokerUnavailable
from shared.kafka.records import Assigned, Record, Revoked, TopicPartition
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_RETRY_SECONDS = 0.5
_SAY_EVERY = 20
_ENDS_SECONDS = 10.0

Batches = dict[aiokafka.TopicPartition, list[Any]]


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
        self._placed: frozenset[aiokafka.TopicPartition] = frozenset()
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
        self._consumer.subscribe(self._topics, listener=_Listener(self._consumer, assigned, revoked, self._on_placed))
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

    def _on_placed(self, partitions: frozenset[aiokafka.TopicPartition]) -> None:
        self._placed = partitions

    async def poll(self, *, timeout_seconds: float, max_records: int) -> Mapping[TopicPartition, Sequence[Record]]:
        try:
            batches = await self._shares(max_records)
            if not batches:
                batches = await self._consumer.getmany(timeout_ms=int(timeout_seconds * 1000), max_records=max_records)
        except KafkaError as error:
            raise BrokerUnavailable(f"polling failed: {type(error).__name__}") from error
        return {
            TopicPartition(where.topic, where.partition): [
                Record(r.topic, r.partition, r.offset, r.key, r.value, tuple(r.headers)) for r in records
            ]
            for where, records in batches.items()
            if where in self._placed
        }

    async def _shares(self, max_records: int) -> Batches:
        """What has come already; asked for all at once, the client would give the first partition's records only."""
        batches: Batches = {}
        placed = self._placed
        for where in placed:
            try:
                taken = await self._consumer.getmany(where, max_records=max(1, max_records // len(placed)))
            except KafkaError:
                if batches and self._placed is placed:  # they were taken and must be handled; the error comes again
                    return batches
                raise
            if self._placed is not placed:  # a rebalance came in between: what was taken before it is read again
                return cast("Batches", taken)
            batches |= taken
        return batches

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

    async def ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        wanted = [aiokafka.TopicPartition(*where) for where in partitions]
        try:
            async with asyncio.timeout(_ENDS_SECONDS):
                ends = await self._consumer.end_offsets(wanted)
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerUnavailable(f"Kafka did not tell the ends: {type(error).__name__}") from error
        return {TopicPartition(where.topic, where.partition): end for where, end in ends.items()}

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
    """Between the client's own assignment and the first seek, it would read from wherever the mirror points to."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assigned: Assigned,
        revoked: Revoked,
        placed: Callable[[frozenset[aiokafka.TopicPartition]], None],
    ) -> None:
        self._consumer = consumer
        self._assigned = assigned
        self._revoked = revoked
        self._placed = placed

    async def on_partitions_revoked(self, revoked: set[aiokafka.TopicPartition]) -> None:
        self._placed(frozenset())
        await self._revoked([TopicPartition(where.topic, where.partition) for where in revoked])

    async def on_partitions_assigned(self, assigned: set[aiokafka.TopicPartition]) -> None:
        self._consumer.pause(*assigned)
        positions = await self._assigned([TopicPartition(where.topic, where.partition) for where in assigned])
        for where, position in positions.items():
            self._consumer.seek(aiokafka.TopicPartition(*where), position)
        self._placed(frozenset(assigned))
        self._consumer.resume(*assigned)
