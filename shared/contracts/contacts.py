"""The only topic with personal data. Subject and key: the customer id. Compacted; an erasure is a tombstone."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.contracts.payload import Count, Language, Market, Payload, ShortText


class ContactRecorded(Payload):
    """How to reach a customer, in full; a newer version replaces the older one."""

    TYPE: ClassVar[str] = "punctual.contact.recorded"

    customer_id: UUID
    version: Count
    name: ShortText
    email: ShortText | None = None
    phone: ShortText | None = None
    language: Language
    market: Market


PAYLOADS: tuple[type[Payload], ...] = (ContactRecorded,)
