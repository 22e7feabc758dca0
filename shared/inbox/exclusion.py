"""Turns of this process's own tasks on a partition: one transaction at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from shared.kafka.records import TopicPartition


class PartitionLocks:
    """A lock per partition, taken in one order everywhere, so that two takers never wait for each other in a ring.

    The row lock in Postgres keeps other processes out and would keep our own tasks apart as well, but each that waits
    for it occupies a connection. These locks also cover what is done in memory after the commit. Waiters are served in
    the order they came.
    """

    def __init__(self) -> None:
        self._locks: dict[TopicPartition, asyncio.Lock] = {}

    @asynccontextmanager
    async def hold(self, partitions: Iterable[TopicPartition]) -> AsyncIterator[None]:
        """Not reentrant: whoever holds a partition must not ask for it again."""
        held: list[asyncio.Lock] = []
        try:
            for where in sorted(set(partitions)):
                lock = self._locks.setdefault(where, asyncio.Lock())
                await lock.acquire()
                held.append(lock)
            yield
        finally:
            for lock in reversed(held):
                lock.release()
