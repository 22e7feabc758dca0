"""Looks at what was counted, every minute, and once more when the service stops."""

from __future__ import annotations

import asyncio

from services.intake.handlers.watching import Watching
from shared.errors import Retryable
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_PAUSE_SECONDS = 60.0
"""What a crash loses at most; and alarms are about whole hours."""


class Watcher:
    """A component."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await self._watching.look()
            except Retryable as error:
                _log.warning("the streams are looked at later", error=str(error))
            await first_of(_PAUSE_SECONDS, stopping)
        try:
            await self._watching.store()
        except Retryable as error:
            _log.warning("what was counted in the last minute is lost", error=str(error))
