"""Migrating a schema that is in use: nobody waits for long, and what does not work is one line."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from punctual.cli import main
from shared.clock import monotonic
from shared.errors import MigrationFailed
from shared.postgres import migrations
from shared.postgres.migrations import Migration, migrate_all, migrations_of

SERVICE = "quality_audit"
WIDEN = Migration("9998_widen_outbox", "ALTER TABLE outbox ADD note text")
READ = f"SELECT count(*) FROM {SERVICE}.outbox"


@pytest.fixture
def services(database_urls: dict[str, str]) -> dict[str, str]:
    return {SERVICE: database_urls[SERVICE]}


@pytest.fixture
async def slow(database_urls: dict[str, str]) -> AsyncIterator[Any]:
    """Somebody who has read the outbox in a transaction that is still open."""
    connection = await asyncpg.connect(database_urls["admin"], server_settings={"application_name": "slow reader"})
    await connection.execute("BEGIN")
    await connection.fetchval(READ)
    yield connection
    await connection.close()


def bring(monkeypatch: pytest.MonkeyPatch, migration: Migration) -> None:
    """A new version with one more migration."""
    newer = [*migrations_of(SERVICE), migration]
    monkeypatch.setattr(migrations, "migrations_of", lambda _: newer)


async def test_who_reads_waits_for_a_moment_only_while_migrating_waits_for_another(
    monkeypatch: pytest.MonkeyPatch, database_urls: dict[str, str], services: dict[str, str], slow: Any
) -> None:
    bring(monkeypatch, WIDEN)
    reader = await asyncpg.connect(database_urls["admin"])
    migrating = asyncio.create_task(migrate_all(database_urls["admin"], services))
    waits: list[float] = []
    while sum(wait > 1 for wait in waits) < 2:
        began = monotonic()
        await reader.fetchval(READ)
        waits.append(monotonic() - began)
    await slow.execute("ROLLBACK")
    assert await migrating == [f"{SERVICE}: {WIDEN.name}"]
    assert max(waits) < 3
    await reader.close()


async def test_when_patience_is_over_it_is_said_who_is_in_the_way(
    monkeypatch: pytest.MonkeyPatch, database_urls: dict[str, str], services: dict[str, str], slow: Any
) -> None:
    bring(monkeypatch, Migration("9999_narrow_outbox", "ALTER TABLE outbox DROP note"))
    who = rf"pid {slow.get_server_pid()} \(slow reader\)"
    with pytest.raises(MigrationFailed, match=rf"^9999_narrow_outbox of {SERVICE} waits for {who}; nothing of it was"):
        await migrate_all(database_urls["admin"], services, timedelta(seconds=1))


async def test_the_command_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    database_urls: dict[str, str],
    services: dict[str, str],
    slow: Any,
) -> None:
    bring(monkeypatch, Migration("9999_narrow_outbox", "ALTER TABLE outbox DROP note"))
    monkeypatch.setenv("PUNCTUAL_ADMIN_DATABASE_URL", database_urls["admin"])
    monkeypatch.setenv(f"PUNCTUAL_{SERVICE.upper()}_DATABASE_URL", services[SERVICE])
    monkeypatch.setattr(sys, "argv", ["punctual", "migrate", "--wait", "1"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert re.fullmatch(r"punctual: 9999_narrow_outbox of quality_audit waits for pid .*applied\n", said.out + said.err)
    assert not slow.is_closed()


async def test_what_postgres_refuses_is_named(
    monkeypatch: pytest.MonkeyPatch, database_urls: dict[str, str], services: dict[str, str]
) -> None:
    bring(monkeypatch, Migration("9999_divide", "SELECT 1 / 0"))
    with pytest.raises(MigrationFailed, match=f"^9999_divide of {SERVICE} is refused by Postgres: division by zero$"):
        await migrate_all(database_urls["admin"], services)
