"""What was told to whom, and how much waits. Shows roles and states, never names or addresses."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from services.notifier.domain.words import NoticeKind, NoticeState, Reason
from services.notifier.store.listing import NoticeListing
from shared.contracts.payload import Language
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute
from shared.ids import parse_reference


class NoticeView(BaseModel):
    """Attributes:
    reason: why it is held or how it ended, unless it was sent.
    attempt: how often it was claimed for sending.
    is_resend: it was in doubt and went out a second time with the same bytes.
    """

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    request_id: UUID
    reference: str | None
    kind: NoticeKind
    cause: str
    cycle: int
    audience: str
    state: NoticeState
    reason: Reason | None
    language: Language | None
    attempt: int
    is_resend: bool
    caused_at: datetime
    planned_at: datetime
    ended_at: datetime | None
    told_expected_at: datetime | None
    correlation_id: str


class NoticeList(BaseModel):
    notices: list[NoticeView]


class Summary(BaseModel):
    """Notices by state; together all there are.

    Attributes:
        planned: waits for nothing but its turn.
    """

    planned: int
    held: int
    sending: int
    in_doubt: int
    sent: int
    failed: int
    suppressed: int
    withdrawn: int


def notices_router(listing: NoticeListing) -> APIRouter:
    router = APIRouter(route_class=GuardedRoute, prefix="/v1")

    @router.get("/notices", responses=problem_responses(401, 422, 503))
    async def list_notices(
        request: Annotated[str | None, Query(description="A request's id or reference", max_length=64)] = None,
        state: NoticeState | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> NoticeList:
        """Newest first."""
        request_id, reference = _which_request(request)
        rows = await listing.notices(request_id=request_id, reference=reference, state=state, count=limit)
        return NoticeList(notices=[NoticeView.model_validate(dict(row)) for row in rows])

    @router.get("/summary", responses=problem_responses(401, 503))
    async def summary() -> Summary:
        counts = await listing.count_by_state()
        planned = counts[NoticeState.PLANNED] + counts[NoticeState.READY]
        return Summary.model_validate({**counts, "planned": planned})

    return router


def _which_request(text: str | None) -> tuple[UUID | None, str | None]:
    """The id or the reference that was meant; neither when nothing was asked for."""
    if text is None:
        return None, None
    try:
        return UUID(text), None
    except ValueError:
        reference = parse_reference(text)
    if reference is None:
        message = "is neither a request's id nor a reference; a character may be mistyped"
        raise Problem(
            422,
            "invalid_fields",
            "Some fields are missing or wrong",
            errors=[FieldError(field="query:request", message=message)],
        )
    return None, reference
