"""Learns of process definitions that another process put in force."""

from __future__ import annotations

import asyncio

from services.intake.handlers.processes import Processes
from shared.errors import ConfigurationError, Retryable
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_PAUSE_SECONDS = 5.0


class ProcessFollower:
    """A component: looks every few seconds."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await self._processes.follow()
            except (Retryable, ConfigurationError) as error:
                _log.warning("process definitions stay as they are known", error=str(error))
            try:
                async with asyncio.timeout(_PAUSE_SECONDS):
                    await stopping.wait()
            except TimeoutError:
                continue
