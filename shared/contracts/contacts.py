"""The only topic with personal data. Subject and key: the customer id. Compacted; an erasure is a tombstone."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import StringConstraints

from shared.contracts.payload import Count, Language, Market, Payload, ShortText

Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=16_384)]


class ContactRecorded(Payload):
    """How to reach a customer, in plain text: as it was told before version 2."""

    TYPE: ClassVar[str] = "punctual.contact.recorded"

    customer_id: UUID
    version: Count
    name: ShortText
    email: ShortText | None = None
    phone: ShortText | None = None
    language: Language
    market: Market


class EncryptedContactRecorded(Payload):
    """How to reach a customer, in full; a newer version replaces the older one."""

    TYPE: ClassVar[str] = "punctual.contact.recorded"
    VERSION: ClassVar[int] = 2

    customer_id: UUID
    version: Count
    language: Language
    market: Market
    wrapped_key: Base64
    """The customer's key, encrypted with a master key of the house."""
    details: Base64
    """Encrypted with that key: a JSON object with name, email and phone."""


PAYLOADS: tuple[type[Payload], ...] = (ContactRecorded, EncryptedContactRecorded)
