"""The business clock and the counts."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from services.intake.api.context import CallerOf, ContextOf, visible_channel
from services.intake.store.lookups import count_requests
from shared.http import problem_responses

router = APIRouter(tags=["system"])


class ClockView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"now": "2026-11-22T01:30:00Z", "speed": 1.0}]})

    now: datetime
    """The business instant."""
    speed: float
    """Business seconds per real second."""


class CountsView(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"requests": 3, "open": 2, "closed": 1, "by_kind": {"claim": 2, "enquiry": 1}, "outbox_backlog": 0}
            ]
        }
    )

    requests: int
    open: int
    closed: int
    by_kind: dict[str, int]
    outbox_backlog: int


@router.get("/v1/clock", summary="The business clock that deadlines follow")
async def clock(context: ContextOf) -> ClockView:
    return ClockView(now=context.clock.now(), speed=context.clock.speed)


@router.get(
    "/v1/summary", summary="How many requests there are that the caller may see", responses=problem_responses(401, 503)
)
async def summary(caller: CallerOf, context: ContextOf) -> CountsView:
    async with context.database.connection() as connection:
        counts = await count_requests(connection, visible_channel(caller))
    total = sum(count.total for count in counts)
    closed = sum(count.closed for count in counts)
    return CountsView(
        requests=total,
        open=total - closed,
        closed=closed,
        by_kind={count.kind: count.total for count in counts},
        outbox_backlog=context.outbox.backlog(),
    )
