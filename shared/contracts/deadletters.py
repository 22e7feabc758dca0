"""An event that a service could not handle. Subject and key: the dead letter's id. Source: ``/punctual/<service>``."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.contracts.payload import Code, Instant, Payload


class EventRejected(Payload):
    """Where the event lies, why it was rejected, and its bytes unless they may hold personal data."""

    TYPE: ClassVar[str] = "punctual.event.rejected"

    deadletter_id: UUID
    service: Code
    reason: Code
    detail: str
    origin_topic: str
    origin_partition: int
    origin_offset: int
    rejected_at: Instant
    headers: dict[str, str] = {}
    key_base64: str | None = None
    value_base64: str | None = None
    """None for topics with personal data and for records above 1 MB: a replay reads the origin again."""
    value_sha256: str | None = None


PAYLOADS: tuple[type[Payload], ...] = (EventRejected,)
