"""Reads timers ahead of time, tells which still stand, and counts what is open or overdue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.rules import RungKey, RungKind
from shared.postgres import Connection, load_statements

STATEMENTS = load_statements(__name__)


async def load_timers(
    connection: Connection, partition: int, until: datetime, count: int, since: datetime | None = None
) -> list[Timer]:
    """At most ``count`` timers of a partition, earliest first, due after ``since`` and not after ``until``."""
    rows = await STATEMENTS["load_timers"].fetch(connection, partition=partition, since=since, until=until, count=count)
    return [
        Timer(
            clock_id=row["clock_id"],
            request_id=row["request_id"],
            cycle=row["cycle"],
            key=RungKey(RungKind(row["kind"]), row["level"]),
            generation=row["generation"],
            due_at=row["due_at"],
        )
        for row in rows
    ]


async def confirm_timers(connection: Connection, timers: Sequence[Timer]) -> list[Timer]:
    """Those that still stand as they were set: neither fired, nor moved, nor dropped."""
    rows = await STATEMENTS["confirm_timers"].fetch(
        connection,
        clock_ids=[timer.clock_id for timer in timers],
        cycles=[timer.cycle for timer in timers],
        kinds=[timer.key.kind for timer in timers],
        levels=[timer.key.level for timer in timers],
        generations=[timer.generation for timer in timers],
    )
    standing = {(row["clock_id"], row["cycle"], row["kind"], row["level"]) for row in rows}
    return [timer for timer in timers if (timer.clock_id, timer.cycle, *timer.key) in standing]


async def count_overdue(connection: Connection, partitions: Collection[int], now: datetime) -> int:
    """Timers that should have fired; up to 100,000."""
    count: int = await STATEMENTS["count_overdue"].fetchval(connection, partitions=list(partitions), now=now)
    return count


async def count_open_clocks(connection: Connection, partitions: Collection[int]) -> dict[tuple[str, str], int]:
    """Open clocks by objective and state."""
    rows = await STATEMENTS["count_open_clocks"].fetch(connection, partitions=list(partitions))
    return {(row["objective"], row["state"]): row["clocks"] for row in rows}
