"""What may happen to a request: one class per entry of its history, past tense. None holds what people wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from services.intake.domain.kept import KEPT, Kept
from shared.contracts.payload import AttributeValue, CustomerTier, Priority, RequestKind
from shared.values import value


@value
class Submitted:
    """Attributes:
    process: None in histories older than named processes; it is the kind's own then.
    split_from, about: the request it was split from, or that it complains about.
    """

    TYPE: ClassVar[str] = "submitted"

    kind: RequestKind
    process_version: int
    stage: str
    priority: Priority = Priority.NORMAL
    product_line: str | None = None
    process: str | None = None
    customer_tier: CustomerTier = CustomerTier.STANDARD
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    split_from: UUID | None = None
    about: UUID | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    TYPE: ClassVar[str] = "acknowledged"

    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """None is nobody from now on; what is not given stays as it was."""

    TYPE: ClassVar[str] = "assigned"

    team: str | Kept | None = KEPT
    handler: str | Kept | None = KEPT


@dataclass(frozen=True, slots=True)
class StageEntered:
    TYPE: ClassVar[str] = "stage_entered"

    from_stage: str
    stage: str
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class StageLeft:
    TYPE: ClassVar[str] = "stage_left"

    stage: str
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class ControlRecorded:
    TYPE: ClassVar[str] = "control_recorded"

    stage: str
    control: str
    is_passed: bool
    recorded: Mapping[str, AttributeValue] = field(default_factory=dict)
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Responded:
    TYPE: ClassVar[str] = "responded"

    handler: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerInformed:
    TYPE: ClassVar[str] = "customer_informed"

    handler: str | None = None


@dataclass(frozen=True, slots=True)
class MessageReceived:
    TYPE: ClassVar[str] = "message_received"


@dataclass(frozen=True, slots=True)
class Noted:
    TYPE: ClassVar[str] = "noted"

    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """A document that is kept elsewhere.

    Attributes:
        sha256: of its content, in hexadecimal digits.
        size: bytes.
    """

    TYPE: ClassVar[str] = "attached"

    attachment_id: UUID
    media_type: str
    size: int
    sha256: str
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    """Attributes:
    documents: what the customer is asked for.
    """

    TYPE: ClassVar[str] = "paused"

    reason: str
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentsReceived:
    TYPE: ClassVar[str] = "documents_received"

    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resumed:
    TYPE: ClassVar[str] = "resumed"

    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What is None stays as it was; attributes that are not named stay."""

    TYPE: ClassVar[str] = "changed"

    reason: str
    product_line: str | None = None
    priority: Priority | None = None
    customer_tier: CustomerTier | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extended:
    """Attributes:
    seconds: working or elapsed, as the objective counts.
    """

    TYPE: ClassVar[str] = "extended"

    objective: str
    seconds: int
    reason: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class Signalled:
    TYPE: ClassVar[str] = "signalled"

    signal: str


@dataclass(frozen=True, slots=True)
class Closed:
    TYPE: ClassVar[str] = "closed"

    outcome: str
    handler: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reopened:
    TYPE: ClassVar[str] = "reopened"

    reason: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    TYPE: ClassVar[str] = "cancelled"

    reason: str


@dataclass(frozen=True, slots=True)
class Merged:
    """It is the same matter as another request, which goes on alone."""

    TYPE: ClassVar[str] = "merged"

    into_request_id: UUID


@dataclass(frozen=True, slots=True)
class Absorbed:
    """Another request was merged into this one."""

    TYPE: ClassVar[str] = "absorbed"

    from_request_id: UUID


@dataclass(frozen=True, slots=True)
class Split:
    """Part of it goes on as another request."""

    TYPE: ClassVar[str] = "split"

    into_request_id: UUID


@dataclass(frozen=True, slots=True)
class Complained:
    """The customer complained about it, which is a request of its own."""

    TYPE: ClassVar[str] = "complained"

    complaint_request_id: UUID


@dataclass(frozen=True, slots=True)
class FeedbackGiven:
    """Attributes:
    score: satisfaction from 1 to 5.
    """

    TYPE: ClassVar[str] = "feedback_given"

    score: int


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A rule would have acted, and left the request to people to see whether it is right."""

    TYPE: ClassVar[str] = "held_back"

    rule: str


@dataclass(frozen=True, slots=True)
class ProcessChanged:
    """It follows another version of its process from here on, in a stage of that version.

    Attributes:
        from_stage: where that enters a stage: the one before.
    """

    TYPE: ClassVar[str] = "process_changed"

    process: str
    process_version: int
    stage: str
    reason: str
    from_stage: str | None = None
