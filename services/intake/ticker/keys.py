"""Forgets idempotency keys that nobody will repeat any more.

How old an answer is Postgres' clock says, which dated it. A repeat of what was forgotten too early would be a second
request; so nothing is forgotten while this machine's clock says otherwise, because either may be the wrong one.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.intake.store.answers import forget_answers
from shared.errors import Retryable
from shared.postgres import ClockCheck, Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_BATCH = 5_000  # a transaction of some tens of milliseconds, so that nobody waits behind it
_PAUSE_SECONDS = 600.0


class KeyKeeper:
    """A component: deletes answers older than ``keep``, real time."""

    def __init__(self, database: Database, keep: timedelta, clock_check: ClockCheck) -> None:
        self._database = database
        self._keep = keep
        self._clock_check = clock_check

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                while await self.run_once() == _BATCH and not stopping.is_set():
                    pass
            except Retryable as error:
                _log.warning("old idempotency keys stay for now", error=str(error))
            await first_of(_PAUSE_SECONDS, stopping)

    async def run_once(self) -> int:
        """Delete one batch; gives its size.

        Raises:
            ClocksDisagree: nothing was deleted.
        """
        async with self._database.transaction() as connection:
            await self._clock_check.check(connection)
            return await forget_answers(connection, self._keep, _BATCH)
