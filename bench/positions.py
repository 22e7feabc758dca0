"""How far sla_timer has come, read from its schema by the administrator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from punctual.local.system import LocalSystem
from shared.clock import monotonic
from shared.contracts.topics import REQUESTS

_POLL_SECONDS = 0.05

_STATE = """
SELECT clock_timestamp() AS read_at,
    (SELECT coalesce(sum(next_offset), 0)::bigint FROM sla_timer.inbox_position WHERE topic = $1) AS handled,
    (SELECT min(taken_at) FROM sla_timer.inbox_position WHERE topic = $1) AS taken_at,
    EXISTS (SELECT FROM sla_timer.outbox) AS has_unpublished
"""


@dataclass(frozen=True, slots=True)
class Position:
    """Attributes:
    handled: request events whose transaction is committed, over all partitions.
    taken_at: when the present owner took the first of its partitions.
    has_unpublished: whether events of sla_timer wait in its outbox.
    """

    read_at: datetime
    handled: int
    taken_at: datetime | None
    has_unpublished: bool


class Positions:
    """An open connection that reads positions."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def read(self) -> Position:
        return Position(**await self._connection.fetchrow(_STATE, REQUESTS.name))

    async def wait_until(self, condition: Callable[[Position], bool], limit_seconds: float) -> list[Position]:
        """Read again and again until the condition holds; everything read.

        Raises:
            TimeoutError: it does not come to hold.
        """
        seen = [await self.read()]
        until = monotonic() + limit_seconds
        while not condition(seen[-1]):
            if monotonic() > until:
                raise TimeoutError(f"sla_timer stands at {seen[-1]}")
            await asyncio.sleep(_POLL_SECONDS)
            seen.append(await self.read())
        return seen


@asynccontextmanager
async def open_positions(system: LocalSystem) -> AsyncIterator[Positions]:
    connection = await asyncpg.connect(system.admin_database_url)
    try:
        yield Positions(connection)
    finally:
        await connection.close()


def is_drained(count: int) -> Callable[[Position], bool]:
    """Whether ``count`` events are handled and everything about them is on Kafka."""
    return lambda position: position.handled >= count and not position.has_unpublished


def middle_rate(seen: list[Position], count: int) -> float:
    """Events per second between the first and the last tenth, where neither start nor end weighs."""
    middle = [position for position in seen if 0.1 * count <= position.handled <= 0.9 * count]
    if len(middle) < 2:
        return float("nan")
    return (middle[-1].handled - middle[0].handled) / (middle[-1].read_at - middle[0].read_at).total_seconds()
