"""COMMITs that hang: nobody cuts them short, and no connection is lost by them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from shared.clock import monotonic
from shared.errors import DatabaseUnavailable
from shared.ids import new_id
from shared.postgres import Connection, Database, savepoint
from shared.postgres import database as settings
from shared.testing.plumbing import SERVICE, handled, wait_until

_WAIT_IN_COMMIT = """
CREATE FUNCTION plumbing.wait_in_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(6);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER wait_in_commit AFTER INSERT ON plumbing.handled
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbing.wait_in_commit();
"""
_COMMITTING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND query = 'COMMIT'"


@pytest.fixture
async def administrator(plumbing_urls: dict[str, str]) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(plumbing_urls["admin"])
    await connection.execute(_WAIT_IN_COMMIT)
    yield connection
    await connection.execute("DROP FUNCTION plumbing.wait_in_commit CASCADE")
    await connection.close()


@asynccontextmanager
async def hanging(administrator: Connection) -> AsyncIterator[None]:
    """Every COMMIT of an insert does."""
    await administrator.execute("SELECT pg_advisory_lock(6)")
    try:
        yield
    finally:
        await administrator.execute("SELECT pg_advisory_unlock(6)")


async def insert(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO handled (subject, sequence) VALUES ($1, 1)", new_id())


async def given_up(database: Database, administrator: Connection, others: int = 0) -> None:
    """One more that is in its COMMIT, and whose caller was cancelled."""
    task = asyncio.create_task(insert(database))

    async def is_committing() -> bool:
        return len(await administrator.fetch(_COMMITTING)) == others + 1

    await wait_until(is_committing)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def stored(database: Database, count: int) -> None:
    async def is_stored() -> bool:
        return len(await handled(database)) == count

    await wait_until(is_stored)


async def test_what_is_given_up_in_its_commit_is_committed_and_every_connection_comes_back(
    plumbing: Database, administrator: Connection
) -> None:
    async with hanging(administrator):
        for others in range(3):
            await given_up(plumbing, administrator, others)
        assert await handled(plumbing) == []
    await stored(plumbing, 3)
    async with asyncio.timeout(10):
        await asyncio.gather(*(insert(plumbing) for _ in range(20)))


async def test_a_commit_may_take_longer_than_a_statement(
    plumbing: Database, plumbing_urls: dict[str, str], administrator: Connection
) -> None:
    pool = await asyncpg.create_pool(
        plumbing_urls[SERVICE], min_size=1, command_timeout=0.2, server_settings={"search_path": SERVICE}
    )
    hurried = Database(pool)
    async with hanging(administrator):
        task = asyncio.create_task(insert(hurried))
        await asyncio.wait({task}, timeout=1)
        assert not task.done()
    await task
    await stored(plumbing, 1)
    await hurried.close()


async def test_a_server_that_goes_frees_the_connection_of_a_commit_that_was_given_up(
    plumbing: Database, administrator: Connection
) -> None:
    async with hanging(administrator):
        await given_up(plumbing, administrator)
        await administrator.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({_COMMITTING}) AS committing")
    async with asyncio.timeout(10):
        await asyncio.gather(*(insert(plumbing) for _ in range(20)))
    await stored(plumbing, 20)


async def test_closing_waits_for_a_while_and_cuts_nothing_short(
    plumbing: Database, plumbing_urls: dict[str, str], administrator: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_CLOSING_SECONDS", 0.5)
    closing = await Database.open(plumbing_urls[SERVICE], schema=SERVICE, application_name="closing")
    async with hanging(administrator):
        await given_up(closing, administrator)
        tasks, began_at = asyncio.all_tasks(), monotonic()
        await closing.close()
        assert monotonic() - began_at < 5
        assert asyncio.all_tasks() < tasks
        assert len(await administrator.fetch(_COMMITTING)) == 1
    await stored(plumbing, 1)


async def test_a_connection_notices_that_its_server_is_silent(plumbing: Database) -> None:
    async with plumbing.connection() as connection:
        wire = connection._transport.get_extra_info("socket")
        if wire.family == socket.AF_INET:
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


async def test_a_part_that_fails_is_undone_and_the_rest_stays(plumbing: Database) -> None:
    parts = [new_id() for _ in range(4)]
    async with plumbing.transaction() as connection:
        for number, subject in enumerate(parts):
            sequence = number % 2  # the table refuses 0
            try:
                async with savepoint(connection):
                    await connection.execute(
                        "INSERT INTO handled (subject, sequence) VALUES ($1, 1), ($1, $2)", subject, sequence
                    )
            except asyncpg.CheckViolationError:
                assert sequence == 0
    assert await handled(plumbing) == [(subject, 1) for subject in parts[1::2] for _ in range(2)]


async def test_who_is_cancelled_before_the_commit_has_written_nothing(plumbing: Database) -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        async with plumbing.transaction() as connection:
            await connection.execute("INSERT INTO handled (subject, sequence) VALUES ($1, 1)", new_id())
            begun.set()
            await connection.execute("SELECT pg_sleep(60)")

    task = asyncio.create_task(wait())
    await begun.wait()
    task.cancel()
    with pytest.raises((asyncio.CancelledError, DatabaseUnavailable)):
        await task
    assert await handled(plumbing) == []
