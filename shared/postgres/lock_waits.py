"""Changes to tables that others use: many short waits for their locks, and who is in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg

from shared.clock import monotonic
from shared.errors import MigrationFailed
from shared.postgres.database import UNAVAILABLE, Connection
from shared.waiting import first_of

LONGEST_WAIT = timedelta(seconds=2)
"""Who comes later waits behind a statement that waits, even if it would get along with those who hold the lock."""

_PAUSE_SECONDS = 1.0  # those who had to wait get through
_LOOK_SECONDS = 0.5

_IN_THE_WAY = """
SELECT DISTINCT pid, coalesce(nullif(application_name, ''), backend_type) AS name
FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1)) ORDER BY pid
"""


class Locks:
    """Args:
    connection: its ``lock_timeout`` is ``LONGEST_WAIT``.
    onlooker: another one, to see who is in the way of the first.
    patience: how long each change is tried for, real time.
    """

    def __init__(self, connection: Connection, onlooker: Connection, patience: timedelta) -> None:
        self._connection = connection
        self._onlooker = onlooker
        self._patience = patience

    async def change(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work in a transaction of its own, again until it gets its locks.

        Raises:
            MigrationFailed: it got none in time, or Postgres refuses it.
        """
        until = monotonic() + self._patience.total_seconds()
        while True:
            try:
                in_the_way = await self._try(work)
            except UNAVAILABLE:
                raise
            except asyncpg.PostgresError as error:  # its detail may repeat a row, which may be personal
                raise MigrationFailed(f"{name} is refused by Postgres: {error.args[0]}") from None
            if in_the_way is None:
                return
            if monotonic() + _PAUSE_SECONDS >= until:
                raise MigrationFailed(f"{name} waits for {in_the_way}; nothing of it was applied")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> str | None:
        """None when it is done, else who was in the way."""
        ended = asyncio.Event()
        looking = asyncio.create_task(self._look_on(ended))
        try:
            async with self._connection.transaction():
                await work()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            is_done = False
        else:
            is_done = True
        finally:
            ended.set()
            in_the_way = await looking
        return None if is_done else in_the_way

    async def _look_on(self, ended: asyncio.Event) -> str:
        """Postgres tells it only while somebody waits."""
        seen = "a lock"
        pid = self._connection.get_server_pid()
        while True:
            await first_of(_LOOK_SECONDS, ended)
            if ended.is_set():
                return seen
            rows = await self._onlooker.fetch(_IN_THE_WAY, pid)
            seen = ", ".join(f"pid {row['pid']} ({row['name']})" for row in rows) or seen
