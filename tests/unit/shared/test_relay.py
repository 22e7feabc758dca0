"""The relay tries again for as long as Postgres or Kafka is away."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import cast

import pytest

from shared.errors import DatabaseUnavailable
from shared.kafka.records import Publisher
from shared.outbox import Outbox
from shared.postgres import Connection, Database


class Away:
    """No transaction begins."""

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        raise DatabaseUnavailable("away")


async def test_an_outage_of_hours_does_not_end_the_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping, pauses = asyncio.Event(), list[float]()

    async def pause(_stopping: asyncio.Event, _wake: asyncio.Event | None, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2_000:
            stopping.set()

    monkeypatch.setattr("shared.outbox.outbox._first_of", pause)
    outbox = Outbox(cast(Database, Away()), cast(Publisher, None), "example")
    await outbox._relay(0, stopping)
    assert (len(pauses), max(pauses) <= 5.0) == (2_000, True)
    assert outbox.trouble() is not None
