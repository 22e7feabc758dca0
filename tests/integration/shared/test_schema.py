"""A service starts on the schema that it was written for, or says in one line what that lacks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from shared.errors import ConfigurationError
from shared.postgres import Database, check_schema
from shared.postgres.migrations import migrate_all, migrations_of
from tests.integration.shared.starting import ROOT, end_of

SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/migrations"))


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[Any]:
    """Afterwards every schema is whole again."""
    connection = await asyncpg.connect(database_urls["admin"])
    for service in SERVICES:
        await connection.execute(f"CREATE TABLE {service}.kept AS SELECT * FROM {service}.schema_migration")
    yield connection
    for service in SERVICES:
        await connection.execute(f"TRUNCATE {service}.schema_migration")
        await connection.execute(f"INSERT INTO {service}.schema_migration SELECT * FROM {service}.kept")
        await connection.execute(f"DROP TABLE {service}.kept")
    await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_without_the_last_migration_no_service_starts(
    administrator: Any, database_urls: dict[str, str], service: str, tmp_path: Path
) -> None:
    last = migrations_of(service)[-1].name
    await administrator.execute(f"DELETE FROM {service}.schema_migration WHERE name = $1", last)
    code, said = end_of(service, database_urls[service], tmp_path)
    assert (code, said) == (
        78,
        f"punctual {service}: the schema of {service} lacks {last}; run `punctual migrate`\n",
    )


async def test_a_schema_that_nobody_made_lacks_everything(database_urls: dict[str, str]) -> None:
    database = await Database.open(database_urls["intake"], schema="intakes", application_name="tests")
    more = len(migrations_of("intake")) - 1
    with pytest.raises(ConfigurationError, match=rf"lacks plumbing/0001_\w+ and {more} more; run `punctual migrate`"):
        await check_schema(database, "intake")
    await database.close()


async def test_a_schema_from_before_services_looked_is_told_and_mended_by_migrating(
    administrator: Any, database_urls: dict[str, str], open_database: Callable[[str], Awaitable[Database]]
) -> None:
    database = await open_database("intake")
    await administrator.execute("REVOKE SELECT ON intake.schema_migration FROM punctual_intake")
    with pytest.raises(ConfigurationError, match="the schema of intake is older than the program; run `punctual mi"):
        await check_schema(database, "intake")
    assert await migrate_all(database_urls["admin"], {"intake": database_urls["intake"]}) == []
    with capture_logs() as logs:
        await check_schema(database, "intake")
    assert logs == []


async def test_a_newer_schema_is_used_and_logged(
    administrator: Any, open_database: Callable[[str], Awaitable[Database]]
) -> None:
    await administrator.execute("INSERT INTO intake.schema_migration (name, checksum) VALUES ('9999_of_tomorrow', '')")
    with capture_logs() as logs:
        await check_schema(await open_database("intake"), "intake")
    assert [(log["log_level"], log["unknown"]) for log in logs] == [("warning", ["9999_of_tomorrow"])]
