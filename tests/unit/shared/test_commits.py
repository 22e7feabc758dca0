"""A COMMIT is never cut short, whoever gives it up, and its connection comes back when it ends."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from shared.postgres import commits
from shared.postgres.commits import Commits


class Committing:
    """A connection whose COMMIT ends when it is told to."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.error: Exception | None = None
        self.was_cut = False
        self.has_ended = False
        self.limit: float | None = None

    async def execute(self, statement: str, *, timeout: float | None = None) -> None:
        assert statement == "COMMIT"
        self.limit = timeout
        self.has_begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.was_cut = True
            raise
        self.has_ended = True
        if self.error is not None:
            raise self.error


class Pool:
    def __init__(self) -> None:
        self.released: list[Committing] = []
        self.news = asyncio.Event()

    async def release(self, connection: Committing) -> None:
        assert connection.has_ended
        self.released.append(connection)
        self.news.set()


async def commit(commits: Commits, connection: Committing) -> None:
    """As ``Database.transaction`` does."""
    try:
        await commits.commit(connection)
    finally:
        await commits.release(connection)


async def given_up(commits: Commits, connection: Committing) -> None:
    task = asyncio.create_task(commit(commits, connection))
    await connection.has_begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_is_committed_is_given_back() -> None:
    pool, connection = Pool(), Committing()
    connection.may_end.set()
    await commit(Commits(pool), connection)
    assert pool.released == [connection]


async def test_it_has_more_time_than_any_statement() -> None:
    connection = Committing()
    connection.may_end.set()
    await commit(Commits(Pool()), connection)
    assert connection.limit is not None
    assert connection.limit > 86_400


async def test_who_is_cancelled_leaves_at_once_and_the_connection_stays_until_the_end() -> None:
    async with asyncio.timeout(5):
        pool, connection = Pool(), Committing()
        await given_up(Commits(pool), connection)
        assert (connection.was_cut, pool.released) == (False, [])
        connection.may_end.set()
        await pool.news.wait()
    assert (connection.was_cut, pool.released) == (False, [connection])


async def test_who_waits_for_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "_PATIENCE_SECONDS", 0.01)
    async with asyncio.timeout(5):
        pool, connection = Pool(), Committing()
        with pytest.raises(TimeoutError):
            await commit(Commits(pool), connection)
        assert (connection.was_cut, pool.released) == (False, [])
        connection.may_end.set()
        await pool.news.wait()
    assert pool.released == [connection]


async def test_an_error_is_told_to_who_waits_and_the_connection_comes_back() -> None:
    pool, connection = Pool(), Committing()
    connection.error = ConnectionError("gone")
    connection.may_end.set()
    with pytest.raises(ConnectionError):
        await commit(Commits(pool), connection)
    assert pool.released == [connection]


async def test_an_error_of_what_was_given_up_frees_the_connection_and_is_no_complaint() -> None:
    async with asyncio.timeout(5):
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        pool, connection = Pool(), Committing()
        connection.error = ConnectionError("gone")
        ending = Commits(pool)
        await given_up(ending, connection)
        connection.may_end.set()
        await ending.end()
        gc.collect()
    assert (pool.released, complaints) == ([connection], [])


async def test_the_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "_ENDING_SECONDS", 0.01)
    async with asyncio.timeout(5):
        pool, connection = Pool(), Committing()
        ending = Commits(pool)
        await given_up(ending, connection)
        await ending.end()
        assert not connection.was_cut
        connection.may_end.set()
        await pool.news.wait()
