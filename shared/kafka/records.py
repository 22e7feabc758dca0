"""What goes over the wire, and the two narrow interfaces the rest of the system sees of a broker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, bytes], ...]
"""Names and values. Kafka allows a null value, so what is read must not be trusted to be bytes."""


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Record(NamedTuple):
    """A record read from a partition."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class OutgoingRecord(NamedTuple):
    """A record to be written; records with the same key keep their order."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers


class Publisher(Protocol):
    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """Return when all are acknowledged by all in-sync replicas.

        Raises:
            BrokerUnavailable: some may be written nevertheless; publish all of them again.
        """


Assigned = Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
"""Called with newly assigned partitions; gives the offset at which each goes on."""

Revoked = Callable[[Sequence[TopicPartition]], Awaitable[None]]


class Subscription(Protocol):
    async def start(self, assigned: Assigned, revoked: Revoked) -> None:
        """Join the group."""

    async def poll(self, *, timeout_seconds: float, max_records: int) -> Mapping[TopicPartition, Sequence[Record]]:
        """What has come, per partition in offset order; empty after the timeout.

        Every partition has its share of the records. Nothing comes of a partition before its position was given. The
        records are taken and returned without another task running in between, so that the caller can tell under which
        assignment they were read.
        """

    async def mirror(self, positions: Mapping[TopicPartition, int]) -> None:
        """Tell the broker the positions, for lag monitoring only. A failure is not an error."""

    async def ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset that the next record of each partition will have.

        Raises:
            BrokerUnavailable: they are not known now.
        """

    def lag(self, partition: TopicPartition, position: int) -> int | None:
        """Records between the position and the end; None while the end is unknown."""

    async def stop(self) -> None:
        """Leave the group."""
