"""Deletes mails whose notices ended long ago. That they were sent, and when, stays known.

Business time rests on this machine's clock: no mail is deleted while that one is in doubt.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from prometheus_client import Counter

from services.notifier.store.retention import delete_old_mails
from shared.clock import Clock
from shared.errors import Retryable
from shared.postgres import ClockCheck, Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

MAILS_DELETED = Counter("punctual_notifier_mails_deleted_total", "Mails deleted because they ended long ago.")

_BATCH = 500  # a transaction of some tens of milliseconds, so that nobody waits behind it
_PAUSE_SECONDS = 600.0


class MailKeeper:
    """A component: deletes the mails of notices that ended longer ago than ``keep``, business time."""

    def __init__(self, database: Database, clock: Clock, keep: timedelta, clock_check: ClockCheck) -> None:
        self._database = database
        self._clock = clock
        self._clock_check = clock_check
        self._keep = keep

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                while await self.run_once() == _BATCH and not stopping.is_set():
                    pass
            except Retryable as error:
                _log.warning("old mails stay for now", error=str(error))
            await first_of(_PAUSE_SECONDS, stopping)

    async def run_once(self) -> int:
        """Look after one batch of notices; gives its size.

        Raises:
            ClocksDisagree: nothing was deleted.
        """
        before = self._clock.now() - self._keep
        async with self._database.transaction() as connection:
            await self._clock_check.check(connection)
            done = await delete_old_mails(connection, before, _BATCH)
        MAILS_DELETED.inc(done.mails)
        return done.notices
