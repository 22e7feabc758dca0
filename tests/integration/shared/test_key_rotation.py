"""Customers' keys move to a new master key one batch at a time, in every service that has some."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import Gauge

from shared import key_rotation
from shared.encryption import MasterKeys
from shared.errors import ConfigurationError
from shared.ids import new_id
from shared.key_rotation import MISSING, OLD_KEYS, KeyRotation
from shared.postgres import Database

OLD = MasterKeys("old", {"old": bytes(range(32))})
BOTH = MasterKeys("new", {"new": bytes(range(32, 64)), "old": bytes(range(32))})
NEW = MasterKeys("new", {"new": bytes(range(32, 64))})
IMPOSTOR = MasterKeys("old", {"old": bytes(32)})


@pytest.fixture(params=["intake", "notifier"])
async def service(request: pytest.FixtureRequest, database_urls: dict[str, str]) -> str:
    """Each that has keys; the table is emptied."""
    name: str = request.param
    admin = await asyncpg.connect(database_urls["admin"])
    await admin.execute(f"TRUNCATE {name}.customer_key")
    await admin.close()
    return name


@pytest.fixture
async def database(open_database: Callable[[str], Awaitable[Database]], service: str) -> Database:
    return await open_database(service)


async def store(database: Database, wrapped: Mapping[UUID, bytes]) -> None:
    async with database.transaction() as connection:
        await connection.executemany("INSERT INTO customer_key (customer_id, wrapped) VALUES ($1, $2)", wrapped.items())


async def store_keys(database: Database, master_keys: MasterKeys, count: int) -> dict[UUID, bytes]:
    """Their secrets."""
    keys = [master_keys.new_key(new_id()) for _ in range(count)]
    await store(database, {key.customer_id: key.wrapped for key in keys})
    return {key.customer_id: key.secret for key in keys}


async def stored(database: Database) -> dict[UUID, bytes]:
    async with database.connection() as connection:
        return {row["customer_id"]: row["wrapped"] for row in await connection.fetch("SELECT * FROM customer_key")}


async def secrets_of(database: Database, master_keys: MasterKeys) -> dict[UUID, bytes]:
    found = await stored(database)
    return {customer_id: master_keys.unwrap(customer_id, wrapped).secret for customer_id, wrapped in found.items()}


def old_keys(service: str) -> float:
    return sample(OLD_KEYS, service)


def sample(gauge: Gauge, service: str) -> float:
    (metric,) = gauge.collect()
    return next(sample.value for sample in metric.samples if sample.labels == {"service": service})


async def test_every_key_is_the_same_afterwards_and_the_old_master_key_can_go(
    database: Database, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "_BATCH", 3)
    secrets = await store_keys(database, OLD, 7) | await store_keys(database, NEW, 2)
    rotation = KeyRotation(database, BOTH, service)
    await rotation.check()
    assert (old_keys(service), rotation.trouble()) == (7, None)
    assert [await rotation.run_once() for _ in range(4)] == [3, 3, 1, 0]
    assert await secrets_of(database, NEW) == secrets
    await rotation.check()
    assert old_keys(service) == 0


async def test_it_runs_until_it_is_told_to_stop(database: Database, service: str) -> None:
    secrets = await store_keys(database, OLD, 3)
    stopping = asyncio.Event()
    rotation = KeyRotation(database, BOTH, service)
    await rotation.check()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(20):
        tasks.create_task(rotation.run(stopping))
        while old_keys(service) != 0:
            await asyncio.sleep(0.01)  # what happens in Postgres gives no signal to wait for
        stopping.set()
    assert await secrets_of(database, NEW) == secrets


async def test_what_is_current_is_not_written_again(database: Database, service: str) -> None:
    await store_keys(database, NEW, 3)
    before = await stored(database)
    assert await KeyRotation(database, BOTH, service).run_once() == 0
    assert await stored(database) == before


async def test_two_processes_share_the_work(database: Database, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "_BATCH", 2)
    secrets = await store_keys(database, OLD, 4)
    first, second = (KeyRotation(database, BOTH, service) for _ in range(2))
    done = await asyncio.gather(*(rotation.run_once() for rotation in (first, second, first, second)))
    while await first.run_once():
        pass
    assert sum(done) <= 4
    assert await secrets_of(database, NEW) == secrets


async def test_a_key_that_was_destroyed_meanwhile_does_not_come_back(database: Database, service: str) -> None:
    (customer_id,) = await store_keys(database, OLD, 1)
    rotation = KeyRotation(database, BOTH, service)
    async with database.transaction() as erasing:
        await erasing.execute("DELETE FROM customer_key WHERE customer_id = $1", customer_id)
        assert await rotation.run_once() == 0  # the row is locked, so it is left alone
    assert await rotation.run_once() == 0
    assert await stored(database) == {}


async def test_a_missing_master_key_is_named_and_nothing_is_touched(database: Database, service: str) -> None:
    await store_keys(database, OLD, 2)
    before = await stored(database)
    rotation = KeyRotation(database, NEW, service)
    await rotation.check()
    assert rotation.trouble() == "PUNCTUAL_MASTER_KEYS holds no key named old"
    assert (old_keys(service), await rotation.run_once(), await stored(database)) == (2, 0, before)
    assert sample(MISSING, service) == 1
    await KeyRotation(database, BOTH, service).check()
    assert sample(MISSING, service) == 0


async def test_a_key_so_damaged_that_it_names_no_master_key_is_not_waited_for(database: Database, service: str) -> None:
    await store(database, {new_id(): bytes(61), new_id(): b"\x03o d" + bytes(57)})
    rotation = KeyRotation(database, NEW, service)
    await rotation.check()
    assert (rotation.trouble(), sample(MISSING, service), old_keys(service)) == (None, 0, 2)


async def test_a_master_key_that_is_another_one_than_it_was_is_refused_at_the_start(
    database: Database, service: str
) -> None:
    await store_keys(database, OLD, 3)
    with pytest.raises(ConfigurationError, match="the key named old is not the one"):
        await KeyRotation(database, MasterKeys("new", {**BOTH.secrets, **IMPOSTOR.secrets}), service).check()


async def test_a_damaged_key_holds_up_no_other(
    database: Database, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "_BATCH", 1)
    damaged = {new_id(): b"\x03old" + bytes(61)}
    await store(database, damaged)
    secrets = await store_keys(database, OLD, 2)
    rotation = KeyRotation(database, BOTH, service)
    await rotation.check()
    while await rotation.run_once():
        pass
    await rotation.check()
    found = await stored(database)
    assert {customer_id: found.pop(customer_id) for customer_id in damaged} == damaged
    assert {customer_id: NEW.unwrap(customer_id, wrapped).secret for customer_id, wrapped in found.items()} == secrets
    assert old_keys(service) == 1


async def test_the_first_stored_key_is_enough_to_refuse_another_current_master_key(
    database: Database, service: str
) -> None:
    await store_keys(database, OLD, 1)
    with pytest.raises(ConfigurationError, match="the key named old is not the one"):
        await KeyRotation(database, IMPOSTOR, service).check()


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (key_rotation._NAMES, []),
        (key_rotation._COUNT, [[b"old"], 10]),
        (key_rotation._PROBE, [b"old", 3]),
        (key_rotation._TAKE, [b"old", [], 10]),
    ],
)
async def test_keys_are_found_by_the_name_of_their_master_key(
    database: Database, statement: str, parameters: list[object]
) -> None:
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement}", *parameters))
    assert "customer_key_master" in plan
    assert "Sort" not in plan
