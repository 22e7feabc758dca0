"""What was appended is published, in order per key, whatever it is; also what an older version left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.contracts.envelope import encode
from shared.contracts.topics import CONTACTS, REQUESTS
from shared.ids import new_id
from shared.kafka.records import OutgoingRecord
from shared.outbox import Outbox
from shared.outbox.parcels import SHARDS, pack
from shared.postgres import Database
from shared.postgres.migrations import migrations_of
from shared.testing.broker import InMemoryBroker
from shared.testing.outbox import waiting_records
from shared.testing.plumbing import SERVICE, pause_event


@pytest.fixture
def broker() -> InMemoryBroker:
    return InMemoryBroker(partitions=1)


@pytest.fixture
def outbox(plumbing: Database, broker: InMemoryBroker) -> Outbox:
    return Outbox(plumbing, broker.publisher(), SERVICE)


def published(broker: InMemoryBroker, topic: str) -> list[OutgoingRecord]:
    return [OutgoingRecord(r.topic, r.key or b"", r.value, r.headers) for r in broker.log(topic)]


async def test_one_append_makes_one_row_per_shard(plumbing: Database, outbox: Outbox) -> None:
    async with plumbing.transaction() as connection:
        await outbox.append(connection, REQUESTS, [pause_event(new_id(), 1) for _ in range(100)])
        assert await connection.fetchval("SELECT count(*) FROM outbox") == 2
        assert await connection.fetchval("SELECT sum(records) FROM outbox") == 100


async def test_what_is_published_is_what_was_appended(
    plumbing: Database, outbox: Outbox, broker: InMemoryBroker
) -> None:
    subject = new_id()
    records = [encode(pause_event(subject, n)) for n in range(1, 4)]
    async with plumbing.transaction() as connection:
        await outbox.append_encoded(connection, REQUESTS, records)
        assert await waiting_records(connection) == [OutgoingRecord(REQUESTS.name, *record) for record in records]
    assert await outbox.run_once() == 3
    assert await outbox.run_once() == 0
    assert published(broker, REQUESTS.name) == [OutgoingRecord(REQUESTS.name, *record) for record in records]


async def test_a_tombstone_without_headers_is_published_as_one(
    plumbing: Database, outbox: Outbox, broker: InMemoryBroker
) -> None:
    async with plumbing.transaction() as connection:
        await outbox.append_encoded(connection, CONTACTS, [(b"key", None, ()), (b"key", b"", ())])
    await outbox.run_once()
    assert [r.value for r in published(broker, CONTACTS.name)] == [None, b""]


async def test_a_transaction_of_the_relay_takes_about_two_thousand_records(plumbing: Database, outbox: Outbox) -> None:
    record = encode(pause_event(new_id(), 1))
    for _ in range(5):
        async with plumbing.transaction() as connection:
            await outbox.append_encoded(connection, REQUESTS, [record] * 900)
    assert [await outbox.run_once() for _ in range(3)] == [2700, 1800, 0]


async def test_nothing_to_append_makes_no_row(plumbing: Database, outbox: Outbox) -> None:
    async with plumbing.transaction() as connection:
        await outbox.append(connection, REQUESTS, [])
        assert await connection.fetchval("SELECT count(*) FROM outbox") == 0


@pytest.fixture
async def old_schema(plumbing_urls: dict[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """A schema as the first migration made it."""
    connection = await asyncpg.connect(plumbing_urls["admin"])
    await connection.execute("CREATE SCHEMA of_old; SET search_path TO of_old")
    await connection.execute(plumbing_sql(0))
    yield connection
    await connection.execute("DROP SCHEMA of_old CASCADE")
    await connection.close()


def plumbing_sql(number: int) -> str:
    return migrations_of(SERVICE)[number].sql.replace("{role}", "punctual_plumbing")


async def test_rows_that_waited_during_the_upgrade_are_kept_as_parcels(old_schema: asyncpg.Connection) -> None:
    events = [pause_event(new_id(), n) for n in (1, 2, 3)]
    records = [encode(event) for event in events]
    old = [*records, (b"key", None, ())]
    for key, value, headers in old:
        text = json.dumps({name: value.decode() for name, value in headers})
        await old_schema.execute(
            "INSERT INTO outbox (shard, topic, record_key, record_value, headers) VALUES (1, $1, $2, $3, $4)",
            REQUESTS.name,
            key,
            value,
            text,
        )
    await old_schema.execute(plumbing_sql(1))
    assert await old_schema.fetchval("SELECT count(*) FROM outbox WHERE shard = 1") == len(old)
    assert await waiting_records(old_schema) == [OutgoingRecord(REQUESTS.name, *record) for record in old]


async def test_a_commit_wakes_the_relay_of_the_shards_it_wrote_to(plumbing: Database, outbox: Outbox) -> None:
    record = encode(pause_event(new_id(), 1))
    shard = pack([record])[0].shard
    async with plumbing.transaction() as connection:
        await outbox.append_encoded(connection, REQUESTS, [record])
        assert not any(wake.is_set() for wake in outbox._wakes)
    assert [wake.is_set() for wake in outbox._wakes] == [number == shard for number in range(SHARDS)]


async def test_what_is_rolled_back_wakes_nobody(plumbing: Database, outbox: Outbox) -> None:
    async def fail() -> None:
        async with plumbing.transaction() as connection:
            await outbox.append(connection, REQUESTS, [pause_event(new_id(), 1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert not any(wake.is_set() for wake in outbox._wakes)


async def test_rows_of_a_shard_that_another_process_publishes_are_found_soon_after(
    plumbing: Database, outbox: Outbox, broker: InMemoryBroker
) -> None:
    """The other one may have looked before they were there."""
    stopping = asyncio.Event()
    async with plumbing.transaction() as other:
        await other.fetch("SELECT FROM outbox_shard FOR UPDATE")
        async with plumbing.transaction() as connection:
            await outbox.append(connection, REQUESTS, [pause_event(new_id(), 1)])
        relay = asyncio.create_task(outbox.run(stopping))
        await asyncio.sleep(0.1)
        assert not published(broker, REQUESTS.name)
    async with asyncio.timeout(5):
        while not published(broker, REQUESTS.name):
            await asyncio.sleep(0.01)
        stopping.set()
        await relay
