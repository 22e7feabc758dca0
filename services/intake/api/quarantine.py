"""Requests in quarantine: which there are, and the moves that judge a doubt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.intake.api.context import CallerOf, ContextOf, WriteOf
from services.intake.api.etags import SeenOf
from services.intake.api.move_bodies import MoveBody
from services.intake.api.moves import MOVE_ANSWERS, write_move
from services.intake.api.paging import PAGED, link_next
from services.intake.api.references import ReferenceOf
from services.intake.api.visibility import visibility_of
from services.intake.domain import moves
from services.intake.domain.life import State
from services.intake.domain.moves import Move
from services.intake.domain.record import RequestRecord
from services.intake.handlers.asking import Asking
from services.intake.handlers.moving import Moving
from services.intake.store.quarantine import OLDEST, Quarantined, QuarantineFilter, list_quarantine
from shared.contracts.payload import Code, RequestKind
from shared.http import problem_responses
from shared.http.access import GuardedRoute
from shared.postgres import Connection

router = APIRouter(route_class=GuardedRoute, tags=["quarantine"])


class JudgementBody(MoveBody):
    rule: Code = Field(description="Code of the finding", examples=["policy_was_in_force"])
    reason: Code = Field(description="Why, in a word", examples=["customer_called"])


class ConfirmBody(JudgementBody):
    """The data are wrong."""

    def move(self) -> Move:
        return moves.ConfirmFinding(self.rule, self.reason)


class DismissBody(JudgementBody):
    """The doubt was without cause."""

    def move(self) -> Move:
        return moves.DismissFinding(self.rule, self.reason)


class DoubtView(BaseModel):
    rule: str
    about: list[str] = Field(
        description=(
            "The facts that are doubted, or in what it is like the likest duplicate; empty where the caller does not"
            " see that one"
        )
    )
    message: str | None = Field(description="From the file in force; null when the rule is not in it")


class QuarantinedView(BaseModel):
    id: UUID
    reference: str
    channel: str
    kind: RequestKind
    state: State
    stage: str
    team: str | None
    handler: str | None
    submitted_at: datetime
    version: int
    doubts: list[DoubtView]
    duplicates: list[str] = Field(
        description="References of the requests that it is likely a duplicate of, those that the caller sees"
    )


@router.get(
    "/v1/quarantine",
    summary="Requests with doubts that nobody judged, the oldest first",
    responses=PAGED | problem_responses(401, 403, 422, 503),
)
async def quarantine(
    context: ContextOf,
    caller: CallerOf,
    request: Request,
    response: Response,
    channel: Annotated[Code | None, Query(description="Only of this channel")] = None,
    kind: Annotated[RequestKind | None, Query(description="Only of this kind")] = None,
    rule: Annotated[Code | None, Query(description="Only with this finding")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[UUID | None, Query(description="Where the page before ended; from its Link header")] = None,
) -> list[QuarantinedView]:
    wanted = QuarantineFilter(channel, kind, rule, visibility_of(caller))
    async with context.database.connection() as connection:
        found = await list_quarantine(connection, wanted, after or OLDEST, limit)
    if len(found) == limit:
        link_next(request, response, str(found[-1].request_id))
    messages = context.validation.messages
    return [_view(each, messages.get) for each in found]


def _endpoint(body_type: type[JudgementBody]) -> Callable[..., Awaitable[Response]]:
    async def endpoint(
        reference: ReferenceOf, body: JudgementBody, seen: SeenOf, write: WriteOf, context: ContextOf
    ) -> Response:
        async def perform(moving: Moving, connection: Connection, asking: Asking) -> RequestRecord:
            return await moving.perform(connection, reference, body.move(), asking)

        return await write_move(context, write, body, seen, perform)

    endpoint.__annotations__["body"] = body_type
    return endpoint


for _verb, _body, _summary in (
    ("confirm", ConfirmBody, "Say that the data are wrong where a finding doubts them"),
    ("dismiss", DismissBody, "Say that a doubt was without cause"),
):
    _route = router.post(
        f"/v1/requests/{{reference}}/{_verb}",
        summary=_summary,
        name=_verb,
        response_class=Response,
        responses={**MOVE_ANSWERS, **problem_responses(403)},
    )
    _route(_endpoint(_body))


def _view(found: Quarantined, message_of: Callable[[str], str | None]) -> QuarantinedView:
    return QuarantinedView(
        id=found.request_id,
        reference=found.reference,
        channel=found.channel,
        kind=found.kind,
        state=found.state,
        stage=found.stage,
        team=found.team,
        handler=found.handler,
        submitted_at=found.submitted_at,
        version=found.version,
        doubts=[
            DoubtView(rule=rule, about=list(about), message=message_of(rule)) for rule, about in found.doubts.items()
        ],
        duplicates=list(found.duplicates),
    )
