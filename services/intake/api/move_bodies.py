"""What callers send to move a request. Each body knows its move and what people wrote in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated

from pydantic import ConfigDict, FailFast, Field, StringConstraints, model_validator

from services.intake.api.bodies import Attributes, Body, Instant, Line, Prose, Truth, Whole, misfits
from services.intake.domain import moves
from services.intake.domain.deciding import MOST_SECONDS
from services.intake.domain.kept import KEPT
from services.intake.domain.moves import Move
from shared.contracts.payload import Code, CustomerTier, Priority, RequestKind
from shared.ids import new_id

_MOST = 64  # documents in one call

Text = Annotated[Prose, Field(min_length=1, description="Stays in this service; it is told in no event")]
Handler = Annotated[Code | None, Field(description="Staff id of who did it", examples=["s-104"])]
Documents = Annotated[list[Code], FailFast(), Field(max_length=_MOST, examples=[["medical_report", "receipts"]])]


class TimedBody(Body):
    occurred_at: Instant | None = Field(
        None, description="When it happened; now if it is left out. Late news is welcome"
    )

    def texts(self) -> dict[str, str]:
        """What people wrote, by its name in the store."""
        return {}


class MoveBody(TimedBody, ABC):
    @abstractmethod
    def move(self) -> Move:
        """What is asked of the request."""


class AcknowledgeBody(MoveBody):
    handler: Handler = None

    def move(self) -> Move:
        return moves.Acknowledge(self.handler)


class AssignBody(MoveBody):
    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": ["team"]}, {"required": ["handler"]}],
        }
    )

    team: Code | None = Field(None, description="null: no team has it any more", examples=["claims_hk"])
    handler: Code | None = Field(
        None,
        description="Whom it is given to; null: nobody has it. Left out, another team takes it from who had it",
        examples=["s-104"],
    )

    @model_validator(mode="after")
    def _check(self) -> AssignBody:
        if not {"team", "handler"} & self.model_fields_set:
            raise misfits(
                self, dict.fromkeys(("team", "handler"), "give a team, a handler or both; null gives it back")
            )
        return self

    def move(self) -> Move:
        given = self.model_fields_set
        return moves.Assign(
            team=self.team if "team" in given else KEPT, handler=self.handler if "handler" in given else KEPT
        )


class StageBody(MoveBody):
    stage: Code = Field(examples=["assessment"])
    handler: Handler = None

    def move(self) -> Move:
        return moves.EnterStage(self.stage, self.handler)


class LeaveBody(MoveBody):
    handler: Handler = None

    def move(self) -> Move:
        return moves.LeaveStage(self.handler)


class ControlBody(MoveBody):
    control: Code = Field(examples=["cover_checked"])
    passed: Truth = True
    recorded: Attributes = Field({}, examples=[{"cover_in_force": True}])
    handler: Handler = None

    def move(self) -> Move:
        return moves.RecordControl(self.control, self.passed, self.recorded, self.handler)


class ResponseBody(MoveBody):
    handler: Handler = None

    def move(self) -> Move:
        return moves.Respond(self.handler)


class InformBody(MoveBody):
    handler: Handler = None

    def move(self) -> Move:
        return moves.InformCustomer(self.handler)


class MessageBody(MoveBody):
    text: Text

    def move(self) -> Move:
        return moves.ReceiveMessage()

    def texts(self) -> dict[str, str]:
        return {"text": self.text}


class NoteBody(MoveBody):
    text: Text
    handler: Handler = None

    def move(self) -> Move:
        return moves.Note(self.handler)

    def texts(self) -> dict[str, str]:
        return {"text": self.text}


class AttachmentBody(MoveBody):
    """The content is kept elsewhere; this says what it is and how to know it again."""

    file_name: Line = Field(examples=["receipt.pdf"])
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,64}$")]
    size: Whole = Field(ge=0, le=2**40, description="Bytes")
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(description="Of the content")
    location: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,2000}$")] = Field(
        description="Where the content is kept", examples=["s3://documents/7781/receipt.pdf"]
    )
    document: Code | None = Field(
        None, description="Which of the documents asked for it is; it has come then", examples=["receipts"]
    )

    def move(self) -> Move:
        return moves.Attach(new_id(), self.media_type, self.size, self.sha256, self.document)

    def texts(self) -> dict[str, str]:
        return {"file_name": self.file_name, "location": self.location}


class PauseBody(MoveBody):
    reason: Code = Field(examples=["customer_documents"])
    documents: Documents = Field(
        [], description="What the customer is asked for; further ones while it waits for this reason already"
    )

    def move(self) -> Move:
        return moves.Pause(self.reason, tuple(dict.fromkeys(self.documents)))


class DocumentsBody(MoveBody):
    documents: Documents = Field(min_length=1, description="What has come")

    def move(self) -> Move:
        return moves.ReceiveDocuments(tuple(dict.fromkeys(self.documents)))


class ResumeBody(MoveBody):
    reason: Code = Field(examples=["customer_documents"])

    def move(self) -> Move:
        return moves.Resume(self.reason)


class ChangeBody(MoveBody):
    reason: Code = Field(examples=["customer_called"])
    product_line: Code | None = None
    priority: Priority | None = None
    customer_tier: CustomerTier | None = None
    attributes: Attributes = Field({}, description="New values; the others stay")

    def move(self) -> Move:
        return moves.ChangeFacts(self.reason, self.product_line, self.priority, self.customer_tier, self.attributes)


class ExtendBody(MoveBody):
    objective: Code = Field(
        description="One that the request has a clock for; any while none is known", examples=["resolution"]
    )
    seconds: Whole = Field(ge=1, le=MOST_SECONDS, description="Working or elapsed, as the objective counts")
    reason: Code = Field(examples=["expert_opinion"])
    approved_by: Code = Field(description="A staff id", examples=["s-001"])

    def move(self) -> Move:
        return moves.Extend(self.objective, self.seconds, self.reason, self.approved_by)


class SignalBody(MoveBody):
    signal: Code = Field(description="A step that a policy names", examples=["all_there"])

    def move(self) -> Move:
        return moves.Signal(self.signal)


class CloseBody(MoveBody):
    outcome: Code = Field(examples=["paid"])
    reason: Code | None = Field(None, description="Asked for by some outcomes", examples=["not_covered"])
    handler: Handler = None

    def move(self) -> Move:
        return moves.Close(self.outcome, self.handler, self.reason)


class ReopenBody(MoveBody):
    reason: Code = Field(examples=["new_evidence"])

    def move(self) -> Move:
        return moves.Reopen(self.reason)


class CancelBody(MoveBody):
    reason: Code = Field(examples=["submitted_by_mistake"])

    def move(self) -> Move:
        return moves.Cancel(self.reason)


class FeedbackBody(MoveBody):
    score: Whole = Field(ge=1, le=5, description="5 is best")
    text: Prose | None = Field(None, description="Stays in this service")

    def move(self) -> Move:
        return moves.GiveFeedback(self.score)

    def texts(self) -> dict[str, str]:
        return {"text": self.text} if self.text else {}


class ComplaintBody(TimedBody):
    """A complaint about the request, which becomes a request of its own."""

    description: Prose | None = Field(None, description="What people wrote; leaves this service in no event")
    priority: Priority = Priority.NORMAL
    attributes: Attributes = {}


class SplitBody(ComplaintBody):
    """A part of the request that goes its own way."""

    kind: RequestKind | None = Field(None, description="Of the part; the request's own if it is left out")
    product_line: Code | None = Field(None, description="Of the part; the request's own if it is left out")


class MergeBody(TimedBody):
    into: str = Field(max_length=32, description="Reference of the request that goes on", examples=["K7M4Q-2XD9C"])


class FollowBody(TimedBody):
    """Go on under another version of its process, or under the one that a new request such as this begins with."""

    process: Code = Field(
        description="Its own, or that of its kind and product line as they are now", examples=["claim_motor"]
    )
    version: Whole = Field(ge=1, le=2**31 - 1)
    stage: Code | None = Field(
        None, description="Where it goes on, if there is no stage of the same name; otherwise it stays at its stage"
    )
    reason: Code = Field(examples=["new_version"])
