"""COMMITs, which nobody cuts short.

Where commits wait for an archive, Postgres has committed on its own disk before it waits. A session that is asked to
cancel then stops waiting and shows what it wrote, so a repeat would be told of what no archive has. The client library
asks for that when whoever awaits a statement is cancelled, and when its time is over. So a COMMIT runs in a task of its
own and without a time limit. Whoever gives it up is told at once; its connection is in use until Postgres answers.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

_PATIENCE_SECONDS = 65.0  # as long as any other statement may take
_UNLIMITED_SECONDS = timedelta(days=365).total_seconds()  # the library has no word for "for ever"
_ENDING_SECONDS = 5.0


class Commits:
    """Commits on connections of a pool and gives them back to it, those of COMMITs that were given up at their end."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._given_up: dict[Any, asyncio.Task[None]] = {}

    async def commit(self, connection: Any) -> None:
        """Commit what is open on it.

        Raises:
            TimeoutError: Postgres has not answered for long. It may yet commit.
        """
        task = asyncio.create_task(self._commit(connection))
        task.add_done_callback(_heard)
        try:
            await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
        finally:
            if not task.done():
                self._given_up[connection] = task
        if not task.done():
            raise TimeoutError(f"COMMIT took longer than {_PATIENCE_SECONDS:g} s")
        task.result()

    async def release(self, connection: Any) -> None:
        """Give it back, or leave that to the COMMIT that was given up."""
        if connection not in self._given_up:
            await self._pool.release(connection)

    async def end(self) -> None:
        """See those off that were given up; their connections are closed."""
        if self._given_up:
            await asyncio.wait(set(self._given_up.values()), timeout=_ENDING_SECONDS)

    async def _commit(self, connection: Any) -> None:
        try:
            await connection.execute("COMMIT", timeout=_UNLIMITED_SECONDS)
        finally:
            if self._given_up.pop(connection, None) is not None:
                await self._pool.release(connection)


def _heard(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()  # an error that is never read would be a complaint
