"""The ticker tries again for as long as Postgres is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

import pytest

from services.sla_timer.handlers.timers import TimerHandler
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import TimerBook
from services.sla_timer.ticker.firing import Ticker
from shared.clock import ManualClock
from shared.errors import DatabaseUnavailable
from shared.inbox import Ownership
from shared.kafka import TopicPartition
from shared.postgres import Database


class Away:
    def on_change(self, _: object) -> None:
        pass

    @property
    def epochs(self) -> Mapping[TopicPartition, int]:
        raise DatabaseUnavailable("away")


async def test_an_outage_of_hours_does_not_end_the_ticker(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping, pauses = asyncio.Event(), list[float]()

    async def pause(_stopping: asyncio.Event, _wake: asyncio.Event | None, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2_000:
            stopping.set()

    monkeypatch.setattr("services.sla_timer.ticker.firing._first_of", pause)
    ticker = Ticker(
        cast(Database, None),
        cast(TimerHandler, None),
        cast(Ownership, Away()),
        ManualClock(datetime(2026, 3, 2, tzinfo=UTC)),
        TimerBook(),
        cast(Backlog, None),
        60.0,
    )
    await ticker._keep_firing(stopping)
    assert (len(pauses), max(pauses) <= 5.0) == (2_000, True)
