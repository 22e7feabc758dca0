"""What is told to run after a commit runs exactly when there was one."""

from __future__ import annotations

import asyncpg
import pytest

from shared.errors import DatabaseUnavailable
from shared.postgres import Database


async def test_a_callback_runs_after_the_commit_and_before_the_block_is_left(plumbing: Database) -> None:
    seen: list[str] = []
    async with plumbing.transaction() as connection:
        plumbing.after_commit(connection, lambda: seen.append("first"))
        plumbing.after_commit(connection, lambda: seen.append("second"))
        await connection.execute("SELECT 1")
        assert seen == []
    assert seen == ["first", "second"]


async def test_a_callback_never_runs_after_a_rollback(plumbing: Database) -> None:
    seen: list[str] = []

    async def fail() -> None:
        async with plumbing.transaction() as connection:
            plumbing.after_commit(connection, lambda: seen.append("committed"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with plumbing.transaction():
        pass
    assert seen == []


async def test_a_callback_never_runs_when_the_connection_broke_before_the_commit(
    plumbing: Database, plumbing_urls: dict[str, str]
) -> None:
    seen: list[str] = []
    admin = await asyncpg.connect(plumbing_urls["admin"])

    async def break_off() -> None:
        async with plumbing.transaction() as connection:
            plumbing.after_commit(connection, lambda: seen.append("committed"))
            await admin.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())

    with pytest.raises(DatabaseUnavailable):
        await break_off()
    await admin.close()
    assert seen == []


async def test_transactions_at_the_same_time_have_callbacks_of_their_own(plumbing: Database) -> None:
    seen: list[str] = []
    async with plumbing.transaction() as outer:
        plumbing.after_commit(outer, lambda: seen.append("outer"))
        async with plumbing.transaction() as inner:
            plumbing.after_commit(inner, lambda: seen.append("inner"))
        assert seen == ["inner"]
    assert seen == ["inner", "outer"]


async def test_outside_a_transaction_there_is_nothing_to_wait_for(plumbing: Database) -> None:
    async with plumbing.connection() as connection:
        with pytest.raises(KeyError):
            plumbing.after_commit(connection, lambda: None)
