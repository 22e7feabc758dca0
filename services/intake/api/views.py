"""What callers get to see of a request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.intake.domain.changes import change_data
from services.intake.domain.deadlines import DeadlineState, expected_at
from services.intake.domain.life import State
from services.intake.domain.record import RequestRecord
from services.intake.domain.submission import status_path
from services.intake.store.lookups import Listed
from shared.contracts.payload import Language, Market, Priority, RequestKind


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
    data: dict[str, Any]


class RequestView(BaseModel):
    id: UUID
    reference: str
    external_id: str | None
    kind: RequestKind
    product_line: str | None
    priority: Priority
    channel: str
    market: Market
    language: Language
    state: State
    stage: str
    outcome: str | None
    pause_reasons: list[str]
    submitted_at: datetime
    closed_at: datetime | None
    version: int
    expected_at: datetime | None
    deadlines: list[DeadlineView]
    history: list[EntryView]
    status_url: str


class ListedView(BaseModel):
    id: UUID
    reference: str
    external_id: str | None
    kind: RequestKind
    priority: Priority
    channel: str
    market: Market
    state: State
    stage: str
    outcome: str | None
    submitted_at: datetime
    closed_at: datetime | None
    version: int


class ListView(BaseModel):
    requests: list[ListedView]
    next: UUID | None
    """Give it as ``after`` to go on; null at the end."""


def view_request(record: RequestRecord, public_url: str) -> RequestView:
    life = record.life
    return RequestView(
        id=record.request_id,
        reference=record.reference,
        external_id=record.external_id,
        kind=record.kind,
        product_line=record.product_line,
        priority=record.priority,
        channel=record.channel,
        market=record.market,
        language=record.language,
        state=life.state,
        stage=life.stage,
        outcome=life.outcome,
        pause_reasons=list(life.pause_reasons),
        submitted_at=life.submitted_at,
        closed_at=life.closed_at,
        version=life.version,
        expected_at=None if life.state is State.CLOSED else expected_at(record.deadlines),
        deadlines=[
            DeadlineView(
                objective=deadline.objective,
                state=deadline.state,
                due_at=deadline.due_at,
                stopped_at=deadline.stopped_at,
                warned=deadline.is_warned,
                escalation_level=deadline.escalation_level,
            )
            for deadline in record.deadlines
        ],
        history=[
            EntryView(
                sequence=entry.sequence,
                type=entry.change.TYPE,
                occurred_at=entry.occurred_at,
                recorded_at=entry.recorded_at,
                by=entry.by,
                data=change_data(entry.change),
            )
            for entry in record.history
        ],
        status_url=public_url.rstrip("/") + status_path(record.status_token),
    )


def view_list(listed: Sequence[Listed], count: int) -> ListView:
    return ListView(
        requests=[
            ListedView(
                id=request.request_id,
                reference=request.reference,
                external_id=request.external_id,
                kind=request.kind,
                priority=request.priority,
                channel=request.channel,
                market=request.market,
                state=request.life.state,
                stage=request.life.stage,
                outcome=request.life.outcome,
                submitted_at=request.life.submitted_at,
                closed_at=request.life.closed_at,
                version=request.life.version,
            )
            for request in listed
        ],
        next=listed[-1].request_id if len(listed) == count else None,
    )
