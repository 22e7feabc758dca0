"""Encrypts customers' keys with the current master key, so that an old one can be given up.

For a service whose schema has a table ``customer_key (customer_id uuid PRIMARY KEY, wrapped bytea)`` that its role may
read and whose ``wrapped`` it may update. Nothing is scanned where the table has an index on the name of the master key:
``(substring(wrapped FROM 2 FOR get_byte(wrapped, 0)))``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from uuid import UUID

from prometheus_client import Gauge

from shared.encryption import CustomerKey, MasterKeys, Undecipherable
from shared.errors import ConfigurationError, Retryable
from shared.postgres import Connection, Database, Record
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

OLD_KEYS = Gauge(
    "punctual_customer_keys_old",
    "Customers' keys that are not encrypted with the current master key; counted up to 100,000.",
    ["service"],
)
MISSING = Gauge(
    "punctual_master_keys_missing",
    "Master keys that customers' keys are encrypted with and that are not configured.",
    ["service"],
)

_BATCH = 500  # a transaction of some tens of milliseconds
_PAUSE_SECONDS = 60.0  # between rounds; master keys change once in months
_COUNT_LIMIT = 100_000
_PROBES = 3  # one or two may be damaged and be left over when all others have gone on; three are not

_NAME = "substring(wrapped FROM 2 FOR get_byte(wrapped, 0))"
# From one name to the next by the index: as many look-ups as there are names.
_NAMES = f"""
WITH RECURSIVE found (name) AS (
    (SELECT {_NAME} FROM customer_key ORDER BY {_NAME} LIMIT 1)
    UNION ALL
    SELECT (SELECT {_NAME} FROM customer_key WHERE {_NAME} > found.name ORDER BY {_NAME} LIMIT 1)
    FROM found WHERE found.name IS NOT NULL
)
SELECT name FROM found WHERE name IS NOT NULL
"""  # noqa: S608  no part of it comes from outside
_COUNT = f"SELECT count(*) FROM (SELECT FROM customer_key WHERE {_NAME} = ANY($1::bytea[]) LIMIT $2) AS old"  # noqa: S608
_PROBE = f"SELECT customer_id, wrapped FROM customer_key WHERE {_NAME} = $1 LIMIT $2"  # noqa: S608
_TAKE = f"""
SELECT customer_id, wrapped FROM customer_key
WHERE {_NAME} = $1 AND customer_id <> ALL($2::uuid[])
LIMIT $3 FOR UPDATE SKIP LOCKED
"""  # noqa: S608
_STORE = """
UPDATE customer_key SET wrapped = news.wrapped
FROM unnest($1::uuid[], $2::bytea[]) AS news (customer_id, wrapped)
WHERE customer_key.customer_id = news.customer_id
"""


Tell = Callable[[Connection, Sequence[CustomerKey]], Awaitable[Collection[UUID]]]
"""Tells other services keys that were encrypted anew, in the transaction that stores them; gives whose it could tell.
The others stay as they are until the next round."""


class KeyRotation:
    """A component: looks every minute for keys that are encrypted with an old master key, and encrypts them anew."""

    def __init__(self, database: Database, master_keys: MasterKeys, service: str, tell: Tell | None = None) -> None:
        """Args:
        service: labels the metric.
        tell: for a service that tells its keys; what it told before would need the old master key for ever.
        """
        self._database = database
        self._master_keys = master_keys
        self._service = service
        self._tell = tell
        self._damaged: set[UUID] = set()
        self._trouble: str | None = None

    def trouble(self) -> str | None:
        """Which master key is wanted and missing; None when all is well. For readiness."""
        return self._trouble

    async def check(self) -> None:
        """Try each master key that customers' keys are encrypted with; for the start.

        Raises:
            ConfigurationError: names a master key that is another one than it was. One that is missing is no reason to
                stop: it may be given later.
            DatabaseUnavailable: Postgres went away.
        """
        async with self._database.connection() as connection:
            for name in await self._names(connection):
                if name in self._master_keys.secrets:
                    rows = await connection.fetch(_PROBE, name.encode(), _PROBES)
                    enough = 1 if name == self._master_keys.current else _PROBES
                    if len(rows) >= enough and not any(self._is_readable(row) for row in rows):
                        raise ConfigurationError(
                            f"PUNCTUAL_MASTER_KEYS: the key named {name} is not the one that the customers' keys are "
                            "encrypted with"
                        )
            await self._look(connection)

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                while await self.run_once() and not stopping.is_set():
                    pass
                async with self._database.connection() as connection:
                    await self._look(connection)
            except Retryable as error:
                _log.warning("old customer keys stay for now", error=str(error))
            await first_of(_PAUSE_SECONDS, stopping)

    async def run_once(self) -> int:
        """Look after one batch; gives how many need not be looked at again."""
        async with self._database.transaction() as connection:
            for name in self._master_keys.secrets:
                if name != self._master_keys.current:
                    rows = await connection.fetch(_TAKE, name.encode(), list(self._damaged), _BATCH)
                    if rows and (done := await self._rewrap(connection, rows)):
                        return done
        return 0

    async def _rewrap(self, connection: Connection, rows: list[Record]) -> int:
        anew: list[CustomerKey] = []
        damaged = 0
        for row in rows:
            customer_id = row["customer_id"]
            try:
                key = self._master_keys.unwrap(customer_id, row["wrapped"])
            except Undecipherable:
                self._damaged.add(customer_id)
                damaged += 1
                _log.error("a customer's key is damaged", customer_id=str(customer_id))
            else:
                anew.append(self._master_keys.rewrap(key))
        if self._tell is not None and anew:
            told = await self._tell(connection, anew)
            anew = [key for key in anew if key.customer_id in told]
        await connection.execute(_STORE, [key.customer_id for key in anew], [key.wrapped for key in anew])
        return len(anew) + damaged

    async def _look(self, connection: Connection) -> None:
        """Count what is left, and notice what cannot be read."""
        old = [name for name in await self._names(connection) if name != self._master_keys.current]
        count = await connection.fetchval(_COUNT, [name.encode() for name in old], _COUNT_LIMIT)
        OLD_KEYS.labels(self._service).set(count)
        missing = self._master_keys.missing(old)
        MISSING.labels(self._service).set(len(missing))
        self._trouble = f"PUNCTUAL_MASTER_KEYS holds no key named {', '.join(missing)}" if missing else None
        if self._trouble:
            _log.warning("customers' keys cannot be decrypted", error=self._trouble)

    async def _names(self, connection: Connection) -> list[str]:
        return [row["name"].decode("ascii", "replace") for row in await connection.fetch(_NAMES)]

    def _is_readable(self, row: Record) -> bool:
        try:
            self._master_keys.unwrap(row["customer_id"], row["wrapped"])
        except Undecipherable:
            return False
        return True
