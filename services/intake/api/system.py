"""The business clock and the counts."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.visibility import visibility_of
from services.intake.domain.life import State
from services.intake.store.lookups import count_requests
from services.intake.store.quarantine import count_doubts
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["system"])


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
                {
                    "requests": 3,
                    "open": 2,
                    "closed": 1,
                    "by_kind": {"claim": 2, "enquiry": 1},
                    "by_state": {"open": 1, "paused": 1, "closed": 1},
                    "quarantined": 1,
                    "doubts": {"amount_implausible": 1},
                    "outbox_backlog": 0,
                }
            ]
        }
    )

    requests: int
    open: int = Field(description="Not over: paused ones are among them")
    closed: int = Field(description="Over: closed, cancelled or merged")
    by_kind: dict[str, int]
    by_state: dict[str, int]
    quarantined: int = Field(description="How many have doubts that nobody judged")
    doubts: dict[str, int] = Field(description="How many have each finding")
    outbox_backlog: int


@router.get("/v1/clock", summary="The business clock that deadlines follow", responses=problem_responses(422))
async def clock(context: ContextOf) -> ClockView:
    return ClockView(now=context.clock.now(), speed=context.clock.speed)


@router.get(
    "/v1/summary",
    summary="How many requests there are that the caller may see",
    responses=problem_responses(401, 422, 503),
)
async def summary(caller: CallerOf, context: ContextOf) -> CountsView:
    async with context.database.connection() as connection:
        counts = await count_requests(connection, visibility_of(caller))
        quarantined, doubts = await count_doubts(connection, visibility_of(caller))
    by_kind: Counter[str] = Counter()
    by_state: Counter[str] = Counter()
    for count in counts:
        by_kind[count.kind] += count.total
        by_state[count.state] += count.total
    open_ = by_state[State.OPEN] + by_state[State.PAUSED]
    return CountsView(
        requests=by_kind.total(),
        open=open_,
        closed=by_kind.total() - open_,
        by_kind=by_kind,
        by_state=by_state,
        quarantined=quarantined,
        doubts=doubts,
        outbox_backlog=context.outbox.backlog(),
    )
