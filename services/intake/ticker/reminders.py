"""Says reminders when they are due. When to look is written with what it follows from, so none is forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from prometheus_client import Counter, Histogram

from services.intake.handlers.automations import Automations
from services.intake.handlers.reminding import Progress, Reminding
from services.intake.store.reminders import next_look_at
from shared.clock import Clock
from shared.errors import ConfigurationError, Retryable
from shared.postgres import Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

REMINDERS = Counter("punctual_intake_reminders_total", "Reminders said.", ["rule"])
LATENESS = Histogram(
    "punctual_intake_reminder_lateness_seconds",
    "Real seconds between the instant at which a reminder was to be said and its recording.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 86_400),
)

_BATCH = 50  # requests in a transaction: their locks are held for some tens of milliseconds
_LONGEST_PAUSE_SECONDS = 1.0
"""A timer that was set meanwhile and is due before the next look is late by this much at most."""
_BREATH_SECONDS = 0.02  # between two batches of a sweep, and before another look at what somebody works on
_GRACE = timedelta(seconds=30)  # every process has looked several times for new rules by then


class Reminder:
    """A component: wakes for the earliest timer, and looks at least every second."""

    def __init__(
        self,
        database: Database,
        reminding: Reminding,
        automations: Automations,
        clock: Clock,
        grace: timedelta = _GRACE,
    ) -> None:
        """Args:
        grace: real time until rules that are new are taken to be known to every process.
        """
        self._database = database
        self._reminding = reminding
        self._automations = automations
        self._clock = clock
        self._grace = grace
        self._swept: int | None = None  # the version of the rules that has reached every request

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            pause = _LONGEST_PAUSE_SECONDS
            try:
                if await self.run_once() == _BATCH:
                    continue
                is_sweeping = await self.sweep_once() is Progress.GOING
                pause = _BREATH_SECONDS if is_sweeping else await self._pause()
            except (Retryable, ConfigurationError) as error:
                _log.warning("reminders are said later", error=str(error))
            await first_of(pause, stopping)

    async def run_once(self) -> int:
        """Say what is due of one batch; gives its size."""
        async with self._database.transaction() as connection:
            done = await self._reminding.fire(connection, _BATCH)
        for said in done.said:
            REMINDERS.labels(said.rule).inc()
            LATENESS.observe(said.lateness.total_seconds())
        return done.looked

    async def sweep_once(self) -> Progress:
        """Have new rules reach one batch of requests."""
        version = self._automations.in_force.version.version
        if version == self._swept:
            return Progress.DONE
        async with self._database.transaction() as connection:
            progress = await self._reminding.sweep(connection, _BATCH, self._grace)
        if progress is Progress.DONE:
            self._swept = version
        return progress

    async def _pause(self) -> float:
        async with self._database.connection() as connection:
            look_at = await next_look_at(connection)
        until = _LONGEST_PAUSE_SECONDS if look_at is None else self._clock.real_seconds_until(look_at)
        return min(max(until, _BREATH_SECONDS), _LONGEST_PAUSE_SECONDS)
