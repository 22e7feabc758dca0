"""A fact as the services tell it to each other."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from shared.contracts.payload import Payload
from shared.values import value

P_co = TypeVar("P_co", bound=Payload, covariant=True)


@value
class Event(Generic[P_co]):
    """One fact.

    Attributes:
        id: unique per source.
        source: ``/punctual/<service>``.
        subject: what the sequence counts, the request id (the customer id on contacts).
        sequence: 1, 2, 3, ... per source and subject.
        occurred_at: when it became true, UTC business time.
        recorded_at: when the source wrote it down, UTC business time.
        correlation_id: runs from the HTTP request to the last consequence.
        traceparent: W3C trace context.
        author: who wrote what it tells: a channel system, a member of staff, the house by rule, the customer.
        cause: what made it happen: ``call``, ``entry:7`` of the same history, ``rule:<name>``.
    """

    id: UUID
    source: str
    subject: UUID
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    traceparent: str
    data: P_co
    author: str | None = None
    cause: str | None = None


@value
class Tombstone:
    """The erasure of a compacted key."""

    subject: UUID
