"""What intake says about a request. Subject and key: the request id. Source: ``/punctual/intake``."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.contracts.payload import (
    Attributes,
    Code,
    CustomerTier,
    Language,
    Market,
    Payload,
    Priority,
    RequestKind,
    ShortText,
)


class RequestSubmitted(Payload):
    """A request was accepted. It occurred when the customer submitted it at the channel."""

    TYPE: ClassVar[str] = "punctual.request.submitted"

    request_id: UUID
    reference: ShortText
    kind: RequestKind
    product_line: Code | None = None
    priority: Priority = Priority.NORMAL
    channel: Code
    market: Market
    language: Language
    customer_id: UUID
    customer_tier: CustomerTier = CustomerTier.STANDARD
    stage: Code
    attributes: Attributes = {}
    status_path: ShortText
    """Where the customer may follow the request, below the public address of intake: ``/t/<token>``."""


class RequestStageEntered(Payload):
    """The request moved to another stage of its process."""

    TYPE: ClassVar[str] = "punctual.request.stage_entered"

    request_id: UUID
    from_stage: Code
    stage: Code
    handler: Code | None = None
    """Who moved it, as a staff id."""


class RequestResponded(Payload):
    """Somebody of the house answered the customer in substance (a confirmation does not count)."""

    TYPE: ClassVar[str] = "punctual.request.responded"

    request_id: UUID
    handler: Code | None = None


class RequestPaused(Payload):
    """The request waits for somebody outside. Several reasons may hold at once."""

    TYPE: ClassVar[str] = "punctual.request.paused"

    request_id: UUID
    reason: Code


class RequestResumed(Payload):
    """One reason to wait is gone; the clock runs again when none is left."""

    TYPE: ClassVar[str] = "punctual.request.resumed"

    request_id: UUID
    reason: Code


class RequestClosed(Payload):
    """The request ended."""

    TYPE: ClassVar[str] = "punctual.request.closed"

    request_id: UUID
    outcome: Code
    handler: Code | None = None


PAYLOADS: tuple[type[Payload], ...] = (
    RequestSubmitted,
    RequestStageEntered,
    RequestResponded,
    RequestPaused,
    RequestResumed,
    RequestClosed,
)
