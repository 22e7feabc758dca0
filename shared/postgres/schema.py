"""Whether a service's schema is the one that its program was written for."""

from __future__ import annotations

import asyncpg

from shared.errors import ConfigurationError
from shared.postgres.database import Database
from shared.postgres.migrations import migrations_of
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)


async def check_schema(database: Database, service: str) -> None:
    """Refuse to start on a schema that lacks what the program relies on: else only the callers would notice.

    A schema that has more, because a newer version migrated it, is used and logged: to stop would help nobody while
    processes are replaced.

    Raises:
        ConfigurationError: a migration was not applied.
        DatabaseUnavailable: Postgres is away.
    """
    try:
        async with database.connection() as connection:
            applied = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migration")}
    except asyncpg.UndefinedTableError:
        applied = set()
    except asyncpg.InsufficientPrivilegeError:  # migrated last before services could read this
        raise ConfigurationError(f"the schema of {service} is older than the program; run `punctual migrate`") from None
    known = [migration.name for migration in migrations_of(service)]
    missing = [name for name in known if name not in applied]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ConfigurationError(f"the schema of {service} lacks {missing[0]}{more}; run `punctual migrate`")
    unknown = sorted(applied.difference(known))
    if unknown:
        _log.warning("the schema is newer than the program", unknown=unknown)
