"""API keys: prefixes, hashes of secrets, and what holds for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import asyncpg

from services.intake.domain.api_key import ApiKey, Role
from shared.errors import PunctualError
from shared.http.access.principal import Scope
from shared.postgres import Connection, Record, load_statements

_STATEMENTS = load_statements(__name__)


class NameTaken(PunctualError):
    """The name belongs to a holder of the other role; the transaction is spoilt."""


async def find_key(connection: Connection, prefix: str) -> ApiKey | None:
    row = await _STATEMENTS["select_api_key"].fetchrow(connection, prefix=prefix)
    return None if row is None else _key(row)


async def lock_key(connection: Connection, prefix: str) -> ApiKey | None:
    """The key, locked until the transaction ends. A second statement sees what the wait was for."""
    locked = await _STATEMENTS["lock_api_key"].fetchval(connection, prefix=prefix)
    return None if locked is None else await find_key(connection, prefix)


async def list_keys(connection: Connection, name: str | None, before: int | None, count: int) -> list[ApiKey]:
    """Keys with a number below ``before``, the newest first."""
    rows = await _STATEMENTS["list_api_keys"].fetch(connection, name=name, before=before, count=count)
    return [_key(row) for row in rows]


async def add_key(
    connection: Connection,
    *,
    prefix: str,
    secret_hash: bytes,
    name: str,
    role: Role,
    scopes: frozenset[Scope],
    rate_per_second: float | None,
    burst: int | None,
    created_at: datetime,
    created_by: str,
    expires_at: datetime | None,
    replaces: str | None = None,
) -> ApiKey:
    """
    Raises:
        NameTaken: keys of that name have the other role.
    """
    try:
        await _STATEMENTS["insert_api_key"].execute(
            connection,
            prefix=prefix,
            secret_hash=secret_hash,
            name=name,
            role=role,
            scopes=sorted(scopes),
            rate_per_second=rate_per_second,
            burst=burst,
            created_at=created_at,
            created_by=created_by,
            expires_at=expires_at,
            replaces=replaces,
        )
    except asyncpg.ForeignKeyViolationError:
        raise NameTaken(f"{name} has another role") from None
    found = await find_key(connection, prefix)
    assert found is not None  # it was written in this transaction
    return found


async def end_key(connection: Connection, prefix: str, expires_at: datetime) -> None:
    """Have the key work until then, real time."""
    await _STATEMENTS["end_api_key"].execute(connection, prefix=prefix, expires_at=expires_at)


async def revoke_key(connection: Connection, prefix: str, revoked_at: datetime, revoked_by: str) -> None:
    """A key that was revoked keeps when and by whom."""
    await _STATEMENTS["revoke_api_key"].execute(connection, prefix=prefix, revoked_at=revoked_at, revoked_by=revoked_by)


async def note_uses(connection: Connection, uses: Mapping[str, datetime]) -> None:
    """When keys were used last, by prefix."""
    prefixes = sorted(uses)
    await _STATEMENTS["note_key_uses"].execute(
        connection, prefixes=prefixes, used_ats=[uses[prefix] for prefix in prefixes]
    )


def _key(row: Record) -> ApiKey:
    return ApiKey(**{**row, "scopes": frozenset(map(Scope, row["scopes"]))})
