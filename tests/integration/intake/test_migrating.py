"""Data from before a migration are what they were, and prove as much as they did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.postgres.migrations import migrations_of

OLD, YOUNG = UUID(int=1), UUID(int=2)
LEFT_BEFORE, LEFT_AFTER, LEFT = UUID(int=3), UUID(int=4), UUID(int=5)
"""Left their stage before they were put under another process, after it, and without that."""

SCORED_BEFORE, SCORED_AFTER, SCORED_ONCE = UUID(int=6), UUID(int=7), UUID(int=8)
"""Before they were reopened, after it, and never reopened."""

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
INSERT INTO request (request_id, reference, status_token, channel, kind, process, process_version, priority, market,
    language, customer_id, customer_tier, attributes, stage, pause_reasons, has_left_stage, is_responded, submitted_at,
    version, head)
SELECT id, id, id, 'app', 'claim', 'claim', 1, 'normal', 'HK', 'en', '{OLD}', 'standard', '{{}}', 'received',
    '{{}}', true, false, now(), 2, sha256('2')
FROM unnest(ARRAY['{LEFT_BEFORE}', '{LEFT_AFTER}', '{LEFT}']::uuid[]) AS id;
INSERT INTO request_event (request_id, sequence, type, data, occurred_at, recorded_at, caller, hash)
SELECT id, sequence, type, '{{}}', now(), now(), 'app', sha256('2') FROM (VALUES
    ('{LEFT_BEFORE}'::uuid, 1, 'stage_left'), ('{LEFT_BEFORE}', 2, 'process_changed'),
    ('{LEFT_AFTER}', 1, 'process_changed'), ('{LEFT_AFTER}', 2, 'stage_left'),
    ('{LEFT}', 1, 'acknowledged'), ('{LEFT}', 2, 'stage_left')
) AS told (id, sequence, type);
INSERT INTO request (request_id, reference, status_token, channel, kind, process, process_version, priority, market,
    language, customer_id, customer_tier, attributes, stage, pause_reasons, is_responded, submitted_at, version, head,
    cycle, score)
SELECT id, id, id, 'app', 'claim', 'claim', 1, 'normal', 'HK', 'en', '{OLD}', 'standard', '{{}}', 'received',
    '{{}}', false, now(), 3, sha256('3'), cycle, 2
FROM (VALUES ('{SCORED_BEFORE}'::uuid, 3), ('{SCORED_AFTER}', 2), ('{SCORED_ONCE}', 1)) AS scored (id, cycle);
INSERT INTO request_event (request_id, sequence, type, data, occurred_at, recorded_at, caller, hash)
SELECT id, sequence, type, '{{}}', now(), now(), 'app', sha256('2') FROM (VALUES
    ('{SCORED_BEFORE}'::uuid, 1, 'reopened'), ('{SCORED_BEFORE}', 2, 'feedback_given'),
    ('{SCORED_BEFORE}', 3, 'reopened'),
    ('{SCORED_AFTER}', 1, 'feedback_given'), ('{SCORED_AFTER}', 2, 'reopened'), ('{SCORED_AFTER}', 3, 'feedback_given'),
    ('{SCORED_ONCE}', 1, 'feedback_given')
) AS told (id, sequence, type);
INSERT INTO idempotency_key (caller, key, fingerprint, request_id, status, body) VALUES
    ('app', '1', sha256('1'), '{OLD}', 201,
        '{{"id":"1","reference":"R","external_id":"EXT \\"1\\"","attributes":{{"external_id":"x"}}}}'),
    ('app', '2', sha256('1'), '{OLD}', 201,
        '{{"id":"1","reference":"R","external_id":null,"attributes":{{"external_id":"x"}}}}'),
    ('app', '3', sha256('1'), '{OLD}', 201, '{{"reference":"R","id":"1"}}'),
    ('app', '4', sha256('1'), NULL, 200, '{{"id":"1","reference":"R","external_id":"x"}}');
"""


@pytest.fixture
async def before_0018(database_urls: dict[str, str]) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A schema as it was, with data; gone afterwards."""
    connection = await asyncpg.connect(database_urls["admin"])
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("CREATE SCHEMA before; SET LOCAL search_path TO before")
    for migration in migrations_of("intake"):
        if migration.name < "0018" or migration.name.startswith("plumbing/"):
            await connection.execute(migration.sql.replace("{role}", "PUBLIC"))
    await connection.execute(DATA)
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_it_is_kept_which_requests_were_there_before_the_chain(before_0018: asyncpg.Connection[Any]) -> None:
    await migrate(before_0018)
    rows = await before_0018.fetch("SELECT request_id, unchained FROM request ORDER BY request_id")
    assert {row["request_id"]: row["unchained"] for row in rows if row["unchained"]} == {OLD: 2}


async def test_a_stage_that_was_left_under_another_process_is_entered_anew(
    before_0018: asyncpg.Connection[Any],
) -> None:
    await migrate(before_0018)
    rows = await before_0018.fetch("SELECT request_id FROM request WHERE has_left_stage ORDER BY request_id")
    assert [row["request_id"] for row in rows] == [LEFT_AFTER, LEFT]


async def test_a_score_that_was_given_before_the_last_reopening_is_forgotten(
    before_0018: asyncpg.Connection[Any],
) -> None:
    await migrate(before_0018)
    rows = await before_0018.fetch("SELECT request_id FROM request WHERE score IS NOT NULL ORDER BY request_id")
    assert [row["request_id"] for row in rows] == [SCORED_AFTER, SCORED_ONCE]


async def test_kept_answers_lose_the_external_id_and_nothing_else(before_0018: asyncpg.Connection[Any]) -> None:
    await migrate(before_0018)
    rows = await before_0018.fetch("SELECT body FROM idempotency_key ORDER BY key")
    assert [row["body"] for row in rows] == [
        '{"id":"1","reference":"R","external_id":null,"attributes":{"external_id":"x"}}',
        '{"id":"1","reference":"R","external_id":null,"attributes":{"external_id":"x"}}',
        '{"reference":"R","id":"1"}',
        '{"id":"1","reference":"R","external_id":"x"}',
    ]


async def migrate(connection: asyncpg.Connection[Any]) -> None:
    """As far as there is anything."""
    for migration in migrations_of("intake"):
        if migration.name >= "0018" and not migration.name.startswith("plumbing/"):
            await connection.execute(migration.sql.replace("{role}", "PUBLIC"))
