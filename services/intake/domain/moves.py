"""What may be asked of a request: one class per move, in the imperative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.intake.domain.kept import KEPT, Kept
from services.intake.domain.process import Process
from shared.contracts.payload import AttributeValue, CustomerTier, Priority


@dataclass(frozen=True, slots=True)
class Acknowledge:
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """None is nobody from now on; what is not given stays, but a handler goes with the team. One has to be given."""

    team: str | Kept | None = KEPT
    handler: str | Kept | None = KEPT


@dataclass(frozen=True, slots=True)
class EnterStage:
    stage: str
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class LeaveStage:
    """Finish the stage before the next one begins."""

    handler: str | None = None


@dataclass(frozen=True, slots=True)
class RecordControl:
    control: str
    is_passed: bool
    recorded: Mapping[str, AttributeValue] = field(default_factory=dict)
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Respond:
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class InformCustomer:
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class ReceiveMessage:
    pass


@dataclass(frozen=True, slots=True)
class Note:
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Attach:
    attachment_id: UUID
    media_type: str
    size: int
    sha256: str
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Attributes:
    documents: what the customer is asked for; the request goes on by itself when all of it is there.
    """

    reason: str
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiveDocuments:
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resume:
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    reason: str
    product_line: str | None = None
    priority: Priority | None = None
    customer_tier: CustomerTier | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extend:
    objective: str
    seconds: int
    reason: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class Signal:
    signal: str


@dataclass(frozen=True, slots=True)
class Close:
    outcome: str
    handler: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    reason: str


@dataclass(frozen=True, slots=True)
class Cancel:
    reason: str


@dataclass(frozen=True, slots=True)
class MergeInto:
    into_request_id: UUID


@dataclass(frozen=True, slots=True)
class Absorb:
    """Take in another request, which was merged into this one.

    Attributes:
        likely: the requests that this one is likely a duplicate of, but for those that were merged or cancelled before.
    """

    from_request_id: UUID
    likely: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class SplitOff:
    into_request_id: UUID


@dataclass(frozen=True, slots=True)
class Complain:
    complaint_request_id: UUID


@dataclass(frozen=True, slots=True)
class GiveFeedback:
    score: int


@dataclass(frozen=True, slots=True)
class FollowProcess:
    """Go on under another version of its process, or under the one that the house would choose for it now.

    Attributes:
        chosen: code of the process that a new request of this kind and product line would begin with.
        stage: where, if the process has no stage of the same name; None where it has.
    """

    process: Process
    reason: str
    chosen: str
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmFinding:
    """Say that the data are wrong.

    Attributes:
        rule: code of a finding that nobody judged yet.
    """

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class DismissFinding:
    """Say that the doubt was without cause; otherwise as ``ConfirmFinding``."""

    rule: str
    reason: str


Move = (
    Acknowledge
    | Assign
    | EnterStage
    | LeaveStage
    | RecordControl
    | Respond
    | InformCustomer
    | ReceiveMessage
    | Note
    | Attach
    | Pause
    | ReceiveDocuments
    | Resume
    | ChangeFacts
    | Extend
    | Signal
    | Close
    | Reopen
    | Cancel
    | MergeInto
    | Absorb
    | SplitOff
    | Complain
    | GiveFeedback
    | FollowProcess
    | ConfirmFinding
    | DismissFinding
)
