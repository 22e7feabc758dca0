"""The business clock and the counts."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.visibility import visibility_of
from services.intake.store.lookups import count_requests
from services.intake.store.quarantine import count_doubts
from shared.http import problem_responses

router = APIRouter(tags=["system"])


class ClockView(BaseModel):
    now: datetime
    """The business instant."""
    speed: float
    """Business seconds per real second."""


class SummaryView(BaseModel):
    requests: int
    open: int
    closed: int
    by_kind: dict[str, int]
    quarantined: int
    """How many have doubts that nobody judged."""
    doubts: dict[str, int]
    """How many have each finding."""
    outbox_backlog: int


@router.get("/v1/clock", summary="The business clock that deadlines follow")
async def clock(context: ContextOf) -> ClockView:
    return ClockView(now=context.clock.now(), speed=context.clock.speed)


@router.get(
    "/v1/summary", summary="How many requests there are that the caller may see", responses=problem_responses(401, 503)
)
async def summary(caller: CallerOf, context: ContextOf) -> SummaryView:
    async with context.database.connection() as connection:
        counts = await count_requests(connection, visibility_of(caller))
        quarantined, doubts = await count_doubts(connection, visibility_of(caller))
    total = sum(count.total for count in counts)
    closed = sum(count.closed for count in counts)
    return SummaryView(
        requests=total,
        open=total - closed,
        closed=closed,
        by_kind={count.kind: count.total for count in counts},
        quarantined=quarantined,
        doubts=doubts,
        outbox_backlog=context.outbox.backlog(),
    )
