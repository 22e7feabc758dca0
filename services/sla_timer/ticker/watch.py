"""Looks for changed rules every second and measures what is open and overdue every ten."""

from __future__ import annotations

import asyncio

from prometheus_client import Gauge

from services.sla_timer.handlers.rulebooks import Rulebooks
from services.sla_timer.store.timers import count_open_clocks, count_overdue
from shared.clock import Clock
from shared.contracts.topics import REQUESTS
from shared.errors import Retryable
from shared.inbox import Ownership
from shared.postgres import Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

OPEN_CLOCKS = Gauge(
    "punctual_sla_timer_open_clocks", "Open clocks of this process's partitions.", ["objective", "state"]
)
OVERDUE = Gauge("punctual_sla_timer_overdue_timers", "Timers of this process's partitions that should have fired.")

_LOOK_SECONDS = 1.0
_LOOKS_PER_MEASUREMENT = 10


class Watch:
    """A component. Trouble with Postgres is reported by those whose work it stops."""

    def __init__(self, database: Database, rulebooks: Rulebooks, ownership: Ownership, clock: Clock) -> None:
        self._database = database
        self._rulebooks = rulebooks
        self._ownership = ownership
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        looks = 0
        while not stopping.is_set():
            try:
                await self._rulebooks.refresh()
                if looks % _LOOKS_PER_MEASUREMENT == 0:
                    await self.measure()
            except Retryable as error:
                _log.warning("watching failed, will repeat", error=str(error))
            looks += 1
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await stopping.wait()
            except TimeoutError:
                continue

    async def measure(self) -> None:
        partitions = self._ownership.partitions(REQUESTS.name)
        async with self._database.connection() as connection:
            overdue = await count_overdue(connection, partitions, self._clock.now())
            clocks = await count_open_clocks(connection, partitions)
        OVERDUE.set(overdue)
        OPEN_CLOCKS.clear()
        for (objective, state), number in clocks.items():
            OPEN_CLOCKS.labels(objective, state).set(number)
