"""Moves of a request: enter a stage, respond, pause, resume, close."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from prometheus_client import Counter

from services.intake.api.answers import REPLAY_HEADER, json_answer, stored_answer
from services.intake.api.bodies import CloseBody, PauseBody, ResponseBody, ResumeBody, StageBody
from services.intake.api.context import Context, ContextOf, Write, WriteOf, visible_channel
from services.intake.api.problems import instant_problem, key_in_flight, mistyped, move_problem, not_found
from services.intake.api.views import RequestView, view_request
from services.intake.domain.instants import InstantRefused, check_move
from services.intake.domain.life import Move, MoveRefused, decide
from services.intake.domain.record import RequestRecord
from services.intake.store.announcements import change_event
from services.intake.store.answers import KeyInFlight, claim_key
from services.intake.store.moves import lock_request, record_change
from services.intake.store.refusals import writing
from shared.contracts.topics import REQUESTS
from shared.http import problem_responses
from shared.ids import parse_reference
from shared.telemetry.context import current_trace

MOVES = Counter("punctual_intake_moves_total", "Moves recorded.", ["type", "kind"])

router = APIRouter(
    tags=["moves"],
    default_response_class=Response,
    responses={
        200: {"model": RequestView, "description": "The request after the move"},
        **problem_responses(400, 401, 404, 409, 413, 422, 503),
    },
)


@router.post("/v1/requests/{reference}/stage", summary="Enter another stage")
async def stage(reference: str, body: StageBody, write: WriteOf, context: ContextOf) -> Response:
    return await _perform(context, write, reference, body.move(), body.occurred_at)


@router.post("/v1/requests/{reference}/response", summary="Tell that the customer was answered in substance")
async def response(reference: str, body: ResponseBody, write: WriteOf, context: ContextOf) -> Response:
    return await _perform(context, write, reference, body.move(), body.occurred_at)


@router.post("/v1/requests/{reference}/pause", summary="Wait for somebody outside")
async def pause(reference: str, body: PauseBody, write: WriteOf, context: ContextOf) -> Response:
    return await _perform(context, write, reference, body.move(), body.occurred_at)


@router.post("/v1/requests/{reference}/resume", summary="Stop waiting for one reason")
async def resume(reference: str, body: ResumeBody, write: WriteOf, context: ContextOf) -> Response:
    return await _perform(context, write, reference, body.move(), body.occurred_at)


@router.post("/v1/requests/{reference}/close", summary="End the request")
async def close(reference: str, body: CloseBody, write: WriteOf, context: ContextOf) -> Response:
    return await _perform(context, write, reference, body.move(), body.occurred_at)


async def _perform(
    context: Context, write: Write, typed_reference: str, move: Move, occurred_at: datetime | None
) -> Response:
    """Only what was recorded uses its key up: a refused move may be tried again with the same one."""
    reference = parse_reference(typed_reference)
    if reference is None:
        raise mistyped()
    try:
        async with writing(context.database) as connection:
            if not await claim_key(connection, write.caller.name, write.key, write.fingerprint, context.key_patience):
                status, body = await stored_answer(connection, write)
                return json_answer(body, status, REPLAY_HEADER)
            record = await lock_request(connection, reference, visible_channel(write.caller))
            if record is None:
                raise not_found()
            record = _moved(context, write, record, move, occurred_at)
            body = view_request(record, context.public_url).model_dump_json()
            await record_change(connection, record, write.key, 200, body)
            event = change_event(record.request_id, record.history[-1], current_trace())
            await context.outbox.append(connection, REQUESTS, [event])
    except KeyInFlight:
        raise key_in_flight(context.retry_after_seconds) from None
    MOVES.labels(record.history[-1].change.TYPE, record.kind).inc()
    return json_answer(body, 200)


def _moved(
    context: Context, write: Write, record: RequestRecord, move: Move, occurred_at: datetime | None
) -> RequestRecord:
    now = context.clock.now()
    submitted_at = record.life.submitted_at
    if occurred_at is None:
        occurred_at = max(now, submitted_at)  # a channel's clock may have run ahead of ours when it submitted
    try:
        check_move(occurred_at, now, submitted_at)
        change = decide(context.processes.version(record.kind, record.process_version), record.life, move)
    except InstantRefused as refused:
        raise instant_problem(refused) from None
    except MoveRefused as refused:
        raise move_problem(refused) from None
    return record.after(change, occurred_at=occurred_at, recorded_at=now, by=write.caller.name)
