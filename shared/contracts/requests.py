"""What intake says about a request. Subject and key: the request id. Source: ``/punctual/intake``."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.contracts.payload import (
    Attributes,
    Code,
    Count,
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
    process: Code | None = None
    """The process definition it follows."""
    split_from_request_id: UUID | None = None
    about_request_id: UUID | None = None
    """The request that a complaint is about."""


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
    documents: tuple[Code, ...] = ()
    """What the customer is asked for."""


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
    reason: Code | None = None


class RequestStageLeft(Payload):
    """A stage was finished before the next one began. Entering a stage leaves the one before as well."""

    TYPE: ClassVar[str] = "punctual.request.stage_left"

    request_id: UUID
    stage: Code
    handler: Code | None = None


class RequestMessageReceived(Payload):
    """The customer wrote or called about the request; what was said stays with intake."""

    TYPE: ClassVar[str] = "punctual.request.message_received"

    request_id: UUID


class RequestCustomerInformed(Payload):
    """The customer was told how things stand; less than an answer in substance."""

    TYPE: ClassVar[str] = "punctual.request.customer_informed"

    request_id: UUID
    handler: Code | None = None


class RequestAssigned(Payload):
    """A team or a person is to work on the request now. What is null stays as it was, unless ``cleared`` names it."""

    TYPE: ClassVar[str] = "punctual.request.assigned"

    request_id: UUID
    team: Code | None = None
    handler: Code | None = None
    cleared: tuple[Code, ...] = ()
    """``team`` where no team has the request any more, ``handler`` where no person has."""


class RequestChanged(Payload):
    """What policies may ask of the request changed. Fields that are null stay as they were."""

    TYPE: ClassVar[str] = "punctual.request.changed"

    request_id: UUID
    reason: Code
    kind: RequestKind | None = None
    product_line: Code | None = None
    priority: Priority | None = None
    customer_tier: CustomerTier | None = None
    attributes: Attributes = {}
    """New values; the other attributes stay."""


class RequestExtended(Payload):
    """Somebody was granted more time; it does not mend a deadline that has passed."""

    TYPE: ClassVar[str] = "punctual.request.extended"

    request_id: UUID
    objective: Code
    seconds: Count
    """Working or elapsed as the objective's budget is; after a target in days, working seconds."""
    reason: Code
    approved_by: Code
    """A staff id."""


class RequestSignalled(Payload):
    """A step that a policy names to start, stop, pause, resume or reset a clock of its own."""

    TYPE: ClassVar[str] = "punctual.request.signalled"

    request_id: UUID
    signal: Code


class RequestReopened(Payload):
    """A closed request goes on; clocks that it starts count in a new cycle."""

    TYPE: ClassVar[str] = "punctual.request.reopened"

    request_id: UUID
    reason: Code


class RequestCancelled(Payload):
    """Nobody owes anything on the request any more."""

    TYPE: ClassVar[str] = "punctual.request.cancelled"

    request_id: UUID
    reason: Code


class RequestMerged(Payload):
    """It turned out to be the same matter as another request, which goes on alone."""

    TYPE: ClassVar[str] = "punctual.request.merged"

    request_id: UUID
    into_request_id: UUID


PAYLOADS: tuple[type[Payload], ...] = (
    RequestSubmitted,
    RequestStageEntered,
    RequestResponded,
    RequestPaused,
    RequestResumed,
    RequestClosed,
    RequestStageLeft,
    RequestMessageReceived,
    RequestCustomerInformed,
    RequestAssigned,
    RequestChanged,
    RequestExtended,
    RequestSignalled,
    RequestReopened,
    RequestCancelled,
    RequestMerged,
)
