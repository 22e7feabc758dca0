"""Looks every second for leases and doubts that ran out, and counts what waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prometheus_client import Gauge

from services.notifier.domain.words import NoticeState
from services.notifier.handlers.claiming import Claiming
from services.notifier.store.listing import NoticeListing
from shared.clock import monotonic
from shared.errors import Retryable
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

WAITING = Gauge("punctual_notifier_waiting", "Notices that have not ended, by state.", ["state"])

_SWEEP_SECONDS = 1.0
_COUNT_SECONDS = 10.0


class Sweeper:
    """A component."""

    def __init__(self, claiming: Claiming, listing: NoticeListing, wake: Callable[[], None]) -> None:
        """Args:
        wake: called when something became ready again.
        """
        self._claiming = claiming
        self._listing = listing
        self._wake = wake

    async def run(self, stopping: asyncio.Event) -> None:
        counted_at = -_COUNT_SECONDS
        while not stopping.is_set():
            try:
                if await self._claiming.attend():
                    self._wake()
                if monotonic() - counted_at >= _COUNT_SECONDS:
                    counted_at = monotonic()
                    await self._count()
            except Retryable as error:
                _log.warning("nothing looked after, will repeat", error=str(error))
            await first_of(_SWEEP_SECONDS, stopping)

    async def _count(self) -> None:
        counts = await self._listing.count_live()
        for state in (NoticeState.HELD, NoticeState.READY, NoticeState.SENDING, NoticeState.IN_DOUBT):
            WAITING.labels(state).set(counts.get(state, 0))
