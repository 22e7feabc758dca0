"""Fills sla_timer's schema with copies of a real request, so that a million pending timers take a minute, not an hour.

One request is submitted through Kafka and worked on by the service. Its rows are then copied with other ids and all
instants shifted, while the service is down. Budgets must be elapsed time: shifted working time would end elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka.partitioner import murmur2

from punctual.local.system import LocalSystem

_CLOCK_INSTANTS = ("started_at", "due_at", "ended_at", "next_at", "read_at")

_MAKE = "CREATE TEMP TABLE copy (request_id uuid, partition integer, reference text, shift interval)"
_NUMBER = """
INSERT INTO copy SELECT uuidv7(), i % $2, 'COPY-' || i, make_interval(secs => $3::float8 + i * $4::float8)
FROM generate_series(0, $1::integer - 1) AS i
"""
_REQUESTS = """
INSERT INTO sla_timer.tracked_request
    (request_id, reference, facts, policy_version, partition, correlation_id, traceparent, stage, team, last_heard)
SELECT c.request_id, c.reference, t.facts, t.policy_version, c.partition, t.correlation_id, t.traceparent, t.stage,
    t.team, t.last_heard
FROM copy AS c, sla_timer.tracked_request AS t WHERE t.request_id = $1
"""
_EVENTS = """
INSERT INTO sla_timer.request_event
    (request_id, origin, sequence, happening, value, details, occurred_at, recorded_at)
SELECT c.request_id, e.origin, e.sequence, e.happening, e.value, e.details, e.occurred_at + c.shift,
    e.recorded_at + c.shift
FROM copy AS c, sla_timer.request_event AS e WHERE e.request_id = $1
"""
_COUNTS = """
INSERT INTO sla_timer.clock_count AS n (partition, objective, state, clocks)
SELECT c.partition, k.objective, k.state, count(*)
FROM copy AS c, sla_timer.clock AS k WHERE k.request_id = $1 GROUP BY 1, 2, 3
ON CONFLICT (partition, objective, state) DO UPDATE SET clocks = n.clocks + excluded.clocks
"""


@dataclass(frozen=True, slots=True)
class Spread:
    """How the instants of copies are shifted.

    Attributes:
        first_seconds: of the first copy.
        step_seconds: how much more each next one.
    """

    first_seconds: float = 0.0
    step_seconds: float = 0.0


async def copy_request(
    system: LocalSystem, template: UUID, count: int, partitions: int, spread: Spread | None = None
) -> None:
    """Add copies that no event will concern; they lie evenly over the partitions."""
    spread = spread or Spread()
    connection = await asyncpg.connect(system.admin_database_url)
    try:
        await connection.execute(_MAKE)
        await connection.execute(_NUMBER, count, partitions, spread.first_seconds, spread.step_seconds)
        await _copy(connection, template)
    finally:
        await connection.close()


async def copy_request_as(system: LocalSystem, template: UUID, request_ids: Sequence[UUID], partitions: int) -> None:
    """Add copies with given ids, in the partitions that Kafka gives to their events."""
    connection = await asyncpg.connect(system.admin_database_url)
    try:
        await connection.execute(_MAKE)
        rows = [(r, partition_of(r, partitions), f"EVENT-{n}", None) for n, r in enumerate(request_ids)]
        await connection.copy_records_to_table("copy", records=rows)
        await connection.execute("UPDATE copy SET shift = interval '0'")
        await _copy(connection, template)
    finally:
        await connection.close()


async def settle_tables(system: LocalSystem) -> None:
    """What autovacuum would have done by the time that so many requests have come."""
    connection = await asyncpg.connect(system.admin_database_url)
    try:
        await connection.execute("VACUUM ANALYZE sla_timer.tracked_request")
        await connection.execute("VACUUM ANALYZE sla_timer.request_event")
        await connection.execute("VACUUM ANALYZE sla_timer.clock")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def partition_of(request_id: UUID, partitions: int) -> int:
    """As Kafka's default partitioner has it."""
    return int((murmur2(str(request_id).encode()) & 0x7FFFFFFF) % partitions)


async def _copy(connection: Any, template: UUID) -> None:
    await connection.execute("ANALYZE copy")
    await connection.execute(_REQUESTS, template)
    await connection.execute(_EVENTS, template)
    await connection.execute(await _clocks(connection), template)
    await connection.execute(_COUNTS, template)


async def _clocks(connection: Any) -> str:
    """The statement for clocks, whatever columns they have."""
    rows = await connection.fetch(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'sla_timer' AND table_name = 'clock' ORDER BY ordinal_position"
    )
    names = [row["column_name"] for row in rows]
    copied = {"request_id": "c.request_id", "partition": "c.partition", "clock_id": "gen_random_uuid()"}
    copied |= {name: f"k.{name} + c.shift" for name in _CLOCK_INSTANTS}
    values = ", ".join(copied.get(name, f"k.{name}") for name in names)
    return (
        f"INSERT INTO sla_timer.clock ({', '.join(names)}) SELECT {values}"
        " FROM copy AS c, sla_timer.clock AS k WHERE k.request_id = $1"
    )
