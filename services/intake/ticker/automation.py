"""Has rules look at new requests. What they have to look at is written with the request, so none is forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.intake.domain.visibility import EVERYTHING
from services.intake.handlers.asking import Asking
from services.intake.handlers.moving import Moving
from services.intake.store.automation import set_tasks_aside, take_tasks
from shared.errors import Retryable
from shared.postgres import Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_BATCH = 50  # requests in a transaction: their locks are held for some tens of milliseconds
_PAUSE_SECONDS = 2.0
_LATER = timedelta(hours=1)  # real time; what fails on one request must neither hold up the others nor end the process


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
            except Retryable as error:
                _log.warning("rules will look at new requests later", error=str(error))
            await first_of(_PAUSE_SECONDS, stopping)

    async def run_once(self) -> int:
        """Look at one batch; gives how many were looked at or set aside."""
        taken: list[str] = []
        try:
            await self._look_at(_BATCH, taken)
        except Retryable:
            raise
        except Exception:  # noqa: BLE001  one request must not keep rules from the others, nor end the process
            _log.exception("rules fail on one of several new requests; each is looked at by itself")
            return await self._look_at_each()
        return len(taken)

    async def _look_at_each(self) -> int:
        """Each in a transaction of its own, so that what fails is undone alone; then it is set aside."""
        for number in range(_BATCH):
            taken: list[str] = []
            try:
                await self._look_at(1, taken)
            except Retryable:
                raise
            except Exception:  # noqa: BLE001  here it is this one
                _log.exception("rules look at a new request later", references=taken)
                async with self._database.transaction() as connection:
                    await set_tasks_aside(connection, taken, _LATER)
            if not taken:
                return number
        return _BATCH

    async def _look_at(self, count: int, taken: list[str]) -> None:
        """
        Args:
            taken: what is looked at is added, also where it fails.
        """
        async with self._database.transaction() as connection:
            taken += sorted(await take_tasks(connection, count))
            for reference in taken:
                await self._moving.look_at(connection, reference, Asking("automation", EVERYTHING))
