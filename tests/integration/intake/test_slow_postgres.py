"""What callers are told while Postgres is away or slow, and that nothing is lost or doubled by it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn

import asyncpg
import httpx
import psutil
import pytest

from services.intake.handlers.key_book import KeyBook
from shared.clock import monotonic
from shared.errors import DatabaseUnavailable
from shared.ids import new_id
from shared.postgres import Connection, Database
from tests.integration.intake.batch_call import begun, line
from tests.integration.intake.front_door import SUBMISSION, Intake, until_taken, write
from tests.integration.intake.test_access_keys import make

SECONDS = 1.0
"""After which a call is answered here, and half of it after which nothing more is taken in."""

SOON = 8.0
"""What was bounded is answered by then on a busy machine too; what waits for Postgres is not."""


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database_urls["admin"])
    yield connection
    await connection.close()


def impatient(intake: Intake) -> httpx.AsyncClient:
    patience = timedelta(seconds=SECONDS)
    return intake.with_context(queue_patience=patience / 2, call_patience=patience)


@asynccontextmanager
async def locked(administrator: Connection, table: str) -> AsyncIterator[None]:
    async with administrator.transaction():
        await administrator.execute(f"LOCK TABLE intake.{table} IN ACCESS EXCLUSIVE MODE")
        yield


@asynccontextmanager
async def stopped(intake: Intake, administrator: Connection) -> AsyncIterator[None]:
    """Every connection that intake may have is there, and Postgres does nothing on any of them."""
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(intake.database.connection())
    rows = await administrator.fetch(
        "SELECT pid, datname FROM pg_stat_activity WHERE datname = current_database() AND usename = 'punctual_intake'"
    )
    for row in rows:  # a server on another machine has other processes by these numbers
        assert row["datname"] in " ".join(psutil.Process(row["pid"]).cmdline())
    try:
        for row in rows:
            os.kill(row["pid"], signal.SIGSTOP)
        yield
    finally:
        for row in rows:
            os.kill(row["pid"], signal.SIGCONT)


Slowing = Callable[[Intake, Connection], Any]

SLOWED: dict[str, Slowing] = {
    "by a lock": lambda _, administrator: locked(administrator, "request"),
    "stopped": stopped,
}


@pytest.mark.parametrize("slowing", SLOWED.values(), ids=SLOWED.keys())
async def test_while_postgres_is_slow_everybody_is_told_so_in_time_and_nothing_is_lost_or_doubled(
    intake: Intake, administrator: Connection, slowing: Slowing
) -> None:
    client = impatient(intake)
    view = await intake.submit()
    bodies = [SUBMISSION | {"external_id": f"slow-{new_id()}"} for _ in range(6)]
    keys = [write() for _ in bodies]
    acknowledge = f"/v1/requests/{view['reference']}/acknowledge"
    moving = write()
    status_page = view["status_url"].removeprefix(intake.context.public_url)
    async with slowing(intake, administrator):
        answers, seconds = await timed(
            [
                *(client.post("/v1/requests", json=bodies[n], headers=keys[n]) for n in range(3)),
                client.post(acknowledge, json={}, headers=moving),
                client.get("/v1/requests"),
                client.get(f"/v1/requests/{view['reference']}"),
                client.get(status_page),
            ]
        )
        assert_put_off(answers, "try_again")
        assert seconds < SOON
        refused, seconds = await timed(
            [client.post("/v1/requests", json=bodies[n], headers=keys[n]) for n in range(3, 6)]
        )
        assert_put_off(refused, "overloaded")
        assert seconds < SECONDS
    again = [await until_taken(client, "/v1/requests", body, key) for body, key in zip(bodies, keys, strict=True)]
    assert [answer.status_code for answer in again] == [201] * 6
    moved = await until_taken(client, acknowledge, {}, moving)
    assert moved.status_code == 200
    listed = (await client.get("/v1/requests", params={"limit": 200})).json()["requests"]
    for body, answer in zip(bodies, again, strict=True):
        found = [one["reference"] for one in listed if one["external_id"] == body["external_id"]]
        assert found == [answer.json()["reference"]]
    history = (await client.get(f"/v1/requests/{view['reference']}")).json()["history"]
    assert [entry["type"] for entry in history].count("acknowledged") == 1


async def timed(calls: Sequence[Awaitable[httpx.Response]]) -> tuple[list[httpx.Response], float]:
    began_at = monotonic()
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*calls)
    return answers, monotonic() - began_at


def assert_put_off(answers: Sequence[httpx.Response], code: str) -> None:
    told = [(answer.status_code, answer.headers.get("retry-after"), answer.json()["type"]) for answer in answers]
    assert told == [(503, "5", f"urn:punctual:problem:{code}")] * len(answers)


async def test_a_service_whose_postgres_does_nothing_is_not_ready_within_seconds_and_recovers(
    intake: Intake, administrator: Connection
) -> None:
    async with stopped(intake, administrator):
        probes, seconds = await timed([intake.nobody.get("/readyz"), intake.nobody.get("/metrics")])
        assert seconds < SOON
        assert (probes[0].status_code, 'punctual_ready{service="intake"} 0.0' in probes[1].text) == (503, True)
    async with asyncio.timeout(30):
        while not (await intake.nobody.get("/readyz")).is_success:
            continue


async def test_a_key_that_cannot_be_looked_up_in_time_is_no_unknown_key(
    intake: Intake, administrator: Connection
) -> None:
    made = await make(intake)
    book = KeyBook(intake.database, patience=timedelta(seconds=SECONDS))
    async with locked(administrator, "api_key"):
        began_at = monotonic()
        with pytest.raises(DatabaseUnavailable):
            await book.find(made["key"])
        assert monotonic() - began_at < SOON
    principal = await book.find(made["key"])
    assert principal is not None


async def test_a_batch_is_as_patient_about_its_key_as_about_its_lines(
    intake: Intake, administrator: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intake.api.batch_stream._BELIEVED_SECONDS", 0.0)
    made = await make(intake, scopes=["batch"])
    keys = intake.context.keys
    monkeypatch.setattr(keys, "_patience", timedelta(milliseconds=200))
    async with begun(intake.call_with(intake.context, made["key"])) as (call, task):
        call.send(line())
        assert (await call.answer())["status"] == 201
        async with locked(administrator, "api_key"):
            keys.forget(made["prefix"])
            call.send(line(), is_last=True)
            for _ in range(2):  # by then the batch has asked in vain, too
                with pytest.raises(DatabaseUnavailable):
                    await keys.find(made["key"])
        assert (await call.answer())["status"] == 201
        await task


async def test_what_may_take_long_is_not_cut(intake: Intake, administrator: Connection) -> None:
    await intake.submit()
    client = intake.connect(replace(intake.context, call_patience=timedelta(milliseconds=50)), "staff")
    async with locked(administrator, "request"):
        proving = asyncio.ensure_future(client.get("/v1/verification"))
        assert (await client.get("/v1/requests")).status_code == 503
        assert not proving.done()
    assert (await proving).status_code == 200


class _CommitsAndHangs(Database):
    """Postgres has committed, and its answer does not come."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with super().transaction() as connection:
            yield connection
        await asyncio.sleep(3600)


async def test_a_move_that_was_given_up_after_its_commit_is_answered_to_its_repeat(intake: Intake) -> None:
    view = await intake.submit()
    path, key = f"/v1/requests/{view['reference']}/acknowledge", write()
    database = _CommitsAndHangs(intake.database._pool)
    hanging = intake.with_database(database, call_patience=timedelta(seconds=SECONDS))
    assert_put_off([await hanging.post(path, json={}, headers=key)], "try_again")
    again = await intake.app.post(path, json={}, headers=key)
    assert (again.status_code, again.headers.get("idempotency-replayed")) == (200, "true")


async def test_a_move_that_was_given_up_in_its_commit_happens_once_and_leaves_its_connection_in_order(
    intake: Intake, administrator: Connection
) -> None:
    view = await intake.submit()
    path, key = f"/v1/requests/{view['reference']}/acknowledge", write()
    await administrator.execute(_WAIT_IN_COMMIT)
    try:
        async with administrator.transaction():
            await administrator.execute("SELECT pg_advisory_xact_lock(5)")
            assert_put_off([await impatient(intake).post(path, json={}, headers=key)], "try_again")
        again = await until_taken(intake.app, path, {}, key)
    finally:
        await administrator.execute("DROP FUNCTION intake.wait_in_commit CASCADE")
    history = (await intake.app.get(f"/v1/requests/{view['reference']}")).json()["history"]
    assert (again.status_code, [entry["type"] for entry in history]) == (200, ["submitted", "acknowledged"])
    answers = await asyncio.gather(*(intake.app.get("/v1/requests") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}


_WAIT_IN_COMMIT = """
CREATE FUNCTION intake.wait_in_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(5);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER wait_in_commit AFTER INSERT ON intake.request_event
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION intake.wait_in_commit();
"""


class _Away:
    """A pool whose server refuses every connection."""

    def acquire(self, **_: float) -> NoReturn:
        raise ConnectionRefusedError


async def test_every_503_tells_the_wait_that_is_set(intake: Intake) -> None:
    view = await intake.submit()
    client = intake.with_database(Database(_Away()), retry_after_seconds=7)
    moved = f"/v1/requests/{view['reference']}/acknowledge"
    framed = write() | {"Content-Type": "application/json; charset=utf-8"}  # not plain, so the framework answers
    answers = [
        await client.post("/v1/requests", json=SUBMISSION, headers=write()),
        await client.post("/v1/requests", content=json.dumps(SUBMISSION), headers=framed),
        await client.post(moved, json={}, headers=write()),
        await client.get("/v1/requests"),
        await client.get(view["status_url"].removeprefix("https://status.example")),
    ]
    assert [(answer.status_code, answer.headers.get("retry-after")) for answer in answers] == [(503, "7")] * 5
    batch = await client.post("/v1/requests:batch", content=line(), headers={"Content-Type": "application/x-ndjson"})
    assert [json.loads(one)["retry_after_seconds"] for one in batch.text.splitlines()] == [7, 7]
