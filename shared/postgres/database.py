"""A service's pool of connections to its schema."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from shared.errors import ConfigurationError, DatabaseUnavailable
from shared.postgres.commits import Commits

Connection = Any
"""An asyncpg connection; the library is untyped."""

Record = Any

UNAVAILABLE: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
)
"""After any of these the same transaction can be tried again; whether the last one committed may be unknown."""


REFUSED: tuple[type[BaseException], ...] = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ClientConfigurationError,
)
"""Any of these means that the URL is wrong. The last is among the ``UNAVAILABLE``, too: ask for these first."""


UNSTORABLE: tuple[type[BaseException], ...] = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""After any of these the same transaction fails again: what it writes is what the schema refuses."""

_SILENCE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 70_000}
"""Seconds, a number of tries, and milliseconds for what was sent: longer than any statement may take."""

_CLOSING_SECONDS = 10.0  # for what is under way; a COMMIT that still waits goes on without us


class Database:
    """Connections whose ``search_path`` is the service's schema."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._commits = Commits(pool)
        self._after_commit: dict[Connection, list[Callable[[], None]]] = {}

    @classmethod
    async def open(
        cls, url: str, *, schema: str, application_name: str, min_size: int = 1, max_size: int = 10
    ) -> Database:
        """Open the pool; waits for a server that is still starting.

        Raises:
            ConfigurationError: it refuses the role or its password, or has no such database.
            DatabaseUnavailable: it did not come up within a minute.
        """
        settings = {
            "search_path": schema,
            "application_name": application_name,
            "timezone": "UTC",
            # A process stopped in the middle of a transaction must not keep its row locks from its successor.
            "idle_in_transaction_session_timeout": "10s",
            "statement_timeout": "60s",
            "lock_timeout": "20s",
            # Short transactions of prepared statements: compiling them costs more than it gains.
            "jit": "off",
        }
        last: BaseException | None = None
        for _ in range(120):
            try:
                pool = await asyncpg.create_pool(
                    url,
                    min_size=min_size,
                    max_size=max_size,
                    timeout=5,
                    command_timeout=65,
                    server_settings=settings,
                    max_inactive_connection_lifetime=0,
                    init=_notice_silence,
                    reset=_keep_session,
                )
            except REFUSED as error:
                raise ConfigurationError(f"the database URL of {schema} is refused: {error.args[0]}") from None
            except UNAVAILABLE as error:
                last = error
                await asyncio.sleep(0.5)
            else:
                return cls(pool)
        raise DatabaseUnavailable(f"Postgres did not answer: {type(last).__name__}") from last

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection outside a transaction.

        Raises:
            DatabaseUnavailable: the server went away.
        """
        with _failures_told():
            async with self._pool.acquire(timeout=15) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction (read committed), committed when the block ends without an error.

        Who is cancelled while it commits leaves at once, and the connection is in use until the COMMIT has ended.
        For a part that may fail alone there is ``savepoint``.

        Raises:
            DatabaseUnavailable: the server went away; whether the commit happened may be unknown.
        """
        with _failures_told():
            connection = await self._pool.acquire(timeout=15)
            try:
                callbacks: list[Callable[[], None]] = []
                self._after_commit[connection] = callbacks
                try:
                    await _begin(connection)
                    try:
                        yield connection
                    except BaseException:
                        await connection.execute("ROLLBACK")
                        raise
                    await self._commits.commit(connection)
                finally:
                    del self._after_commit[connection]
                for callback in callbacks:
                    callback()
            finally:
                await self._commits.release(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A connection that sees everything as it is at its first statement, and writes nothing.

        Raises:
            DatabaseUnavailable: the server went away.
        """
        async with self.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection

    def after_commit(self, connection: Connection, callback: Callable[[], None]) -> None:
        """Have ``callback`` called once the transaction that is open on ``connection`` has committed.

        It runs right after the COMMIT, before ``transaction()`` returns to whoever opened it. It never runs when the
        transaction was rolled back, nor when the commit raised or was given up; then it may have happened nevertheless
        or happen yet, so what is kept in memory of the rows must be read again. It must not raise: what it belongs to
        has happened.

        Raises:
            KeyError: no block of ``transaction()`` is open on it.
        """
        self._after_commit[connection].append(callback)

    async def ping(self) -> None:
        async with self.connection() as connection:
            await connection.fetchval("SELECT 1")

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), timeout=_CLOSING_SECONDS)
        except UNAVAILABLE:
            self._pool.terminate()
        await self._commits.end()


@asynccontextmanager
async def savepoint(connection: Connection) -> AsyncIterator[None]:
    """A part of the open transaction: when the block fails, what it wrote is undone and the rest stays."""
    await connection.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        await connection.execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
        raise
    await connection.execute("RELEASE SAVEPOINT part")


@contextmanager
def _failures_told() -> Iterator[None]:
    """What can be tried again as ``DatabaseUnavailable``."""
    try:
        yield
    except asyncpg.PostgresError as error:
        error.detail = None  # it repeats the row, which may be personal, and errors end up in logs
        if isinstance(error, UNAVAILABLE):
            raise DatabaseUnavailable(f"Postgres went away: {type(error).__name__}: {error}") from error
        raise
    except UNAVAILABLE as error:
        raise DatabaseUnavailable(f"Postgres went away: {type(error).__name__}: {error}") from error


async def _begin(connection: Connection) -> None:
    try:
        await connection.execute("BEGIN")
    except asyncio.CancelledError:
        await connection.execute("ROLLBACK")  # it may have begun nevertheless
        raise


async def _notice_silence(connection: Connection) -> None:
    """Have the system close a connection whose server is gone without a word, as when its machine died.

    Within some seventy seconds; nothing else would end a COMMIT that waits there.
    """
    wire = connection._transport.get_extra_info("socket")  # noqa: SLF001  the library offers no other way
    if wire.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SILENCE.items():
        option = getattr(socket, name, None)  # systems differ in what they have
        if option is not None:
            wire.setsockopt(socket.IPPROTO_TCP, option, value)


async def _keep_session(connection: Connection) -> None:
    """Open transactions are rolled back by the pool; beyond them nothing here changes a session, so nothing is reset.

    The library's way is another round trip each time a connection is given back.
    """
