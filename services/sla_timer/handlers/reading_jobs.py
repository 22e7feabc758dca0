"""What the processes that read everything have in common: one snapshot, and a JSON object a line."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from services.sla_timer.domain.rulebook import read_stored_rulebook
from services.sla_timer.domain.rules import Rulebook
from services.sla_timer.store import policy_versions
from services.sla_timer.store.histories import take_time
from services.sla_timer.store.reports import hold_still
from shared.postgres import Connection, Database

Tell = Callable[[Mapping[str, Any]], None]
"""Takes one object, to be written as a line."""

AT_ONCE = 2000
"""Requests in a batch: enough that the round trips do not count, few enough for a steady progress."""


def tell(said: Mapping[str, Any]) -> None:
    """Write a line to standard output at once."""
    sys.stdout.write(json.dumps(said, default=_plain) + "\n")
    sys.stdout.flush()


def read_job() -> dict[str, Any]:
    """What is to be done, from standard input."""
    job: dict[str, Any] = json.load(sys.stdin)
    return job


@asynccontextmanager
async def one_snapshot(url: str, program: str) -> AsyncIterator[Connection]:
    """A connection of its own in a transaction that only reads and sees one state of all tables."""
    # Histories hold no cycles; looking for some among a million objects was a third of the time.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    database = await Database.open(url, schema="sla_timer", application_name=program, max_size=1)
    try:
        async with database.transaction() as connection:
            await hold_still(connection)
            await take_time(connection)
            yield connection
    finally:
        await database.close()


class StoredRules:
    """Every version that was ever in force, read when it is needed first."""

    def __init__(self) -> None:
        self._known: dict[int, Rulebook] = {}

    async def learn(self, connection: Connection, versions: set[int]) -> None:
        for version in versions - self._known.keys():
            stored = await policy_versions.load(connection, version)
            self._known[version] = read_stored_rulebook(stored.sources, version)

    def known(self, version: int) -> Rulebook:
        """A version that was learned before."""
        return self._known[version]


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not written")
