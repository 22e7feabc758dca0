"""Whether a service can do its work, asked by whoever watches it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from shared.waiting import give_up

Parts = Mapping[str, str | None]
"""Part -> None when it is fine, else the reason why not."""

Readiness = Callable[[], Coroutine[Any, Any, Parts]]

PATIENCE_SECONDS = 2.0
"""Real time. What does not answer by then is not ready; probes give up after some seconds themselves, and a scrape's
other metrics must not be late."""


class PatientReadiness:
    """Asks one question at a time: each holds a connection to Postgres, and a service may be asked often."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness
        self._asked: asyncio.Task[Parts] | None = None

    async def ask(self) -> Parts:
        """Who comes while another waits for the answer gets the same one."""
        asked = self._asked
        if asked is None or asked.done():
            asked = self._asked = asyncio.create_task(self._readiness())
        await asyncio.wait({asked}, timeout=PATIENCE_SECONDS)
        if not asked.done():
            give_up(asked)
        if not asked.done() or asked.cancelled():
            return {"readiness": f"no answer within {PATIENCE_SECONDS:g} s"}
        return asked.result()
