"""The edge to Kafka: events become news for the planner; what contradicts itself is rejected."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from uuid import UUID

from services.notifier.domain.news import ContactNews, ErasureNews, News
from services.notifier.handlers.planning import Heard, Planner
from shared.contracts.contacts import ContactRecorded, EncryptedContactRecorded
from shared.contracts.envelope import Event, Tombstone
from shared.contracts.payload import Payload
from shared.contracts.topics import CLOCKS, CONTACTS, REQUESTS
from shared.encryption import ContactDetails, MasterKeys, Undecipherable
from shared.inbox import Received, Rejection
from shared.kafka.records import Record
from shared.postgres import Connection
from shared.telemetry.context import new_trace

TOPICS = (REQUESTS.name, CLOCKS.name, CONTACTS.name)

_Contact = ContactRecorded | EncryptedContactRecorded


class NewsHandler:
    """A handler for the inbox consumer."""

    def __init__(self, planner: Planner, master_keys: MasterKeys) -> None:
        """Args:
        master_keys: decrypt the keys that come with contacts.
        """
        self._planner = planner
        self._master_keys = master_keys

    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        """As the inbox asks for it.

        Raises:
            MasterKeyMissing: a key that came with a contact, or one of ours, cannot be decrypted yet.
        """
        requests: list[tuple[UUID, News]] = []
        contacts: list[ContactNews | ErasureNews] = []
        rejections: list[Rejection] = []
        for received in batch:
            event = received.event
            if isinstance(event, Tombstone):
                if received.topic == CONTACTS.name:
                    contacts.append(_erasure(event, received.record))
                else:
                    rejections.append(Rejection(received.record, "unexpected_tombstone", "only contacts are erased"))
            elif event.subject != _subject(event.data):
                detail = "the event's subject is not the id in its data"
                rejections.append(Rejection(received.record, "subject_mismatch", detail))
            elif isinstance(event.data, _Contact):
                try:
                    contacts.append(self._contact(event.data))
                except Undecipherable as error:
                    rejections.append(Rejection(received.record, "undecipherable", f"the contact: {error}"))
            else:
                requests.append((event.subject, _news(event)))
        await self._planner.apply(connection, Heard(requests, contacts))
        return rejections

    def _contact(self, data: _Contact) -> ContactNews:
        if isinstance(data, ContactRecorded):
            return ContactNews(data.customer_id, data.version, data.name, data.email)
        key = self._master_keys.unwrap(data.customer_id, _bytes(data.wrapped_key))
        details = ContactDetails.decrypt(key, _bytes(data.details))
        return ContactNews(data.customer_id, data.version, details.name, details.email)


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:  # of characters that are not ASCII it says no more than that
        raise Undecipherable("it is not Base64") from None


def _subject(data: Payload) -> UUID | None:
    name = "customer_id" if isinstance(data, _Contact) else "request_id"
    subject: UUID | None = getattr(data, name, None)
    return subject


def _news(event: Event[Payload]) -> News:
    return News(
        event.data, event.sequence, event.occurred_at, event.recorded_at, event.correlation_id, event.traceparent
    )


def _erasure(event: Tombstone, record: Record) -> ErasureNews:
    """A tombstone has no attributes that are checked, so a trace is followed only where it is well-formed."""
    headers = {name: (text or b"").decode(errors="replace") for name, text in record.headers}
    trace = new_trace(headers.get("ce_correlationid"), headers.get("traceparent"))
    return ErasureNews(event.subject, trace.correlation_id, trace.traceparent)
