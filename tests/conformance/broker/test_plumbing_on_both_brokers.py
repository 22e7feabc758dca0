"""The same cases on the in-memory broker and on real Kafka, so that what is tested on the first holds on the second."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Protocol
from uuid import UUID

import pytest

from shared.contracts.topics import REQUESTS
from shared.ids import new_id
from shared.kafka import KafkaPublisher, KafkaSubscription, OutgoingRecord, Publisher, Subscription, ensure_topics
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from shared.testing.plumbing import Member, handled, pause_event, wait_until


class Broker(Protocol):
    def publisher(self) -> Publisher: ...

    def subscription(self, member: str) -> Subscription: ...


class Memory:
    def __init__(self) -> None:
        self._broker = InMemoryBroker(partitions=4)

    def publisher(self) -> Publisher:
        return self._broker.publisher()

    def subscription(self, member: str) -> Subscription:
        del member
        return self._broker.subscription([REQUESTS.name], group="conformance")


class Kafka:
    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._group = f"conformance-{new_id()}"
        self.publishers: list[KafkaPublisher] = []

    def publisher(self) -> Publisher:
        publisher = KafkaPublisher(self._bootstrap, "conformance")
        self.publishers.append(publisher)
        return publisher

    def subscription(self, member: str) -> Subscription:
        return KafkaSubscription(self._bootstrap, [REQUESTS.name], group=self._group, member=member)


@pytest.fixture(params=["memory", "kafka"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    if request.param == "memory":
        yield Memory()
        return
    bootstrap = request.getfixturevalue("kafka_bootstrap")
    await ensure_topics(bootstrap, partitions=4, replication=1)
    kafka = Kafka(bootstrap)
    yield kafka
    for publisher in kafka.publishers:
        await publisher.close()


@pytest.fixture
def subjects() -> list[UUID]:
    """The topic on Kafka is shared by all cases, so each looks at its own subjects only."""
    return [new_id() for _ in range(8)]


async def sequences(database: Database, subjects: list[UUID]) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = defaultdict(list)
    for subject, sequence in await handled(database):
        if subject in subjects:
            found[subject].append(sequence)
    return found


async def wait_for(database: Database, subjects: list[UUID], last: int) -> None:
    async def have_come() -> bool:
        found = await sequences(database, subjects)
        return all(found[subject] and max(found[subject]) == last for subject in subjects)

    await wait_until(have_come, 60)


async def test_order_is_kept_per_key_and_each_event_is_handled_once(
    plumbing: Database, broker: Broker, subjects: list[UUID]
) -> None:
    one = Member(plumbing, broker.subscription("one"), broker.publisher())
    one.start()
    await one.send([pause_event(s, n) for n in range(1, 51) for s in subjects])
    await wait_for(plumbing, subjects, 50)
    await one.stop()
    assert await sequences(plumbing, subjects) == {s: list(range(1, 51)) for s in subjects}


async def test_what_was_published_twice_is_handled_once(
    plumbing: Database, broker: Broker, subjects: list[UUID]
) -> None:
    one = Member(plumbing, broker.subscription("one"), broker.publisher())
    one.start()
    for _ in range(3):
        await one.send([pause_event(s, n) for n in (1, 2, 3) for s in subjects])
    await one.send([pause_event(s, 4) for s in subjects])
    await wait_for(plumbing, subjects, 4)
    await one.stop()
    assert await sequences(plumbing, subjects) == {s: [1, 2, 3, 4] for s in subjects}


async def test_an_unreadable_record_does_not_hold_up_its_partition(
    plumbing: Database, broker: Broker, subjects: list[UUID]
) -> None:
    one = Member(plumbing, broker.subscription("one"), broker.publisher())
    one.start()
    await broker.publisher().publish(
        [OutgoingRecord(REQUESTS.name, str(s).encode(), b"\x00\xffgarbage", ()) for s in subjects]
    )
    await one.send([pause_event(s, 1) for s in subjects])
    await wait_for(plumbing, subjects, 1)
    await one.stop()


async def test_members_come_and_go_without_loss_or_repeat(
    plumbing: Database, broker: Broker, subjects: list[UUID]
) -> None:
    publisher = broker.publisher()
    one = Member(plumbing, broker.subscription("one"), publisher)
    one.start()
    sent = 0
    two: Member | None = None
    for step in range(6):
        await one.send([pause_event(s, n) for n in range(sent + 1, sent + 21) for s in subjects])
        sent += 20
        if step == 1:
            two = Member(plumbing, broker.subscription("two"), publisher)
            two.start()
        if step == 3:
            await one.stop()
        await asyncio.sleep(0)
    await wait_for(plumbing, subjects, sent)
    assert two is not None
    await two.stop()
    assert await sequences(plumbing, subjects) == {s: list(range(1, sent + 1)) for s in subjects}
