"""Who read personal data, for auditors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.intake.api.bodies import Line
from services.intake.api.context import ContextOf
from services.intake.api.paging import PAGED, NumberAfter, link_next, read_number
from services.intake.api.references import read_filter
from services.intake.store.access_log import AccessRecord, What, list_accesses
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["audit"])


class AccessView(BaseModel):
    who: str
    subject: str = Field(description="What the issuer knows the caller by; of a key its prefix")
    roles: list[str] = Field(description="What the caller had then: roles of staff, or channel")
    route: str
    what: What
    reference: str | None
    customer_id: UUID | None
    occurred_at: datetime = Field(description="Business time")
    real_at: datetime = Field(description="Real time")
    correlation_id: str


@router.get(
    "/v1/audit", summary="List who read personal data, the newest first", responses=PAGED | problem_responses(422)
)
async def list_(
    context: ContextOf,
    request: Request,
    response: Response,
    who: Annotated[Line | None, Query(description="Only what this caller read")] = None,
    reference: Annotated[str | None, Query(max_length=40, description="Only what was read of this request")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: NumberAfter = None,
) -> list[AccessView]:
    canonical = None if reference is None else read_filter(reference)
    before = read_number(after)
    async with context.database.connection() as connection:
        found = await list_accesses(connection, who=who, reference=canonical, before=before, count=limit)
    if len(found) == limit:
        link_next(request, response, str(found[-1][0]))
    return [view_access(access) for _, access in found]


def view_access(access: AccessRecord) -> AccessView:
    """As an auditor gets it."""
    return AccessView(
        who=access.who,
        subject=access.subject,
        roles=list(access.roles),
        route=access.route,
        what=access.what,
        reference=access.reference,
        customer_id=access.customer_id,
        occurred_at=access.occurred_at,
        real_at=access.real_at,
        correlation_id=access.correlation_id,
    )
