"""Moves of a request: one endpoint for each, all alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import Counter

from services.intake.api import move_bodies as bodies
from services.intake.api.answers import REPLAY_HEADER, json_answer, kept_answer, stored_answer
from services.intake.api.context import Context, ContextOf, Write, WriteOf
from services.intake.api.etags import SeenOf, make_etag, shown_etag
from services.intake.api.move_bodies import MoveBody, TimedBody
from services.intake.api.problems import key_in_flight, not_found, translating_refusals
from services.intake.api.references import ReferenceOf, read_reference
from services.intake.api.showing import show_request
from services.intake.api.views import RequestView
from services.intake.api.visibility import acting, visibility_of
from services.intake.domain.record import RequestRecord
from services.intake.handlers.asking import Asking, RequestUnknown
from services.intake.handlers.moving import Moving
from services.intake.store.answers import KeyInFlight, claim_key, complete_answer
from services.intake.store.refusals import writing
from shared.contracts.payload import RequestKind
from shared.http import problem_responses
from shared.http.access import GuardedRoute
from shared.postgres import Connection

RECORDED = Counter("punctual_intake_moves_total", "Moves recorded.", ["type", "kind"])
FEEDBACK = Counter("punctual_intake_feedback_total", "Scores that customers gave.", ["kind", "score"])

# What is counted for the first time shows no increase, unless it was there with 0 before.
for _kind in RequestKind:
    for _score in range(1, 6):
        FEEDBACK.labels(_kind, _score)

MOVE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": RequestView,
        "description": "The request after the move",
        "headers": shown_etag("For If-Match of the next move"),
    },
    **problem_responses(400, 401, 404, 409, 412, 413, 422, 503),
}

router = APIRouter(route_class=GuardedRoute, tags=["moves"], default_response_class=Response, responses=MOVE_ANSWERS)

Perform = Callable[[Moving, Connection, Asking], Awaitable[RequestRecord]]

MOVES: tuple[tuple[str, type[MoveBody], str], ...] = (
    ("acknowledge", bodies.AcknowledgeBody, "Tell that somebody has taken it on"),
    ("assign", bodies.AssignBody, "Give it to a team or a person"),
    ("stage", bodies.StageBody, "Enter another stage"),
    ("leave", bodies.LeaveBody, "Finish the stage before the next one begins"),
    ("control", bodies.ControlBody, "Record a quality control point of the stage"),
    ("response", bodies.ResponseBody, "Tell that the customer was answered in substance"),
    ("inform", bodies.InformBody, "Tell that the customer was told how things stand"),
    ("message", bodies.MessageBody, "Record what the customer wrote or said"),
    ("note", bodies.NoteBody, "Write a note for the house"),
    ("attachment", bodies.AttachmentBody, "Attach a document that is kept elsewhere"),
    ("pause", bodies.PauseBody, "Wait for somebody outside, or ask for documents"),
    ("documents", bodies.DocumentsBody, "Record documents that came; when all are there it goes on by itself"),
    ("resume", bodies.ResumeBody, "Stop waiting for one reason"),
    ("change", bodies.ChangeBody, "Change its priority, product line, tier or attributes"),
    ("extend", bodies.ExtendBody, "Grant more time to an objective"),
    ("signal", bodies.SignalBody, "Tell a step that a policy names"),
    ("close", bodies.CloseBody, "End it with an outcome"),
    ("reopen", bodies.ReopenBody, "Go on with a closed request"),
    ("cancel", bodies.CancelBody, "End it without anybody owing anything any more"),
    ("feedback", bodies.FeedbackBody, "Record how satisfied the customer is"),
)


def _endpoint(body_type: type[MoveBody]) -> Callable[..., Awaitable[Response]]:
    async def endpoint(
        reference: ReferenceOf, body: MoveBody, seen: SeenOf, write: WriteOf, context: ContextOf
    ) -> Response:
        move = acting(write.caller, body.move())

        def perform(moving: Moving, connection: Connection, asking: Asking) -> Awaitable[RequestRecord]:
            return moving.perform(connection, reference, move, asking)

        return await write_move(context, write, body, seen, perform)

    endpoint.__annotations__["body"] = body_type
    return endpoint


for _verb, _body, _summary in MOVES:
    router.post(f"/v1/requests/{{reference}}/{_verb}", summary=_summary, name=_verb)(_endpoint(_body))


@router.post("/v1/requests/{reference}/merge", summary="End it as the same matter as another request")
async def merge(
    reference: ReferenceOf, body: bodies.MergeBody, seen: SeenOf, write: WriteOf, context: ContextOf
) -> Response:
    into = read_reference(body.into, "into")

    async def perform(moving: Moving, connection: Connection, asking: Asking) -> RequestRecord:
        try:
            return await moving.merge(connection, reference, into, asking)
        except RequestUnknown as unknown:
            raise not_found("into" if unknown.reference == into else None) from None

    return await write_move(context, write, body, seen, perform)


@router.post(
    "/v1/requests/{reference}/process",
    summary="Follow another version of its process, or the process of its product line",
)
async def follow(
    reference: ReferenceOf, body: bodies.FollowBody, seen: SeenOf, write: WriteOf, context: ContextOf
) -> Response:
    return await write_move(
        context,
        write,
        body,
        seen,
        lambda moving, connection, asking: moving.follow(
            connection, reference, asking, body.process, body.version, body.stage, body.reason
        ),
    )


async def write_move(
    context: Context, write: Write, body: TimedBody, seen: frozenset[int] | None, perform: Perform
) -> Response:
    """Only what was recorded uses its key up: a refused move may be tried again with the same one."""
    asking = Asking(write.caller.name, visibility_of(write.caller), body.occurred_at, seen, body.texts())
    try:
        with translating_refusals():
            async with writing(context.database) as connection:
                if not await claim_key(connection, write.owner, write.key, write.fingerprint, context.key_patience):
                    status, answer = await stored_answer(connection, write)
                    return json_answer(answer, status, REPLAY_HEADER)
                record = await perform(context.moving, connection, asking)
                view = await show_request(context, connection, record, asking.visibility, write.caller)
                answer = view.model_dump_json()
                await complete_answer(connection, write.owner, write.key, record, 200, kept_answer(view, answer))
    except KeyInFlight:
        raise key_in_flight(context.retry_after_seconds) from None
    RECORDED.labels(record.history[-1].change.TYPE, record.life.kind).inc()
    if isinstance(body, bodies.FeedbackBody):
        FEEDBACK.labels(record.life.kind, body.score).inc()
    return json_answer(answer, 200, {"ETag": make_etag(record.life.version, answer)})
