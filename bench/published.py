"""When all that intake accepted is on Kafka."""

from __future__ import annotations

import asyncio
from datetime import datetime

import asyncpg

from punctual.local.system import LocalSystem
from shared.clock import monotonic, real_now

_POLL_SECONDS = 0.05
_LIMIT_SECONDS = 120.0


async def all_published_at(system: LocalSystem) -> datetime:
    """When nothing waited in intake's outbox any more, real time."""
    connection = await asyncpg.connect(system.admin_database_url)
    until = monotonic() + _LIMIT_SECONDS
    try:
        while await connection.fetchval("SELECT EXISTS (SELECT FROM intake.outbox)"):
            if monotonic() > until:
                raise TimeoutError("intake's outbox is never empty")
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        await connection.close()
    return real_now()
