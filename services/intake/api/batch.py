"""POST /v1/requests:batch: a stream of submissions, a line each, answered by a stream of lines in the same order."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from services.intake.api.batch_lines import KEY_FIELD, LineBody
from services.intake.api.batch_stream import NDJSON, BatchStream
from services.intake.api.context import CallerOf, Context, ContextOf, outbox_full
from services.intake.api.visibility import submitting_channel
from shared.clock import monotonic
from shared.errors import Retryable
from shared.http import PROBLEM_SCHEMA, Problem, problem_responses
from shared.http.access import GuardedRoute, Principal
from shared.telemetry.context import current_trace

router = APIRouter(route_class=GuardedRoute, tags=["requests"])

PATH = "/v1/requests:batch"

_LOOK_AGAIN_SECONDS = 0.1

_LINE: dict[str, Any] = LineBody.model_json_schema(ref_template="#/components/schemas/{model}")
del _LINE["$defs"]  # the single submission puts them into the document
del _LINE["examples"]  # of a single submission, without its key

_STATUS = {"type": "integer", "minimum": 400, "maximum": 599}
_WAIT = {"type": "integer", "description": "With a status of 409, 429 or 503"}
_PROBLEM = {"problem": PROBLEM_SCHEMA, "status": _STATUS, "retry_after_seconds": _WAIT}
_NUMBER = {"type": "integer", "minimum": 1}
_ANSWER: dict[str, Any] = {
    "description": "One line of the answer: of a line that was accepted, of one that was refused, or the last one",
    "oneOf": [
        {
            "type": "object",
            "properties": {
                "line": _NUMBER,
                "status": {"const": 201},
                KEY_FIELD: {"type": "string"},
                "replayed": {"const": True},
                "reference": {"type": "string"},
                "id": {"type": "string", "format": "uuid"},
                "location": {"type": "string"},
            },
            "required": ["line", "status", KEY_FIELD, "reference", "id", "location"],
        },
        {
            "type": "object",
            "properties": {"line": _NUMBER, KEY_FIELD: {"type": "string"}, **_PROBLEM},
            "required": ["line", "status", "problem"],
        },
        {
            "type": "object",
            "properties": {"resume_from": _NUMBER, **_PROBLEM},
            "required": ["resume_from", "status", "problem"],
        },
    ],
}


@router.post(
    PATH,
    response_class=Response,
    summary="Submit many requests",
    description=(
        "Each line is a submission with a field `idempotency_key`; blank lines are left out. Each is accepted or"
        " refused for itself. Read the answers while you send: when they are not taken, no more lines are read. After"
        " a broken connection, or a last line with `resume_from`, send the rest again, or everything: a line that was"
        " accepted is answered as before."
    ),
    openapi_extra={"requestBody": {"required": True, "content": {NDJSON: {"schema": _LINE}}}},
    responses={
        200: {
            "description": (
                "A line for each line: `line`, `status`, `idempotency_key`, and `reference`, `id`, `location` (with"
                " `replayed` on a repeat) or `problem`. A last line with `resume_from` answers that and all after."
            ),
            "content": {NDJSON: {"schema": _ANSWER}},
        },
        **problem_responses(401, 415, 503),
    },
)
async def submit_batch(request: Request, caller: CallerOf, context: ContextOf) -> Response:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != NDJSON:
        raise Problem(415, "unsupported_media_type", "Lines of JSON are needed", f"Send it as {NDJSON}.")
    channel = submitting_channel(caller)
    if context.is_outbox_full:
        raise outbox_full(context.retry_after_seconds)
    return BatchStream(PATH, channel, caller, context, current_trace(), partial(_recognise, request, context))


async def _recognise(request: Request, context: Context) -> Principal:
    """Who calls, asked with the patience that a batch has for everything.

    Raises:
        Problem: the key or the token is not good any more.
        Retryable: nobody can say now.
    """
    identify = request.app.state.access.identification.identify
    until = monotonic() + context.batch_patience.total_seconds()
    while True:
        try:
            caller: Principal = await identify(request.headers.get("authorization"))
        except Retryable:
            if monotonic() >= until:
                raise
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return caller
