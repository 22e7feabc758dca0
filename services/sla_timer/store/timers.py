"""Reads timers ahead of time, and measures what is overdue and open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.sla_timer.domain.clocks import Timer
from services.sla_timer.store.tracked import read_rungs
from shared.postgres import Connection, load_statements

STATEMENTS = load_statements(__name__)


async def load_timers(
    connection: Connection, partition: int, until: datetime, count: int, since: datetime | None = None
) -> list[Timer]:
    """At most ``count`` timers of a partition, earliest first, due after ``since`` and not after ``until``."""
    rows = await STATEMENTS["load_timers"].fetch(connection, partition=partition, since=since, until=until, count=count)
    return [
        Timer(
            request_id=row["request_id"],
            objective=row["objective"],
            cycle=row["cycle"],
            key=read_rungs(row["next_rung"])[0],
            generation=row["generation"],
            due_at=row["next_at"],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Overdue:
    """Timers that should have fired.

    Attributes:
        timers: how many, up to 100,000.
        oldest_at: when the first of them was due; None when there is none.
    """

    timers: int
    oldest_at: datetime | None


async def measure_overdue(connection: Connection, partitions: Collection[int], now: datetime) -> Overdue:
    row = await STATEMENTS["measure_overdue"].fetchrow(connection, partitions=list(partitions), now=now)
    assert row is not None  # an aggregate without grouping always gives a row
    return Overdue(row["timers"], row["oldest_at"])


async def count_open_clocks(connection: Connection, partitions: Collection[int]) -> dict[tuple[str, str], int]:
    """Open clocks by objective and state."""
    rows = await STATEMENTS["count_open_clocks"].fetch(connection, partitions=list(partitions))
    return {(row["objective"], row["state"]): row["clocks"] for row in rows}
