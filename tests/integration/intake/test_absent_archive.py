"""While the archive that commits wait for is away nothing is confirmed, by no repeat either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from punctual.local.system import LocalSystem
from shared.ids import new_id
from shared.postgres import Connection
from shared.testing.databases import fresh_database
from shared.testing.plumbing import wait_until
from tests.integration.intake.front_door import SUBMISSION, Intake, until_taken, write

SECONDS = 1.0
"""After which a call is answered here."""

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'punctual_intake'"
_WRITE = "SELECT pg_logical_emit_message(true, 'tests', '')"


@pytest.fixture(scope="module")
def database_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """On a server of its own: every commit on it waits."""
    home: Path = tmp_path_factory.mktemp("archived")
    system = LocalSystem(home, ports="auto", services=(), foundations=("postgres",), report=lambda _: None)
    system.start()
    try:
        with asyncio.Runner() as runner:
            context = fresh_database(system.admin_database_url, ["intake"])
            yield runner.run(context.__aenter__())
            runner.run(context.__aexit__(None, None, None))
    finally:
        system.stop()


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database_urls["admin"])
    yield connection
    await connection.close()


@asynccontextmanager
async def archive_away(administrator: Connection) -> AsyncIterator[None]:
    await administrator.execute("ALTER SYSTEM SET synchronous_standby_names = 'punctual_backup'")
    await administrator.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        await administrator.execute("ALTER SYSTEM RESET synchronous_standby_names")
        await administrator.execute("SELECT pg_reload_conf()")


async def commits_wait(intake: Intake, administrator: Connection) -> None:
    """One does at the end; until the server has read its settings none does."""

    async def is_waiting() -> bool:
        return bool(await administrator.fetchval(_WAITING))

    async def write_on() -> None:
        while True:
            async with intake.database.transaction() as connection:
                await connection.execute(_WRITE)

    writing = asyncio.create_task(write_on())
    await wait_until(is_waiting)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


def impatient(intake: Intake) -> httpx.AsyncClient:
    patience = timedelta(seconds=SECONDS)
    return intake.with_context(queue_patience=patience / 2, call_patience=patience, key_patience=patience / 4)


async def repeats(client: httpx.AsyncClient, path: str, body: dict[str, Any], key: dict[str, str]) -> list[int]:
    return [(await client.post(path, json=body, headers=key)).status_code for _ in range(3)]


async def test_a_move_and_its_repeats_are_not_confirmed_before_the_archive_has_it(
    intake: Intake, administrator: Connection
) -> None:
    view = await intake.submit()
    path, key = f"/v1/requests/{view['reference']}/acknowledge", write()
    client = impatient(intake)
    async with archive_away(administrator):
        await commits_wait(intake, administrator)
        assert (await client.post(path, json={}, headers=key)).status_code == 503
        assert set(await repeats(client, path, {}, key)) <= {409, 503}
        seen = (await intake.app.get(f"/v1/requests/{view['reference']}")).json()
        assert [entry["type"] for entry in seen["history"]] == ["submitted"]
    answer = await until_taken(client, path, {}, key)
    assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (200, "true")
    seen = (await intake.app.get(f"/v1/requests/{view['reference']}")).json()
    assert [entry["type"] for entry in seen["history"]] == ["submitted", "acknowledged"]
    answers = await asyncio.gather(*(intake.app.get("/v1/requests") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_submission_and_its_repeats_are_not_confirmed_before_the_archive_has_it(
    intake: Intake, administrator: Connection
) -> None:
    body, key = SUBMISSION | {"external_id": f"archived-{new_id()}"}, write()
    client = impatient(intake)
    async with archive_away(administrator):
        await commits_wait(intake, administrator)
        assert (await client.post("/v1/requests", json=body, headers=key)).status_code == 503
        assert set(await repeats(client, "/v1/requests", body, key)) <= {409, 503}
        assert set(await repeats(impatient(intake), "/v1/requests", body, key)) <= {409, 503}  # of another process
    answer = await until_taken(client, "/v1/requests", body, key)
    assert answer.status_code == 201
    again = await client.post("/v1/requests", json=body, headers=key)
    assert (again.json(), again.headers.get("idempotency-replayed")) == (answer.json(), "true")
    listed = (await client.get("/v1/requests", params={"limit": 200})).json()["requests"]
    assert [one["external_id"] for one in listed].count(body["external_id"]) == 1


async def test_what_waits_for_the_archive_is_not_ended_by_the_time_limits_of_statements(
    intake: Intake, administrator: Connection, database_urls: dict[str, str]
) -> None:
    """Postgres stops their clock when it begins to commit; the program relies on that."""
    limits = {"statement_timeout": "300ms", "lock_timeout": "300ms"}
    connection = await asyncpg.connect(database_urls["intake"], server_settings=limits)
    async with archive_away(administrator):
        await commits_wait(intake, administrator)
        await connection.execute("BEGIN")
        await connection.execute(_WRITE)
        committing = asyncio.ensure_future(connection.execute("COMMIT"))
        await asyncio.wait({committing}, timeout=1)
        assert not committing.done()
    assert await committing == "COMMIT"
    await connection.close()
