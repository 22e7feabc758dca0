"""Writes down, now and then, when API keys were used last."""

from __future__ import annotations

import asyncio

from services.intake.handlers.key_book import KeyBook
from shared.errors import Retryable
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_PAUSE_SECONDS = 60.0
"""Whoever looks for keys that nobody uses thinks in days."""


class KeyUses:
    """A component: writes once a minute, and once more at the end."""

    def __init__(self, keys: KeyBook) -> None:
        self._keys = keys

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            await first_of(_PAUSE_SECONDS, stopping)
            await self.run_once()

    async def run_once(self) -> None:
        try:
            await self._keys.write_uses()
        except Retryable as error:
            _log.warning("the last uses of keys are written later", error=str(error))
