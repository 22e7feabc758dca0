"""What intake says about the work on a request, beside its life.

Subject and key: the request id. Source: ``/punctual/intake``.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.contracts.payload import Attributes, Code, Count, Instant, Payload


class RequestAcknowledged(Payload):
    """Somebody of the house has seen the request and taken it on; less than an answer."""

    TYPE: ClassVar[str] = "punctual.request.acknowledged"

    request_id: UUID
    handler: Code | None = None


class RequestControlRecorded(Payload):
    """A quality control point of a stage was done."""

    TYPE: ClassVar[str] = "punctual.request.control_recorded"

    request_id: UUID
    stage: Code
    control: Code
    is_passed: bool
    recorded: Attributes = {}
    handler: Code | None = None


class RequestDocumentsReceived(Payload):
    """The customer sent documents."""

    TYPE: ClassVar[str] = "punctual.request.documents_received"

    request_id: UUID
    documents: tuple[Code, ...]


class RequestNoted(Payload):
    """Somebody wrote a note, which stays with intake."""

    TYPE: ClassVar[str] = "punctual.request.noted"

    request_id: UUID
    handler: Code | None = None


class RequestAttached(Payload):
    """A document was attached; its content and its name stay where they are kept."""

    TYPE: ClassVar[str] = "punctual.request.attached"

    request_id: UUID
    attachment_id: UUID
    sha256: Code
    """Of its content, in hexadecimal digits."""
    document: Code | None = None
    """Which of the documents asked for it is."""


class RequestAbsorbed(Payload):
    """Another request was merged into this one."""

    TYPE: ClassVar[str] = "punctual.request.absorbed"

    request_id: UUID
    from_request_id: UUID


class RequestSplit(Payload):
    """Part of the request goes on as another one."""

    TYPE: ClassVar[str] = "punctual.request.split"

    request_id: UUID
    into_request_id: UUID


class RequestComplained(Payload):
    """The customer complained about the request; the complaint is a request of its own."""

    TYPE: ClassVar[str] = "punctual.request.complained"

    request_id: UUID
    complaint_request_id: UUID


class RequestFeedbackGiven(Payload):
    """The customer said how satisfied they are; what they wrote stays with intake."""

    TYPE: ClassVar[str] = "punctual.request.feedback_given"

    request_id: UUID
    score: Count
    """1 to 5."""


class RequestHeldBack(Payload):
    """A rule of automation would have acted and left the request to people, to see whether the rule is right."""

    TYPE: ClassVar[str] = "punctual.request.held_back"

    request_id: UUID
    rule: Code


class RequestProcessChanged(Payload):
    """The request follows another version of its process from here on."""

    TYPE: ClassVar[str] = "punctual.request.process_changed"

    request_id: UUID
    process: Code
    process_version: Count
    stage: Code
    reason: Code
    from_stage: Code | None = None
    """Where the request enters a stage by it, as that one was renamed or had been left: the stage before."""


class RequestDoubted(Payload):
    """The request came or was changed with findings that somebody has to judge; it is worked on and its clocks run."""

    TYPE: ClassVar[str] = "punctual.request.doubted"

    request_id: UUID
    findings: dict[Code, tuple[Code, ...]]
    """Code of each, and the facts it is about. Never a value."""
    duplicates: tuple[UUID, ...] = ()
    """Ids of the requests that it is likely a duplicate of, the likest first."""


class RequestFindingConfirmed(Payload):
    """Somebody said that the data of the request are wrong where a finding doubted them."""

    TYPE: ClassVar[str] = "punctual.request.finding_confirmed"

    request_id: UUID
    rule: Code
    reason: Code


class RequestFindingDismissed(Payload):
    """Somebody said that a doubt about the request was without cause."""

    TYPE: ClassVar[str] = "punctual.request.finding_dismissed"

    request_id: UUID
    rule: Code
    reason: Code


class RequestReminded(Payload):
    """A stage of the request has waited for the house as long as a rule of automation lets it wait."""

    TYPE: ClassVar[str] = "punctual.request.reminded"

    request_id: UUID
    rule: Code
    stage: Code
    stage_entry: Count
    """The sequence of the event that brought the request to the stage."""
    number: Count
    """1, then one more with each repeat of the rule while the request is at the stage."""
    entered_at: Instant
    """When the request came to the stage."""
    due_at: Instant
    """When it had waited so long; time in which it waited for somebody outside does not count."""
    notify_roles: tuple[Code, ...]


PAYLOADS: tuple[type[Payload], ...] = (
    RequestAcknowledged,
    RequestControlRecorded,
    RequestDocumentsReceived,
    RequestNoted,
    RequestAttached,
    RequestAbsorbed,
    RequestSplit,
    RequestComplained,
    RequestFeedbackGiven,
    RequestProcessChanged,
    RequestHeldBack,
    RequestDoubted,
    RequestFindingConfirmed,
    RequestFindingDismissed,
    RequestReminded,
)
