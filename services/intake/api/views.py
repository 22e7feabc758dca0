"""What callers get to see of a request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.intake.api.examples import REQUEST
from services.intake.domain.deadlines import Deadline, DeadlineState, expected_at
from services.intake.domain.ending import reopens_until
from services.intake.domain.history import Entry, change_data
from services.intake.domain.life import Life, State
from services.intake.domain.process import Process
from services.intake.domain.record import RequestRecord
from services.intake.domain.requiring import find_missing
from services.intake.domain.sight import Sight
from services.intake.domain.submission import status_path
from shared.contracts.payload import CustomerTier, Language, Market, Priority, RequestKind


class Judgement(StrEnum):
    """Members:
    OPEN: nobody judged it; the request is in quarantine and can only be closed without a decision.
    CONFIRMED: the data are wrong.
    DISMISSED: the doubt was without cause.
    """

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class DeadlineView(BaseModel):
    objective: str
    state: DeadlineState
    due_at: datetime | None
    stopped_at: datetime | None
    warned: bool
    escalation_level: int


class EntryView(BaseModel):
    sequence: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    by: str
    cause: str | None = Field(description="What made it happen besides the call: entry:<sequence> or rule:<name>")
    data: dict[str, Any] = Field(description="Names other requests only where the caller sees them, so it may be empty")


_HISTORY = TypeAdapter(list[EntryView])


class RelatedView(BaseModel):
    relation: str
    reference: str


class ReopeningView(BaseModel):
    until: datetime
    reasons: list[str]


class NextView(BaseModel):
    """What the process allows now."""

    stages: list[str]
    missing: list[str] = Field(description="What has to be there before the stage can be left, except for rework")
    controls: dict[str, list[str]] = Field(description="Control points still to pass, and what is recorded there")
    optional_controls: dict[str, list[str]] = Field(
        description="Control points that need not be recorded; one that failed holds up the way out until it is passed"
    )
    pauses: list[str]
    resumes: list[str]
    outcomes: dict[str, list[str]] = Field(description="How it may be closed here, each with its possible reasons")
    cancelling: list[str]
    reopening: ReopeningView | None


class RequestView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [REQUEST]})

    id: UUID
    reference: str
    external_id: str | None
    kind: RequestKind
    process: str
    process_version: int
    product_line: str | None
    priority: Priority
    customer_tier: CustomerTier
    attributes: dict[str, bool | int | float | str]
    channel: str
    market: Market
    language: Language
    state: State
    stage: str
    team: str | None
    handler: str | None
    acknowledged: bool
    responded: bool
    outcome: str | None
    reason: str | None = Field(description="Why it was closed or cancelled")
    pause_reasons: list[str]
    awaited: dict[str, list[str]] = Field(description="For each reason to pause the documents still missing")
    controls: dict[str, bool] = Field(description="Control points recorded at this stage, and whether they were passed")
    submitted_at: datetime
    closed_at: datetime | None
    cycle: int = Field(description="1, and one more with each reopening")
    score: int | None = Field(description="The customer's satisfaction since the last reopening, 1 to 5")
    findings: dict[str, Judgement] = Field(
        description=(
            "What was doubted when it came in or was changed, and how people judged it. A channel is shown"
            " `likely_duplicate` only where one of the requests meant is its own"
        )
    )
    version: int
    expected_at: datetime | None
    deadlines: list[DeadlineView]
    related: list[RelatedView]
    next: NextView
    history: list[EntryView]
    status_url: str | None = Field(
        description="The customer's own page, for who hands it to the customer: channels and services. null for people"
    )


def view_request(
    record: RequestRecord, process: Process, now: datetime, public_url: str | None, sight: Sight
) -> RequestView:
    """
    Args:
        process: the definition that it follows.
        now: business time; what is allowed depends on it.
        public_url: where customers' pages are; None for a caller who is not given the link.
        sight: what the caller is shown of other requests.
    """
    life = record.life
    return RequestView(
        id=record.request_id,
        reference=record.reference,
        external_id=record.external_id,
        kind=life.kind,
        process=life.process,
        process_version=life.process_version,
        product_line=life.product_line,
        priority=life.priority,
        customer_tier=life.customer_tier,
        attributes=dict(life.attributes),
        channel=record.channel,
        market=record.market,
        language=record.language,
        state=life.state,
        stage=life.stage,
        team=life.team,
        handler=life.handler,
        acknowledged=life.is_acknowledged,
        responded=life.is_responded,
        outcome=life.outcome,
        reason=life.reason,
        pause_reasons=list(life.pause_reasons),
        awaited={reason: list(documents) for reason, documents in life.awaited.items()},
        controls=dict(life.controls),
        submitted_at=life.submitted_at,
        closed_at=life.closed_at,
        cycle=life.cycle,
        score=life.score,
        findings=_view_findings(life, sight),
        version=life.version,
        expected_at=None if life.is_over else expected_at(record.deadlines),
        deadlines=[_view_deadline(deadline) for deadline in record.deadlines],
        related=[RelatedView(relation=other.relation, reference=other.reference) for other in record.related],
        next=view_next(process, life, now),
        history=[view_entry(entry, sight) for entry in record.history],
        status_url=None if public_url is None else public_url.rstrip("/") + status_path(record.status_token),
    )


def write_history(history: Iterable[EntryView]) -> str:
    """JSON, as a request that is shown has it."""
    return _HISTORY.dump_json(list(history)).decode()


def _view_findings(life: Life, sight: Sight) -> dict[str, Judgement]:
    judged = (
        (Judgement.OPEN, life.doubts),
        (Judgement.CONFIRMED, life.confirmed),
        (Judgement.DISMISSED, life.dismissed),
    )
    return {rule: judgement for judgement, rules in judged for rule in rules if sight.shows_finding(rule)}


def view_next(process: Process, life: Life, now: datetime) -> NextView:
    until = reopens_until(process, life)
    reopening = None
    if until is not None and now <= until and process.reopening is not None:
        reopening = ReopeningView(until=until, reasons=list(process.reopening.reasons))
    if life.is_over:
        return NextView(
            stages=[],
            missing=[],
            controls={},
            optional_controls={},
            pauses=[],
            resumes=[],
            outcomes={},
            cancelling=[],
            reopening=reopening,
        )
    here = process.stages[life.stage]
    return NextView(
        stages=list(process.stages_after(life.stage)),
        missing=list(find_missing(process, life)),
        controls={name: list(asked) for name, asked in here.controls.items() if not life.controls.get(name, False)},
        optional_controls={
            name: list(asked) for name, asked in here.optional_controls.items() if not life.controls.get(name, False)
        },
        pauses=[reason for reason in process.pauses if reason not in life.pause_reasons],
        resumes=list(life.pause_reasons),
        outcomes={name: list(process.outcomes[name].reasons) for name in process.outcomes_at(life.stage)},
        cancelling=list(process.cancelling),
        reopening=None,
    )


def _view_deadline(deadline: Deadline) -> DeadlineView:
    return DeadlineView(
        objective=deadline.objective,
        state=deadline.state,
        due_at=deadline.due_at,
        stopped_at=deadline.stopped_at,
        warned=deadline.is_warned,
        escalation_level=deadline.escalation_level,
    )


def view_entry(entry: Entry, sight: Sight) -> EntryView:
    return EntryView(
        sequence=entry.sequence,
        type=entry.change.TYPE,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        by=entry.by,
        cause=entry.cause,
        data=sight.shown_data(entry.change.TYPE, change_data(entry.change)),
    )
