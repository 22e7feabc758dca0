"""Who owns a partition: an epoch in Postgres that only grows, checked under a row lock by every transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType

from shared.errors import Fenced
from shared.inbox.exclusion import PartitionLocks
from shared.kafka.records import TopicPartition
from shared.postgres.database import Connection, Database, Record
from shared.telemetry.metrics import FENCED, PARTITIONS_OWNED, TAKEOVERS

_TAKE = """
INSERT INTO inbox_position (topic, partition, epoch, owner, taken_at)
SELECT topic, partition, 1, $3, clock_timestamp()
FROM unnest($1::text[], $2::integer[]) AS wanted (topic, partition)
ORDER BY topic, partition
ON CONFLICT (topic, partition) DO UPDATE
SET epoch = inbox_position.epoch + 1, owner = excluded.owner, taken_at = excluded.taken_at
RETURNING topic, partition, epoch, next_offset
"""
_RESUME = """
UPDATE inbox_position SET epoch = inbox_position.epoch + 1, taken_at = clock_timestamp()
FROM (SELECT topic, partition FROM inbox_position WHERE owner = $1 ORDER BY topic, partition FOR UPDATE) AS mine
WHERE inbox_position.topic = mine.topic AND inbox_position.partition = mine.partition
RETURNING inbox_position.topic, inbox_position.partition, epoch, next_offset
"""
_LOOK = """
SELECT topic, partition, epoch, next_offset FROM inbox_position
WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::integer[]))
ORDER BY topic, partition
"""
_CHECK = f"{_LOOK} FOR UPDATE"


class Ownership:
    """The epochs this process holds. Shared by its consumer and its ticker."""

    def __init__(self, database: Database, service: str, owner: str) -> None:
        """Args:
        owner: names the process: the same after a restart, and never that of another process.
        """
        self._database = database
        self._service = service
        self._owner = owner
        self._epochs: dict[TopicPartition, int] = {}
        self._topics: set[str] = set()
        self._callbacks: list[Callable[[], None]] = []
        self._locks = PartitionLocks()

    @property
    def epochs(self) -> Mapping[TopicPartition, int]:
        return MappingProxyType(self._epochs)

    def partitions(self, topic: str) -> frozenset[int]:
        return frozenset(where.partition for where in self._epochs if where.topic == topic)

    def epochs_of(self, topic: str) -> dict[int, int]:
        """The epochs held of one topic, by partition."""
        return {where.partition: epoch for where, epoch in self._epochs.items() if where.topic == topic}

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called after partitions came or went."""
        self._callbacks.append(callback)

    async def take(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Raise the epochs; from its commit on no former owner can write. Gives the offsets to go on from.

        Raises:
            DatabaseUnavailable: nothing was taken, or it is unknown; take again.
        """
        if not partitions:
            return {}
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                _TAKE, [p.topic for p in partitions], [p.partition for p in partitions], self._owner
            )
        return self._note(rows)

    async def resume(self) -> dict[TopicPartition, int]:
        """Take the partitions that were last taken by this process's name; gives the offsets to go on from.

        A restarted process fires its timers at once instead of after Kafka's group has answered. That is safe because
        Kafka's word never made an owner: the epoch does. Where another process has taken a partition meanwhile, its
        name stands in the row, and it is not ours to resume. Where the group gives it to another one later, that one
        raises the epoch, and our next transaction is refused. Where it is given to us, taking it raises the epoch
        once more, which a transaction in hand notices and repeats. What the group does not give to us is dropped
        when its answer comes.

        Raises:
            DatabaseUnavailable: nothing was taken, or it is unknown; resume again, or wait for the group.
        """
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_RESUME, self._owner)
        return self._note(rows)

    def drop(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget partitions that were revoked or lost."""
        for where in list(partitions):
            self._epochs.pop(where, None)
        self._changed()

    def exclusive(self, partitions: Iterable[TopicPartition]) -> AbstractAsyncContextManager[None]:
        """Keep this process's other tasks off the partitions; hold it around a transaction, never inside one.

        The consumer holds it until all callbacks after its commit have run, so that what a task remembers of the
        partition's rows under it is what Postgres has. Not reentrant.
        """
        return self._locks.hold(partitions)

    async def check(self, connection: Connection, topic: str, partition: int) -> int:
        """Lock one partition's row for the rest of the transaction; gives its next offset.

        Raises:
            Fenced: this process does not own the partition, or no longer.
        """
        where = TopicPartition(topic, partition)
        return (await self.check_all(connection, [where]))[where]

    async def check_all(
        self,
        connection: Connection,
        partitions: Sequence[TopicPartition],
        epochs: Mapping[TopicPartition, int] | None = None,
    ) -> dict[TopicPartition, int]:
        """The same for several, locked in one order everywhere; gives the next offset of each.

        Args:
            epochs: the ones the work was begun under, where it must not go on under a newer one of our own.

        Raises:
            Fenced: names the first that this process does not own; the others may be fine.
        """
        return await self._compare(_CHECK, connection, partitions, self._epochs if epochs is None else epochs)

    async def look(self, connection: Connection, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """See that partitions are ours, in a transaction that only reads; gives the epoch of each.

        Another process may take them meanwhile, and they may be revoked while this waits for Postgres: what was read
        under the epochs is worth something only while ``epochs`` has the same.

        Raises:
            Fenced: names the first that this process does not own.
        """
        held = {where: epoch for where in partitions if (epoch := self._epochs.get(where)) is not None}
        await self._compare(_LOOK, connection, partitions, held)
        return held

    async def _compare(
        self,
        statement: str,
        connection: Connection,
        partitions: Sequence[TopicPartition],
        known: Mapping[TopicPartition, int],
    ) -> dict[TopicPartition, int]:
        held = {where: known.get(where) for where in partitions}
        self._refuse([where for where, epoch in held.items() if epoch is None])
        rows = await connection.fetch(statement, [p.topic for p in partitions], [p.partition for p in partitions])
        found = {TopicPartition(row["topic"], row["partition"]): row for row in rows}
        self._refuse([where for where, epoch in held.items() if where not in found or found[where]["epoch"] != epoch])
        return {where: row["next_offset"] for where, row in found.items()}

    def _note(self, rows: Sequence[Record]) -> dict[TopicPartition, int]:
        positions: dict[TopicPartition, int] = {}
        for row in rows:
            where = TopicPartition(row["topic"], row["partition"])
            self._epochs[where] = row["epoch"]
            positions[where] = row["next_offset"]
            TAKEOVERS.labels(self._service, where.topic).inc()
        self._changed()
        return positions

    def _refuse(self, lost: Sequence[TopicPartition]) -> None:
        if lost:
            FENCED.labels(self._service, lost[0].topic).inc()
            raise Fenced(*lost[0])

    def _changed(self) -> None:
        self._topics |= {where.topic for where in self._epochs}
        for topic in self._topics:
            PARTITIONS_OWNED.labels(self._service, topic).set(len(self.partitions(topic)))
        for callback in self._callbacks:
            callback()
