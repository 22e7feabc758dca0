"""Adds the notes of the counts up, so that a summary has few rows to read."""

from __future__ import annotations

import asyncio

from services.intake.store.lookups import add_counts_up
from shared.errors import DatabaseUnavailable
from shared.postgres import Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_EVERY_SECONDS = 2.0
"""At a thousand requests a second that is some two thousand notes, which a summary reads in a millisecond."""


class CountKeeper:
    """A component."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await self.run_once()
            except DatabaseUnavailable as error:
                _log.warning("the counts could not be added up", error=str(error))
            await first_of(_EVERY_SECONDS, stopping)

    async def run_once(self) -> int:
        """The number of notes that went into the counts."""
        async with self._database.transaction() as connection:
            return await add_counts_up(connection)
