"""The edge to Kafka: events become news for the planner; what contradicts itself is rejected."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.notifier.domain.news import News
from services.notifier.handlers.planning import Heard, Planner
from shared.contracts.contacts import ContactRecorded
from shared.contracts.envelope import Event, Tombstone
from shared.contracts.payload import Payload
from shared.contracts.topics import CLOCKS, CONTACTS, REQUESTS
from shared.inbox import Received, Rejection
from shared.postgres import Connection

TOPICS = (REQUESTS.name, CLOCKS.name, CONTACTS.name)


class NewsHandler:
    """A handler for the inbox consumer."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        requests: list[tuple[UUID, News]] = []
        contacts: list[ContactRecorded | Tombstone] = []
        rejections: list[Rejection] = []
        for received in batch:
            event = received.event
            if isinstance(event, Tombstone):
                if received.topic == CONTACTS.name:
                    contacts.append(event)
                else:
                    rejections.append(Rejection(received.record, "unexpected_tombstone", "only contacts are erased"))
            elif event.subject != _subject(event.data):
                detail = "the event's subject is not the id in its data"
                rejections.append(Rejection(received.record, "subject_mismatch", detail))
            elif isinstance(event.data, ContactRecorded):
                contacts.append(event.data)
            else:
                requests.append((event.subject, _news(event)))
        await self._planner.apply(connection, Heard(requests, contacts))
        return rejections


def _subject(data: Payload) -> UUID | None:
    name = "customer_id" if isinstance(data, ContactRecorded) else "request_id"
    subject: UUID | None = getattr(data, name, None)
    return subject


def _news(event: Event[Payload]) -> News:
    return News(event.data, event.occurred_at, event.recorded_at, event.correlation_id, event.traceparent)
