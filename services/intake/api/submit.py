"""POST /v1/requests: a request is accepted when its transaction is committed, and then it is never lost."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fastapi import APIRouter, Response

from services.intake.api.answers import REPLAY_HEADER, REPLAYED, json_answer
from services.intake.api.arrivals import (
    Keyed,
    examine,
    make_arrival,
    name_submission,
    refusal,
    repeated,
    submission_instant,
)
from services.intake.api.bodies import SubmitBody
from services.intake.api.context import Context, ContextOf, Write, WriteOf
from services.intake.api.etags import make_etag, shown_etag
from services.intake.api.views import RequestView, view_request
from services.intake.api.visibility import submitting_channel
from services.intake.domain.anomalies.likeness import Duplicate
from services.intake.domain.record import open_record
from services.intake.domain.sight import Sight
from services.intake.domain.visibility import Visibility
from services.intake.handlers.offers import Overloaded, Settled
from services.intake.store.submissions import Arrival
from shared.http import Problem, problem_responses
from shared.http.access import GuardedRoute
from shared.telemetry.context import current_trace

router = APIRouter(route_class=GuardedRoute, tags=["requests"])


@router.post(
    "/v1/requests",
    status_code=201,
    response_class=Response,
    summary="Submit a request",
    responses={
        201: {
            "model": RequestView,
            "description": "Accepted: it is stored for good. A repeat with the same key gets this answer again.",
            "headers": {
                "Location": {"schema": {"type": "string"}, "description": "Where to look it up"},
                **shown_etag("For If-Match of the first move; not on a repeat"),
                "Idempotency-Replayed": {"schema": {"type": "string"}, "description": "true on a repeat"},
            },
        },
        **problem_responses(400, 401, 409, 413, 422, 503),
    },
)
async def submit(body: SubmitBody, write: WriteOf, context: ContextOf) -> Response:
    taken = await take(body, write, context)
    return json_answer(taken.body, taken.status, headers_of(taken))


async def take(body: SubmitBody, write: Write, context: Context) -> Settled:
    """Have it stored for good, or find out what was answered when it was.

    Raises:
        Problem: it is refused.
        Retryable: the same call may fare better in a moment.
    """
    channel = submitting_channel(write.caller)
    now = context.clock.now()
    keyed = Keyed(write.key, write.fingerprint)
    try:
        submitted_at = submission_instant(body, now)
        examined = examine(body, channel, context, submitted_at, now)
    except Problem as problem:
        return await repeated(problem, channel, keyed, context, context.call_patience)

    def make(duplicates: Sequence[Duplicate] = ()) -> Arrival:
        submission = name_submission(body, channel, context, submitted_at, now)
        record = open_record(submission, examined.doubted(duplicates))
        process = context.processes.book.choose(submission.kind, submission.product_line)
        own = frozenset(one.request_id for one in duplicates if one.channel == channel)
        sight = Sight(Visibility(channel), duplicates=own)
        view = view_request(record, process, submission.recorded_at, context.public_url, sight)
        return make_arrival(record, submission, examined, keyed, view.model_dump_json(), context)

    try:
        outcome = await context.submissions.offer(make, write.size, current_trace())
    except Overloaded as error:
        raise refusal(error, context) from None
    if isinstance(outcome, Exception):
        raise refusal(outcome, context)
    if outcome.is_replay:
        REPLAYED.inc()
    return outcome


def headers_of(taken: Settled) -> dict[str, str]:
    """What its answer says beside the body."""
    if taken.submission is not None:
        return {
            "Location": _location(taken.submission.reference),
            "ETag": make_etag(taken.version, taken.body),
        }
    return {"Location": _location(json.loads(taken.body)["reference"])} | REPLAY_HEADER


def _location(reference: str) -> str:
    return f"/v1/requests/{reference}"
