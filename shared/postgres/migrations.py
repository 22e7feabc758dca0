"""Forward-only migrations: schemas, login roles, then each numbered file once, with its checksum.

Files: ``shared/postgres/plumbing/*.sql`` for every schema, then ``services/<service>/migrations/*.sql``.
``{role}`` in a file stands for the service's login role. The administrator owns everything; a service gets exactly what
the files grant, and may read which files were applied (``shared/postgres/schema.py``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg

from shared.errors import ConfigurationError, DatabaseUnavailable, MigrationFailed
from shared.postgres.database import REFUSED, UNAVAILABLE
from shared.postgres.lock_waits import LONGEST_WAIT, Locks

_ROOT = Path(__file__).parents[2]
_PLUMBING = Path(__file__).parent / "plumbing"
_LOCK = 5_218_417  # any number; two migrators of one database take turns on it
_FILE = re.compile(r"^\d{4}_[a-z0-9_]+\.sql$")


@dataclass(frozen=True, slots=True)
class Migration:
    """Attributes:
    name: ``plumbing/0001_create_outbox_and_inbox`` or ``0001_create_requests``; applied in this order.
    sql: with ``{role}`` still in it.
    """

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations_of(service: str) -> list[Migration]:
    """The plumbing first, then the service's own files by number."""
    found = [Migration(f"plumbing/{path.stem}", path.read_text(encoding="utf-8")) for path in _files(_PLUMBING)]
    own = _ROOT / "services" / service / "migrations"
    return found + [Migration(path.stem, path.read_text(encoding="utf-8")) for path in _files(own)]


async def migrate_all(
    admin_url: str, services: Mapping[str, str], patience: timedelta = timedelta(seconds=30)
) -> list[str]:
    """Bring every service's schema up to date.

    Args:
        admin_url: a role that may create roles and schemas.
        services: service -> the database URL it will connect with; role and password are taken from it.
        patience: how long each migration is tried for while others hold locks that it needs, real time.

    Returns:
        What was applied now, as ``<service>: <migration>``.

    Raises:
        ConfigurationError: an applied file was changed afterwards, a URL has no role or password, or the
            administrator or the database is refused.
        DatabaseUnavailable: Postgres is away.
        MigrationFailed: Postgres refuses a migration, or its locks; those before it are applied.
    """
    try:
        async with _connected(admin_url) as connection, _connected(admin_url) as onlooker:
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
            await connection.execute(f"SET lock_timeout = {LONGEST_WAIT // timedelta(milliseconds=1)}")
            await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            locks = Locks(connection, onlooker, patience)
            applied: list[str] = []
            for service, url in services.items():
                await _ensure_role(connection, service, url)
                applied += [f"{service}: {name}" for name in await _migrate(connection, service, _role(url), locks)]
            return applied
    except REFUSED as error:
        place = urlsplit(admin_url).netloc.rpartition("@")[2]
        raise ConfigurationError(f"Postgres at {place} refuses the administrator: {error.args[0]}") from None
    except UNAVAILABLE as error:
        raise DatabaseUnavailable(f"Postgres did not answer: {type(error).__name__}") from error
    except asyncpg.PostgresError as error:
        raise MigrationFailed(f"Postgres refuses to migrate: {error.args[0]}") from None


@asynccontextmanager
async def _connected(admin_url: str) -> AsyncIterator[Any]:
    settings = {"timezone": "UTC", "application_name": "punctual migrate"}
    connection = await asyncpg.connect(admin_url, timeout=10, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


async def _ensure_role(connection: Any, service: str, url: str) -> None:
    role, password = _role(url), _password(url)
    exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if exists else "CREATE"
    statement = await connection.fetchval(
        f"SELECT format('{verb} ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %L', $1::text, $2::text)",
        role,
        password,
    )
    await connection.execute(statement)
    async with connection.transaction():
        await connection.execute(
            await connection.fetchval("SELECT format('CREATE SCHEMA IF NOT EXISTS %I', $1::text)", service)
        )
        await connection.execute(
            await connection.fetchval(
                "SELECT format('GRANT USAGE ON SCHEMA %I TO %I', $1::text, $2::text)", service, role
            )
        )


async def _migrate(connection: Any, service: str, role: str, locks: Locks) -> list[str]:
    await connection.execute(await connection.fetchval("SELECT format('SET search_path TO %I', $1::text)", service))
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration ("
        " name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    await connection.execute(
        await connection.fetchval("SELECT format('GRANT SELECT ON schema_migration TO %I', $1::text)", role)
    )
    done = {
        row["name"]: row["checksum"] for row in await connection.fetch("SELECT name, checksum FROM schema_migration")
    }
    applied: list[str] = []
    for migration in migrations_of(service):
        if migration.name in done:
            if done[migration.name] != migration.checksum:
                raise ConfigurationError(
                    f"migration {migration.name} of {service} was changed after it was applied; add a new file instead"
                )
            continue
        await locks.change(f"{migration.name} of {service}", partial(_apply, connection, migration, role))
        applied.append(migration.name)
    return applied


async def _apply(connection: Any, migration: Migration, role: str) -> None:
    await connection.execute(migration.sql.replace("{role}", role))
    await connection.execute(
        "INSERT INTO schema_migration (name, checksum) VALUES ($1, $2)", migration.name, migration.checksum
    )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.sql") if _FILE.match(path.name))


def _role(url: str) -> str:
    role = unquote(urlsplit(url).username or "")
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", role):
        raise ConfigurationError("a service's database URL must name its login role (lower-case letters, digits, _)")
    return role


def _password(url: str) -> str:
    password = unquote(urlsplit(url).password or "")
    if not password:
        raise ConfigurationError("a service's database URL must carry its role's password")
    return password
