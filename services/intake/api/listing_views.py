"""What callers get to see of a list of requests."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.intake.api.places import write_next
from services.intake.api.sealing import CursorSeal
from services.intake.domain.life import State
from services.intake.store.listing.pages import Count, Line, Page
from services.intake.store.listing.wanted import Wanted
from shared.contracts.payload import Market, Priority, RequestKind


class ListedView(BaseModel):
    id: UUID
    reference: str
    external_id: str | None
    kind: RequestKind
    process: str
    product_line: str | None
    priority: Priority
    channel: str
    market: Market
    state: State
    stage: str
    team: str | None
    handler: str | None
    outcome: str | None
    submitted_at: datetime
    closed_at: datetime | None
    changed_at: datetime = Field(description="When its last change was recorded")
    due_at: datetime | None = Field(
        description="The deadline of the objective, while a clock of it runs or has run over"
    )
    version: int


class CountView(BaseModel):
    value: int
    exact: bool = Field(description="Otherwise there are at least so many")


class ListView(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "requests": [
                        {
                            "id": "01a2051d-44ed-7642-9a32-1b7da3713f59",
                            "reference": "K7M4Q-2XD9C",
                            "external_id": "APP-7781",
                            "kind": "claim",
                            "process": "claim_motor",
                            "product_line": "motor",
                            "priority": "normal",
                            "channel": "app",
                            "market": "HK",
                            "state": "open",
                            "stage": "assessment",
                            "team": "claims_hk",
                            "handler": "s-104",
                            "outcome": None,
                            "submitted_at": "2026-11-22T01:30:00Z",
                            "closed_at": None,
                            "changed_at": "2026-11-22T02:05:11Z",
                            "due_at": "2026-11-27T09:00:00Z",
                            "version": 3,
                        }
                    ],
                    "next": "01a2051d-44ed-7642-9a32-1b7da3713f59",
                    "count": {"value": 10000, "exact": False},
                }
            ]
        }
    )

    requests: list[ListedView]
    next: str | None = Field(description="Give it as `after` to go on, however many lines there are; null at the end")
    count: CountView | None = Field(description="Null unless it was asked for")


def view_list(page: Page, count: Count | None, wanted: Wanted, seal: CursorSeal) -> ListView:
    return ListView(
        requests=[view_line(line) for line in page.lines],
        next=write_next(page, wanted, seal),
        count=None if count is None else CountView(value=count.value, exact=count.is_exact),
    )


def view_line(line: Line) -> ListedView:
    request = line.listed
    return ListedView(
        id=request.request_id,
        reference=request.reference,
        external_id=request.external_id,
        kind=request.kind,
        process=request.process,
        product_line=request.product_line,
        priority=request.priority,
        channel=request.channel,
        market=request.market,
        state=request.state,
        stage=request.stage,
        team=request.team,
        handler=request.handler,
        outcome=request.outcome,
        submitted_at=request.submitted_at,
        closed_at=request.closed_at,
        changed_at=line.changed_at,
        due_at=line.due_at,
        version=request.version,
    )
