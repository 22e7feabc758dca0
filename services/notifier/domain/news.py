"""Events, reduced to what planning needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.contracts.payload import Payload


@dataclass(frozen=True, slots=True)
class News:
    """Instants are business time.

    Attributes:
        sequence: of the event in those of its source about the request.
    """

    data: Payload
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    traceparent: str


@dataclass(frozen=True, slots=True)
class ContactNews:
    """How to reach a customer, in plain text."""

    customer_id: UUID
    version: int
    name: str = field(repr=False)
    email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ErasureNews:
    """Everything personal that is held on a customer is to be destroyed."""

    customer_id: UUID
    correlation_id: str
    traceparent: str
