"""Hears clocks, to show deadlines and the expected time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.intake.domain.deadlines import follow
from services.intake.store.deadlines import lock_deadlines, store_deadlines
from shared.contracts.clocks import ClockPayload
from shared.contracts.envelope import Tombstone
from shared.inbox import Received, Rejection
from shared.postgres import Connection


class DeadlineKeeper:
    """Folds the events of each clock into the deadline that is shown."""

    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        rejections: list[Rejection] = []
        news: list[tuple[ClockPayload, datetime]] = []
        for received in batch:
            if isinstance(received.event, Tombstone):
                rejections.append(Rejection(received.record, "unexpected_tombstone", "clocks are never erased"))
            elif not isinstance(received.event.data, ClockPayload):
                rejections.append(Rejection(received.record, "unexpected_type", "this is no event of a clock"))
            else:
                news.append((received.event.data, received.event.occurred_at))
        if news:
            await _fold(connection, news)
        return rejections


async def _fold(connection: Connection, news: Sequence[tuple[ClockPayload, datetime]]) -> None:
    deadlines = await lock_deadlines(connection, {payload.clock_id for payload, _ in news})
    for payload, occurred_at in news:
        deadlines[payload.clock_id] = follow(deadlines.get(payload.clock_id), payload, occurred_at)
    await store_deadlines(connection, list(deadlines.values()))
