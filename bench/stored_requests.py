"""Many requests in intake's tables at once, as years of work would leave them: copies of one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

TEAMS = 8

_COPY_REQUESTS = """
INSERT INTO request (
    request_id, reference, status_token, channel, external_id, kind, process, process_version, product_line, priority,
    market, language, customer_id, customer_tier, attributes, stage, pause_reasons, is_responded, submitted_at, version,
    team, handler, ended_as, outcome, closed_at
)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'R' || n, 'T' || n, CASE n % 3 WHEN 0 THEN 'web' ELSE 'app' END, 'EXT-' || n,
    kind, process, process_version, product_line, CASE n % 50 WHEN 0 THEN 'urgent' ELSE 'normal' END,
    market, language, customer_id, customer_tier, attributes,
    CASE n % 4 WHEN 0 THEN 'received' ELSE 'assessment' END, '{}', false, $3::timestamptz + n * interval '1 minute', 1,
    'team_' || n % $5::integer, CASE WHEN n % 1000 = 0 THEN 's-1' END,
    CASE WHEN n % 20 <> 0 THEN 'closed' END, CASE WHEN n % 20 <> 0 THEN 'paid' END,
    CASE WHEN n % 20 <> 0 THEN $3::timestamptz + n * interval '1 minute' END
FROM request, generate_series($1::integer, $2::integer) AS n
WHERE request_id = $4
"""
_COPY_ENTRIES = """
INSERT INTO request_event (request_id, sequence, type, data, occurred_at, recorded_at, caller)
SELECT request_id, 1, 'submitted', '{}', submitted_at, submitted_at, channel
FROM request WHERE request_id BETWEEN lpad(to_hex($1::integer), 32, '0')::uuid
    AND lpad(to_hex($2::integer), 32, '0')::uuid
"""
_COPY_DEADLINES = """
INSERT INTO deadline (clock_id, request_id, objective, cycle, state, due_at, is_warned, escalation_level)
SELECT request_id, request_id, 'resolution', 1, CASE WHEN ended_as IS NULL THEN 'running' ELSE 'met' END,
    submitted_at + interval '8 hours', false, 0
FROM request WHERE request_id BETWEEN lpad(to_hex($1::integer), 32, '0')::uuid
    AND lpad(to_hex($2::integer), 32, '0')::uuid
"""


async def copy_requests(connection: Any, model: UUID, first: int, last: int, begin_at: datetime) -> None:
    """One in twenty is not over, each team has its share, one in a thousand has a handler.

    Args:
        connection: of the administrator, in intake's schema, inside a transaction.
        model: the request that is copied.
        first, last: numbers of the copies, both inclusive.
        begin_at: before the first copy; the others follow a minute apart.
    """
    await connection.execute(_COPY_REQUESTS, first, last, begin_at, model, TEAMS)
    await connection.execute(_COPY_ENTRIES, first, last)
    await connection.execute(_COPY_DEADLINES, first, last)
