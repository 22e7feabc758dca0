"""What the benchmarks of timers share: a system with sla_timer alone, requests to copy, the decisions made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

import asyncpg

from bench.lives import Life
from bench.positions import is_drained, open_positions
from bench.preload import FIRED, PENDING, write_all
from bench.rig import POLICIES, running_system
from punctual.local.system import LocalSystem
from shared.clock import real_now
from shared.kafka import OutgoingRecord

PARTITIONS = 8
BUDGET = timedelta(hours=1)  # of the policy for `fired` in policies/timers.yml
_LIMIT_SECONDS = 900.0

_DECIDED = """
SELECT d.true_at, d.recorded_at, c.partition FROM sla_timer.decision AS d
JOIN sla_timer.clock AS c USING (clock_id, cycle)
WHERE d.kind = 'breach' AND d.recorded_at >= $1 ORDER BY d.decision_id
"""
_DOUBLES = """
SELECT count(*) FROM (
    SELECT FROM sla_timer.decision WHERE withdrawn_at IS NULL GROUP BY clock_id, cycle, kind, level HAVING count(*) > 1
) AS twice
"""
_COMMITTED = "SELECT count(*) FROM sla_timer.decision WHERE kind = 'breach' AND recorded_at >= $1"
_OWNERS = "SELECT partition, owner FROM sla_timer.inbox_position WHERE topic = 'punctual.requests'"


@dataclass(frozen=True, slots=True)
class Fired:
    """A breach that a timer brought.

    Attributes:
        due_at: when it became true.
        recorded_at: when it was decided, just before the transaction that wrote it.
    """

    due_at: datetime
    recorded_at: datetime
    partition: int

    @property
    def lateness_seconds(self) -> float:
        return (self.recorded_at - self.due_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Templates:
    """Requests to copy.

    Attributes:
        fired: its breach comes at ``fired_due_at``.
        pending: its rungs lie months ahead.
    """

    fired: UUID
    fired_due_at: datetime
    pending: UUID


@contextmanager
def timer_system() -> Iterator[LocalSystem]:
    environment = {"PUNCTUAL_SLA_TIMER_POLICIES_FILE": str(POLICIES / "timers.yml")}
    with running_system(services=("sla_timer",), environment=environment) as system:
        yield system


async def make_templates(system: LocalSystem) -> Templates:
    """Have the service work on one request of each sort."""
    now = real_now()
    submitted_at = now - BUDGET / 2
    fired, pending = Life(), Life()
    await deliver(
        system, [fired.submits(submitted_at, now, FIRED), pending.submits(submitted_at, now, PENDING)], handled_before=0
    )
    return Templates(fired.request_id, submitted_at + BUDGET, pending.request_id)


async def deliver(system: LocalSystem, records: Iterable[OutgoingRecord], handled_before: int) -> int:
    """Write events and return when they are worked on; gives how many were handled in all."""
    handled = handled_before + await write_all(system.kafka_bootstrap, records)
    async with open_positions(system) as positions:
        await positions.wait_until(is_drained(handled), _LIMIT_SECONDS)
    return handled


async def fired_since(system: LocalSystem, since: datetime) -> list[Fired]:
    """The breaches decided since an instant, in the order they were decided."""
    connection = await asyncpg.connect(system.admin_database_url)
    try:
        return [Fired(*row) for row in await connection.fetch(_DECIDED, since)]
    finally:
        await connection.close()


async def doubled(system: LocalSystem) -> int:
    connection = await asyncpg.connect(system.admin_database_url)
    try:
        count: int = await connection.fetchval(_DOUBLES)
    finally:
        await connection.close()
    return count


async def wait_for_fired(
    system: LocalSystem, since: datetime, count: int, limit_seconds: float
) -> tuple[datetime, datetime]:
    """Wait until so many breaches are committed; when the first and the last of them were seen.

    Raises:
        TimeoutError: they do not come.
    """
    connection = await asyncpg.connect(system.admin_database_url)
    first_at: datetime | None = None
    try:
        async with asyncio.timeout(limit_seconds):
            while True:
                number = await connection.fetchval(_COMMITTED, since)
                now = real_now()
                if number and first_at is None:
                    first_at = now
                if number >= count and first_at is not None:
                    return first_at, now
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def owners_of_partitions(system: LocalSystem) -> dict[int, str]:
    connection = await asyncpg.connect(system.admin_database_url)
    try:
        return {row["partition"]: row["owner"] for row in await connection.fetch(_OWNERS)}
    finally:
        await connection.close()


def transactions_out_of_order(fired: Sequence[Fired]) -> int:
    """How many transactions fired something that was due before what an earlier one fired."""
    wrong = 0
    latest: datetime | None = None
    for _, group in groupby(fired, key=lambda entry: entry.recorded_at):
        due_ats = [entry.due_at for entry in group]
        wrong += latest is not None and min(due_ats) < latest
        latest = max(due_ats)
    return wrong
