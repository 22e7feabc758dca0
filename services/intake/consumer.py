"""Hears clocks, notices and reviews: clocks to show deadlines and the expected time, all of them for the timeline; and
who else has erased a customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.intake.domain.deadlines import follow
from services.intake.domain.erasure import Confirmation
from services.intake.store.deadlines import lock_deadlines, store_deadlines
from services.intake.store.personal.customers import confirm_erasure
from services.intake.store.timeline import Heard, keep_heard
from shared.contracts.clocks import ClockPayload
from shared.contracts.envelope import Event, Tombstone
from shared.contracts.notices import ContactErased
from shared.contracts.payload import Payload
from shared.contracts.topics import CLOCKS, NOTICES, QUALITY, TOPIC_BY_NAME
from shared.contracts.unread import Unread
from shared.inbox import Received, Rejection
from shared.postgres import Connection

HEARD = (CLOCKS, NOTICES, QUALITY)


class Listener:
    """Keeps every event, and folds those of each clock into the deadline that is shown.

    An event of a type that is newer than this program is kept as it is.
    """

    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        rejections: list[Rejection] = []
        clocks: list[tuple[ClockPayload, datetime]] = []
        heard: list[Heard] = []
        for received in batch:
            event = received.event
            if isinstance(event, Tombstone):
                rejections.append(Rejection(received.record, "unexpected_tombstone", "this topic is never erased"))
            elif not _belongs(event.data, received.topic):
                rejections.append(Rejection(received.record, "unexpected_type", "this is no event of the topic"))
            elif isinstance(event.data, ContactErased):
                said = Confirmation(event.data.messages, event.occurred_at)
                await confirm_erasure(connection, event.data.customer_id, event.source.rpartition("/")[2], said)
            else:
                heard.append(_heard(received, event))
                if isinstance(event.data, ClockPayload):
                    clocks.append((event.data, event.occurred_at))
        if clocks:
            await _fold(connection, clocks)
        if heard:
            await keep_heard(connection, heard)
        return rejections


def _belongs(data: Payload, topic: str) -> bool:
    return isinstance(data, (Unread, *TOPIC_BY_NAME[topic].payloads))


def _heard(received: Received, event: Event[Payload]) -> Heard:
    assert received.record.value is not None  # only a tombstone has none
    return Heard(
        request_id=event.subject,
        source=event.source,
        sequence=event.sequence,
        type=dict(received.record.headers)["ce_type"].decode(),
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        data=received.record.value.decode(),
    )


async def _fold(connection: Connection, news: Sequence[tuple[ClockPayload, datetime]]) -> None:
    deadlines = await lock_deadlines(connection, {payload.clock_id for payload, _ in news})
    for payload, occurred_at in news:
        deadlines[payload.clock_id] = follow(deadlines.get(payload.clock_id), payload, occurred_at)
    await store_deadlines(connection, list(deadlines.values()))
