"""Waiting for the first of several signals."""

from __future__ import annotations

import asyncio


async def first_of(seconds: float | None, *events: asyncio.Event) -> None:
    """Wait until an event is set or the time has passed, real time; None: for an event only."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
