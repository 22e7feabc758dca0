"""POST /v1/requests: a request is accepted when its transaction is committed, and then it is never lost."""

from __future__ import annotations

import json
from datetime import datetime

from fastapi import APIRouter, Response
from prometheus_client import Counter

from services.intake.api.answers import REPLAY_HEADER, json_answer, stored_answer
from services.intake.api.bodies import SubmitBody
from services.intake.api.context import Context, ContextOf, Write, WriteOf
from services.intake.api.problems import instant_problem, key_in_flight
from services.intake.api.views import RequestView, view_request
from services.intake.domain.instants import InstantRefused, check_submission
from services.intake.domain.record import open_record
from services.intake.domain.submission import Contact, Submission
from services.intake.store.announcements import contact_event, submission_event
from services.intake.store.answers import KeyInFlight
from services.intake.store.refusals import writing
from services.intake.store.submissions import Arrival, NameClash, insert_requests
from shared.contracts.topics import CONTACTS, REQUESTS
from shared.http import problem_responses
from shared.ids import new_id, new_token
from shared.telemetry.context import current_trace

router = APIRouter(tags=["requests"])

ACCEPTED = Counter("punctual_intake_requests_accepted_total", "Requests accepted.", ["channel", "kind"])

_NAMING_ATTEMPTS = 5  # at 1e8 requests one name in 260,000 is taken; five in a row say that something else is wrong


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
                "Idempotency-Replayed": {"schema": {"type": "string"}, "description": "true on a repeat"},
            },
        },
        **problem_responses(400, 401, 409, 413, 422, 503),
    },
)
async def submit(body: SubmitBody, write: WriteOf, context: ContextOf) -> Response:
    now = context.clock.now()
    submitted_at = body.occurred_at or now
    try:
        check_submission(submitted_at, now)
    except InstantRefused as refused:
        raise instant_problem(refused) from None
    for _ in range(_NAMING_ATTEMPTS):
        submission = _submission(body, write, context, submitted_at, now)
        try:
            return await _take_in(context, write, submission)
        except NameClash:
            continue
        except KeyInFlight:
            raise key_in_flight(context.retry_after_seconds) from None
    raise RuntimeError("no free name for the request was found")


def _submission(body: SubmitBody, write: Write, context: Context, submitted_at: datetime, now: datetime) -> Submission:
    process = context.processes.book.choose(body.kind, body.product_line)
    return Submission(
        request_id=new_id(),
        reference=context.name_request(),
        status_token=new_token(),
        channel=write.caller.name,
        external_id=body.external_id,
        kind=body.kind,
        process=process.code,
        process_version=process.version,
        stage=process.start,
        product_line=body.product_line,
        priority=body.priority,
        market=body.market,
        customer_id=new_id(),
        customer_tier=body.customer.tier,
        contact=Contact(
            external_id=body.customer.id,
            name=body.customer.name,
            email=body.customer.email,
            phone=body.customer.phone,
            language=body.customer.language,
        ),
        attributes=body.attributes,
        description=body.description,
        submitted_at=submitted_at,
        recorded_at=now,
    )


async def _take_in(context: Context, write: Write, submission: Submission) -> Response:
    record = open_record(submission)
    process = context.processes.book.choose(submission.kind, submission.product_line)
    body = view_request(record, process, submission.recorded_at, context.public_url).model_dump_json()
    arrival = Arrival(submission, record.head, write.key, write.fingerprint, 201, body)
    async with writing(context.database) as connection:
        taken = (await insert_requests(connection, [arrival], context.key_patience)).get(submission.request_id)
        if taken is None:
            status, body = await stored_answer(connection, write)
            location = {"Location": f"/v1/requests/{json.loads(body)['reference']}"}
            return json_answer(body, status, location | REPLAY_HEADER)
        trace = current_trace()
        await context.outbox.append(connection, REQUESTS, [submission_event(submission, taken, trace)])
        if taken.is_contact_news:
            await context.outbox.append(connection, CONTACTS, [contact_event(submission, taken, trace)])
    ACCEPTED.labels(submission.channel, submission.kind).inc()
    return json_answer(body, 201, {"Location": f"/v1/requests/{submission.reference}"})
