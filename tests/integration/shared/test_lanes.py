"""Several transactions at a time, and still each partition in order and nothing passed over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from shared.clock import ManualClock
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.topics import REQUESTS
from shared.errors import DatabaseUnavailable
from shared.ids import new_id
from shared.inbox import InboxConsumer, Received, Subject
from shared.inbox.bounds import BEYOND_END
from shared.kafka.records import TopicPartition
from shared.postgres import Connection, Database
from shared.testing.broker import InMemoryBroker
from shared.testing.plumbing import NOW, SERVICE, Member, handled, pause_event, wait_until

PARTITIONS = 4


@pytest.fixture
def broker() -> InMemoryBroker:
    return InMemoryBroker(partitions=PARTITIONS)


def member(database: Database, broker: InMemoryBroker) -> Member:
    return Member(database, broker.subscription([REQUESTS.name], group=SERVICE), broker.publisher())


def stream(length: int, subjects: Sequence[UUID]) -> list[Event[Payload]]:
    return [pause_event(subject, n) for n in range(1, length + 1) for subject in subjects]


async def wait_for(database: Database, count: int) -> None:
    async def have_come() -> bool:
        return len(await handled(database)) == count

    await wait_until(have_come)


async def in_order(database: Database, subjects: Sequence[UUID], length: int) -> bool:
    rows = await handled(database)
    return all([n for s, n in rows if s == subject] == list(range(1, length + 1)) for subject in subjects)


async def test_two_lanes_work_at_the_same_time(plumbing: Database, broker: InMemoryBroker) -> None:
    one = member(plumbing, broker)
    subjects = [new_id() for _ in range(16)]
    both = asyncio.Barrier(2)

    async def meet(_: Sequence[Received]) -> None:
        if not both.broken:
            await both.wait()
            await both.abort()

    async def survive(batch: Sequence[Received]) -> None:
        try:
            await meet(batch)
        except asyncio.BrokenBarrierError:
            return

    one.handler.before = survive
    await one.send(stream(1, subjects))
    one.start()
    await wait_for(plumbing, 16)
    await one.stop()


async def test_a_batch_that_fails_is_not_overtaken_by_what_is_behind_it(
    plumbing: Database, broker: InMemoryBroker
) -> None:
    one = member(plumbing, broker)
    subjects = [new_id() for _ in range(8)]
    failures = 4

    async def fail_sometimes(_: Sequence[Received]) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise DatabaseUnavailable("as if Postgres had gone away")

    one.handler.before = fail_sometimes
    one.start()
    for n in range(1, 31):
        await one.send([pause_event(subject, n) for subject in subjects])
    await wait_for(plumbing, 30 * len(subjects))
    await one.stop()
    assert await in_order(plumbing, subjects, 30)


async def test_a_backlog_is_handled_in_transactions_of_the_given_size(
    plumbing: Database, broker: InMemoryBroker
) -> None:
    sizes: list[int] = []
    one = member(plumbing, broker)

    async def measure(batch: Sequence[Received]) -> None:
        sizes.append(len(batch))

    one.handler.before = measure
    consumer = InboxConsumer(
        service=SERVICE,
        database=plumbing,
        subscription=broker.subscription([REQUESTS.name], group=SERVICE),
        handler=one.handler,
        ownership=one.ownership,
        outbox=one.outbox,
        clock=ManualClock(NOW),
        transaction_records=30,
    )
    subjects = [new_id() for _ in range(20)]
    await one.send(stream(10, subjects))
    stopping = asyncio.Event()
    running = asyncio.create_task(consumer.run(stopping))
    await wait_for(plumbing, 200)
    stopping.set()
    await running
    assert max(sizes) == 30
    assert await in_order(plumbing, subjects, 10)


async def test_what_was_read_before_the_partition_was_taken_again_makes_no_hole(
    plumbing: Database, broker: InMemoryBroker
) -> None:
    """The first batch is refused because the epoch rose; those read ahead behind it must not be handled either."""
    one = member(plumbing, broker)
    subjects = [new_id() for _ in range(8)]
    partitions = [TopicPartition(REQUESTS.name, number) for number in range(PARTITIONS)]
    first = True

    async def take_again(_: Sequence[Received]) -> None:
        nonlocal first
        if first:
            first = False
            one.ownership.drop(partitions)
            raise DatabaseUnavailable("as if Postgres had gone away in the middle of a rebalance")

    one.handler.before = take_again
    subscription = broker.subscription([REQUESTS.name], group=SERVICE)
    await one.send(stream(20, subjects))
    one.start()

    async def has_dropped() -> bool:
        return not one.ownership.epochs

    await wait_until(has_dropped)
    assert await handled(plumbing) == []
    two = Member(plumbing, subscription, broker.publisher())
    two.start()
    await one.stop()
    await wait_for(plumbing, 20 * len(subjects))
    await two.stop()
    assert await in_order(plumbing, subjects, 20)


async def test_partitions_are_given_away_only_after_the_transactions_in_hand(
    plumbing: Database, broker: InMemoryBroker
) -> None:
    one = member(plumbing, broker)
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Sequence[Received]) -> None:
        begun.set()
        await may_go_on.wait()

    one.handler.before = hold
    subject = new_id()
    await one.send([pause_event(subject, 1)])
    one.start()
    await begun.wait()
    two = member(plumbing, broker)
    two.start()  # the rebalance waits for the transaction
    revoked = asyncio.create_task(wait_until(lambda: _has_nothing(one)))
    await asyncio.sleep(0)
    assert not revoked.done()
    assert one.ownership.epochs
    may_go_on.set()
    await revoked
    await wait_for(plumbing, 1)
    await one.stop()
    await two.stop()


async def _has_nothing(one: Member) -> bool:
    return len(one.ownership.epochs) < PARTITIONS


class InMemory:
    """Sequences that are remembered elsewhere than in ``inbox_sequence``."""

    def __init__(self) -> None:
        self.last: dict[Subject, int] = {}

    async def load_last(self, connection: Connection, events: Sequence[Event[Payload]]) -> dict[Subject, int]:
        assert connection.is_in_transaction()
        return {(e.source, e.subject): self.last.get((e.source, e.subject), 0) for e in events}

    async def store_last(self, connection: Connection, last: dict[Subject, int]) -> None:
        assert connection.is_in_transaction()
        self.last |= last


async def test_a_service_may_remember_the_sequences_itself(plumbing: Database, broker: InMemoryBroker) -> None:
    one, memory, subject = member(plumbing, broker), InMemory(), new_id()
    consumer = InboxConsumer(
        service=SERVICE,
        database=plumbing,
        subscription=broker.subscription([REQUESTS.name], group=SERVICE),
        handler=one.handler,
        ownership=one.ownership,
        outbox=one.outbox,
        clock=ManualClock(NOW),
        sequences=memory,
    )
    await one.send([pause_event(subject, n) for n in (1, 2, 2, 1, 3)])
    stopping = asyncio.Event()
    running = asyncio.create_task(consumer.run(stopping))
    await wait_for(plumbing, 3)
    stopping.set()
    await running
    assert list(memory.last.values()) == [3]
    async with plumbing.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM inbox_sequence") == 0


async def test_a_position_behind_the_end_of_the_topic_is_noticed(plumbing: Database, broker: InMemoryBroker) -> None:
    async with plumbing.transaction() as connection:
        await connection.execute(
            "INSERT INTO inbox_position (topic, partition, next_offset) VALUES ($1, 0, 5)", REQUESTS.name
        )
    counter = BEYOND_END.labels(SERVICE, REQUESTS.name)
    before = counter._value.get()
    one = member(plumbing, broker)
    one.start()

    async def is_noticed() -> bool:
        return bool(counter._value.get() == before + 1)

    await wait_until(is_noticed)
    await one.stop()
