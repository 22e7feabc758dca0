"""GET /v1/requests/{reference}/timeline: all that happened to a request, whoever told it, in one order."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.intake.api.bodies import read_instant
from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.paging import PAGED, broken_cursor, link_next
from services.intake.api.problems import not_found
from services.intake.api.references import ReferenceOf
from services.intake.api.visibility import review_sight_of, visibility_of
from services.intake.store.sights import find_sight
from services.intake.store.timeline import Happening, Moment, find_request_id, read_timeline
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["requests"])

_PREFIX = "/punctual/"
_PARTS = 3


class Source(StrEnum):
    """Who tells something about requests."""

    INTAKE = "intake"
    SLA_TIMER = "sla_timer"
    NOTIFIER = "notifier"
    QUALITY_AUDIT = "quality_audit"


class HappeningView(BaseModel):
    source: str = Field(description="The service that told it: intake, sla_timer, notifier, quality_audit")
    type: str = Field(
        description="As in the event contracts, without the version; there may be types not listed there yet"
    )
    sequence: int = Field(description="1, 2, 3, ... per source")
    occurred_at: datetime
    recorded_at: datetime
    by: str | None = Field(description="Who called, for what happened here")
    cause: str | None
    data: dict[str, Any] = Field(description="Names other requests only where the caller sees them, so it may be empty")


class TimelineView(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "happenings": [
                        {
                            "source": "sla_timer",
                            "type": "punctual.clock.warned",
                            "sequence": 3,
                            "occurred_at": "2026-11-26T07:24:00Z",
                            "recorded_at": "2026-11-26T07:24:00.018Z",
                            "by": None,
                            "cause": None,
                            "data": {"objective": "resolution", "level": 1, "due_at": "2026-11-27T09:00:00Z"},
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )

    happenings: list[HappeningView]
    next: str | None = Field(description="Give it as `after` to go on; null at the end")


@router.get(
    "/v1/requests/{reference}/timeline",
    summary="Everything that happened to a request",
    description=(
        "Its own history, its clocks, what was told to whom, and for staff its reviews; by instant, then source. That a"
        " request was chosen for a review, and whose a review is, is shown to who oversees only. What a service tells"
        " stands in the order of its sequence: what it tells late comes right after what it told before."
    ),
    responses=PAGED | problem_responses(401, 404, 422, 503),
)
async def timeline(
    request: Request,
    response: Response,
    reference: ReferenceOf,
    caller: CallerOf,
    context: ContextOf,
    source: Annotated[Source | None, Query(description="Only what this service told")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str | None, Query(max_length=400, description="`next` of the page before")] = None,
) -> TimelineView:
    moment = read_moment(after)
    visibility = visibility_of(caller)
    async with context.database.snapshot() as connection:
        request_id = await find_request_id(connection, reference, visibility)
        if request_id is None:
            raise not_found()
        happenings = await read_timeline(
            connection,
            request_id,
            await find_sight(connection, request_id, visibility),
            review_sight_of(caller),
            source=None if source is None else _PREFIX + source,
            after=moment,
            count=limit,
        )
    cursor = write_moment(happenings[-1].moment) if len(happenings) == limit else None
    if cursor is not None:
        link_next(request, response, cursor)
    return TimelineView(happenings=[view_happening(happening) for happening in happenings], next=cursor)


def view_happening(happening: Happening) -> HappeningView:
    """As a reader gets it."""
    return HappeningView(
        source=happening.moment.source.removeprefix(_PREFIX),
        type=happening.type,
        sequence=happening.moment.sequence,
        occurred_at=happening.occurred_at,
        recorded_at=happening.recorded_at,
        by=happening.by,
        cause=happening.cause,
        data=happening.data,
    )


def write_moment(moment: Moment) -> str:
    text = f"{moment.placed_at.isoformat()} {moment.sequence} {moment.source}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_moment(cursor: str | None) -> Moment | None:
    """
    Raises:
        Problem: the cursor is none that was given out.
    """
    if cursor is None:
        return None
    try:
        parts = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ", 2)
        at, sequence, source = parts if len(parts) == _PARTS else ("", "", "")
        placed_at, number = read_instant(at), int(sequence)
    except (binascii.Error, ValueError):
        raise broken_cursor() from None
    if not 0 < number < 2**63 or "\x00" in source:
        raise broken_cursor()
    return Moment(placed_at, source, number)
