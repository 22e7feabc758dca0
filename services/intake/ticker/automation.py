"""Has rules look at new requests. What they have to look at is written with the request, so none is forgotten."""

from __future__ import annotations

import asyncio

from services.intake.domain.visibility import EVERYTHING
from services.intake.handlers.moving import Asking, Moving
from services.intake.store.automation import take_tasks
from shared.errors import ConfigurationError, Retryable
from shared.postgres import Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_BATCH = 50  # requests in a transaction: their locks are held for some tens of milliseconds
_PAUSE_SECONDS = 2.0


class Automator:
    """A component: works off what waits, looking every other second."""

    def __init__(self, database: Database, moving: Moving) -> None:
        self._database = database
        self._moving = moving

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                while await self.run_once() == _BATCH and not stopping.is_set():
                    pass
            except (Retryable, ConfigurationError) as error:
                _log.warning("rules will look at new requests later", error=str(error))
            await first_of(_PAUSE_SECONDS, stopping)

    async def run_once(self) -> int:
        """Look at one batch; gives its size."""
        async with self._database.transaction() as connection:
            references = await take_tasks(connection, _BATCH)
            for reference in sorted(references):
                await self._moving.look_at(connection, reference, Asking("automation", EVERYTHING))
        return len(references)
