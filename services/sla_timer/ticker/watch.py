"""Looks for changed rules and modes every second and measures what is open and overdue every ten."""

from __future__ import annotations

import asyncio

from services.sla_timer.handlers import metrics
from services.sla_timer.handlers.modes import Modes
from services.sla_timer.handlers.rulebooks import Rulebooks
from services.sla_timer.store.shelf import Shelf
from services.sla_timer.store.timers import count_open_clocks, measure_overdue
from shared.clock import Clock
from shared.contracts.topics import REQUESTS
from shared.errors import Retryable
from shared.inbox import Ownership
from shared.postgres import Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_LOOK_SECONDS = 1.0
_LOOKS_PER_MEASUREMENT = 10


class Watch:
    """A component. Trouble with Postgres is reported by those whose work it stops."""

    def __init__(
        self,
        database: Database,
        rulebooks: Rulebooks,
        modes: Modes,
        ownership: Ownership,
        shelf: Shelf,
        clock: Clock,
    ) -> None:
        self._database = database
        self._rulebooks = rulebooks
        self._modes = modes
        self._ownership = ownership
        self._shelf = shelf
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        looks = 0
        while not stopping.is_set():
            try:
                await self._rulebooks.refresh()
                await self._modes.refresh()
                if looks % _LOOKS_PER_MEASUREMENT == 0:
                    await self.measure()
            except Retryable as error:
                _log.warning("watching failed, will repeat", error=str(error))
            looks += 1
            await first_of(_LOOK_SECONDS, stopping)

    async def measure(self) -> None:
        partitions = self._ownership.partitions(REQUESTS.name)
        now = self._clock.now()
        async with self._database.connection() as connection:
            overdue = await measure_overdue(connection, partitions, now)
            clocks = await count_open_clocks(connection, partitions)
        metrics.OVERDUE.set(overdue.timers)
        late = (now - overdue.oldest_at).total_seconds() / self._clock.speed if overdue.oldest_at is not None else 0.0
        metrics.OLDEST_OVERDUE.set(late)
        metrics.REQUESTS_IN_MEMORY.set(len(self._shelf))
        metrics.OPEN_CLOCKS.clear()
        for (objective, state), number in clocks.items():
            metrics.OPEN_CLOCKS.labels(objective, state).set(number)
