"""Data from before a migration are what they were, and prove as much as they did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.postgres.migrations import migrations_of

OLD, YOUNG = UUID(int=1), UUID(int=2)

DATA = f"""
INSERT INTO customer (customer_id, channel, external_id, name, language, market, version, given_by, recorded_at)
VALUES ('{OLD}', 'app', 'C-1', 'Ann', 'en', 'HK', 1, '{OLD}', now());
INSERT INTO process_version (process, version, source, origin, author, reason, applied_at)
VALUES ('claim', 1, '', 'file', 'x', 'x', now());
INSERT INTO request (request_id, reference, status_token, channel, external_id, kind, process, process_version,
    priority, market, language, customer_id, customer_tier, attributes, stage, pause_reasons, is_responded,
    submitted_at, version, head)
SELECT id, id, id, 'app', 'EXT "1"', 'claim', 'claim', 1, 'normal', 'HK', 'en', '{OLD}', 'standard', '{{}}', 'received',
    '{{}}', false, now(), 3, sha256('3')
FROM unnest(ARRAY['{OLD}', '{YOUNG}']::uuid[]) AS id;
INSERT INTO request_event (request_id, sequence, type, data, occurred_at, recorded_at, caller, hash)
SELECT id, sequence, 'responded', '{{}}', now(), now(), 'app',
    CASE WHEN id = '{YOUNG}' OR sequence = 3 THEN sha256('3') END
FROM unnest(ARRAY['{OLD}', '{YOUNG}']::uuid[]) AS id, generate_series(1, 3) AS sequence;
INSERT INTO idempotency_key (caller, key, fingerprint, request_id, status, body) VALUES
    ('app', '1', sha256('1'), '{OLD}', 201,
        '{{"id":"1","reference":"R","external_id":"EXT \\"1\\"","attributes":{{"external_id":"x"}}}}'),
    ('app', '2', sha256('1'), '{OLD}', 201,
        '{{"id":"1","reference":"R","external_id":null,"attributes":{{"external_id":"x"}}}}'),
    ('app', '3', sha256('1'), '{OLD}', 201, '{{"reference":"R","id":"1"}}'),
    ('app', '4', sha256('1'), NULL, 200, '{{"id":"1","reference":"R","external_id":"x"}}');
"""


@pytest.fixture
async def before_0019(database_urls: dict[str, str]) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A schema as it was, with data; gone afterwards."""
    connection = await asyncpg.connect(database_urls["admin"])
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("CREATE SCHEMA before; SET LOCAL search_path TO before")
    for migration in migrations_of("intake"):
        if migration.name < "0019" or migration.name.startswith("plumbing/"):
            await connection.execute(migration.sql.replace("{role}", "PUBLIC"))
    await connection.execute(DATA)
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_it_is_kept_which_requests_were_there_before_the_chain(before_0019: asyncpg.Connection[Any]) -> None:
    await migrate(before_0019)
    rows = await before_0019.fetch("SELECT request_id, unchained FROM request ORDER BY request_id")
    assert [tuple(row) for row in rows] == [(OLD, 2), (YOUNG, 0)]


async def test_kept_answers_lose_the_external_id_and_nothing_else(before_0019: asyncpg.Connection[Any]) -> None:
    await migrate(before_0019)
    rows = await before_0019.fetch("SELECT body FROM idempotency_key ORDER BY key")
    assert [row["body"] for row in rows] == [
        '{"id":"1","reference":"R","external_id":null,"attributes":{"external_id":"x"}}',
        '{"id":"1","reference":"R","external_id":null,"attributes":{"external_id":"x"}}',
        '{"reference":"R","id":"1"}',
        '{"id":"1","reference":"R","external_id":"x"}',
    ]


async def migrate(connection: asyncpg.Connection[Any]) -> None:
    """As far as there is anything."""
    for migration in migrations_of("intake"):
        if migration.name >= "0019" and not migration.name.startswith("plumbing/"):
            await connection.execute(migration.sql.replace("{role}", "PUBLIC"))
