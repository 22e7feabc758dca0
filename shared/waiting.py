"""Waiting for the first of several signals, for work that may take too long, and between tries that fail."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_ending: set[asyncio.Task[Any]] = set()
"""Given up and not ended yet; the loop itself keeps no hold of its tasks."""

_MOST_DOUBLINGS = 64  # beyond every pause anybody wants; unbounded ones pass the largest float at 1,024


def doubled(first: float, times: int, most: float) -> float:
    """What doubles each time and stays at ``most``, however often; any unit."""
    return min(most, first * 2.0 ** min(times, _MOST_DOUBLINGS))


def backoff_seconds(failures: int) -> float:
    """0.1 s doubling to 5 s, with jitter so that several processes do not knock together."""
    return doubled(0.1, failures, 5.0) * random.uniform(0.5, 1.0)  # noqa: S311


async def first_of(seconds: float | None, *events: asyncio.Event) -> None:
    """Wait until an event is set or the time has passed, real time; None: for an event only."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives, if it does within so many seconds, real time.

    The library's own ways cancel what is late and wait for its end, which may take longer than the work: a statement
    that is cancelled has ended when Postgres says so. Here it ends by itself.

    Raises:
        TimeoutError: it took longer.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            give_up(task)
    if not task.done():
        raise TimeoutError(f"it took longer than {seconds:g} s")
    return task.result()


def give_up(task: asyncio.Task[Any]) -> None:
    """Cancel it and let it end by itself; what came of it nobody need hear.

    Once: to be cancelled again would disturb its ending.
    """
    if task in _ending:
        return
    _ending.add(task)
    task.add_done_callback(_ended)
    task.cancel()


def _ended(task: asyncio.Task[Any]) -> None:
    _ending.discard(task)
    if not task.cancelled():
        task.exception()  # an error that is never read would be a complaint
