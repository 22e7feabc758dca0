"""Learns of process definitions and rules that another process put in force."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from shared.errors import ConfigurationError, Retryable
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

_PAUSE_SECONDS = 5.0


class Followed(Protocol):
    async def follow(self) -> None:
        """
        Raises:
            Retryable, ConfigurationError: what is known stays.
        """


class Follower:
    """A component: looks every few seconds."""

    def __init__(self, followed: Sequence[Followed]) -> None:
        self._followed = followed

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            for followed in self._followed:
                try:
                    await followed.follow()
                except (Retryable, ConfigurationError) as error:
                    _log.warning("what is in force stays as it is known", error=str(error))
            await first_of(_PAUSE_SECONDS, stopping)
