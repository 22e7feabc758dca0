"""Whether stored requests prove themselves."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.intake.api.context import ContextOf
from services.intake.api.paging import PAGED, link_next
from services.intake.api.problems import not_found
from services.intake.api.references import ReferenceOf
from services.intake.domain.verifying import Verdict, verify
from services.intake.store.proofs import find_stored, read_stored_page
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["verification"])

_FIRST = UUID(int=0)


class VerdictView(BaseModel):
    reference: str
    entries: int
    unproved: int = Field(description="Entries at the beginning that are older than the chain of hashes")
    problems: list[str]


class VerifiedPageView(BaseModel):
    requests: int = Field(description="How many were looked at")
    entries: int
    unproved: int
    problems: list[VerdictView] = Field(description="Those that do not prove themselves")
    next: UUID | None = Field(description="Give it as `after` to go on; null at the end")


@router.get(
    "/v1/requests/{reference}/verification",
    summary="Prove that a request's history is what was written, and that it leads to the stored state",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def verify_one(reference: ReferenceOf, context: ContextOf) -> VerdictView:
    async with context.database.connection() as connection:
        stored = await find_stored(connection, reference)
    if stored is None:
        raise not_found()
    return _view(verify(stored))


@router.get(
    "/v1/verification",
    summary="The same for every request, page by page",
    responses=PAGED | problem_responses(401, 403, 422),
)
async def verify_page(
    context: ContextOf,
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
) -> VerifiedPageView:
    async with context.database.connection() as connection:
        page = await read_stored_page(connection, after or _FIRST, limit)
    verdicts = [verify(stored) for stored in page]
    following = page[-1].record.request_id if len(page) == limit else None
    if following is not None:
        link_next(request, response, str(following))
    return VerifiedPageView(
        requests=len(verdicts),
        entries=sum(verdict.entries for verdict in verdicts),
        unproved=sum(verdict.unproved for verdict in verdicts),
        problems=[_view(verdict) for verdict in verdicts if verdict.problems],
        next=following,
    )


def _view(verdict: Verdict) -> VerdictView:
    return VerdictView(
        reference=verdict.reference,
        entries=verdict.entries,
        unproved=verdict.unproved,
        problems=list(verdict.problems),
    )
