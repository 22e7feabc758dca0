"""Brings a running Postgres and Kafka to the state that the services expect."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")

_REPLICATION = 1  # there is one broker


def import_what_migrates() -> None:
    """Load the client libraries, which takes most of a second, while the servers start."""
    for module in ("shared.postgres.migrations", "shared.kafka.topics"):
        importlib.import_module(module)


def migrate_database(
    admin_url: str, services: Mapping[str, str], patience: timedelta = timedelta(seconds=30)
) -> list[str]:
    """Apply what is missing; what was applied, as ``<service>: <migration>``.

    Args:
        patience: how long each migration is tried for while others hold locks that it needs.
    """
    from shared.postgres.migrations import migrate_all  # see import_what_migrates

    return _apart(lambda: migrate_all(admin_url, services, patience))


def make_topics(bootstrap: str, partitions: int, replication: int = _REPLICATION) -> list[str]:
    """Create the topics that are missing; their names."""
    from shared.kafka.topics import ensure_topics

    return _apart(lambda: ensure_topics(bootstrap, partitions, replication))


def _apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run in a thread of its own, because the caller may be inside an event loop (a test, the demo)."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()
