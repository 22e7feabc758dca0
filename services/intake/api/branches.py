"""Requests that come of another one: a part that goes its own way, and a complaint."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.intake.api.answers import REPLAY_HEADER, json_answer, stored_answer
from services.intake.api.context import Context, ContextOf, Write, WriteOf
from services.intake.api.etags import SeenOf, make_etag, shown_etag
from services.intake.api.move_bodies import ComplaintBody, SplitBody
from services.intake.api.problems import key_in_flight, not_found, translating_refusals
from services.intake.api.references import ReferenceOf
from services.intake.api.showing import show_request
from services.intake.api.views import RequestView
from services.intake.api.visibility import visibility_of
from services.intake.domain.branching import Branch
from services.intake.handlers.asking import Asking
from services.intake.store.answers import KeyInFlight, claim_key, complete_answer
from services.intake.store.lookups import find_by_reference
from services.intake.store.refusals import writing
from services.intake.store.submissions import NameClash
from shared.contracts.payload import RequestKind
from shared.http import problem_responses
from shared.http.access import GuardedRoute
from shared.ids import new_id, new_token

router = APIRouter(
    route_class=GuardedRoute,
    tags=["moves"],
    default_response_class=Response,
    responses={
        201: {
            "model": RequestView,
            "description": "The new request",
            "headers": {
                "Location": {"schema": {"type": "string"}, "description": "Where to look it up"},
                **shown_etag("For If-Match of its first move; not on a repeat"),
            },
        },
        **problem_responses(400, 401, 404, 409, 412, 413, 422, 503),
    },
)

_NAMING_ATTEMPTS = 5  # as for any request: five taken names in a row say that something else is wrong


@router.post("/v1/requests/{reference}/split", status_code=201, summary="Let a part of it go its own way")
async def split(reference: ReferenceOf, body: SplitBody, seen: SeenOf, write: WriteOf, context: ContextOf) -> Response:
    return await _open(context, write, reference, body, seen, body.kind, body.product_line)


@router.post("/v1/requests/{reference}/complain", status_code=201, summary="Open a complaint about it")
async def complain(
    reference: ReferenceOf, body: ComplaintBody, seen: SeenOf, write: WriteOf, context: ContextOf
) -> Response:
    return await _open(context, write, reference, body, seen, RequestKind.COMPLAINT, None, is_complaint=True)


async def _open(
    context: Context,
    write: Write,
    reference: str,
    body: ComplaintBody,
    seen: frozenset[int] | None,
    kind: RequestKind | None,
    product_line: str | None,
    *,
    is_complaint: bool = False,
) -> Response:
    asking = Asking(write.caller.name, visibility_of(write.caller), body.occurred_at, seen)
    async with context.database.connection() as connection:
        origin = await find_by_reference(connection, reference, asking.visibility)
    for _ in range(_NAMING_ATTEMPTS):
        branch = None
        if origin is not None:
            branch = Branch(
                request_id=new_id(),
                reference=context.name_request(),
                status_token=new_token(),
                is_complaint=is_complaint,
                kind=kind or origin.life.kind,
                product_line=product_line or origin.life.product_line,
                priority=body.priority,
                attributes=body.attributes,
                description=body.description,
                occurred_at=body.occurred_at or max(context.clock.now(), origin.life.submitted_at),
            )
        try:
            return await _write(context, write, reference, branch, asking)
        except NameClash:
            continue
        except KeyInFlight:
            raise key_in_flight(context.retry_after_seconds) from None
    raise RuntimeError("no free name for the request was found")


async def _write(context: Context, write: Write, reference: str, branch: Branch | None, asking: Asking) -> Response:
    """
    Args:
        branch: None where the caller does not see the origin: then only a repeat from when he saw it is answered.
    """
    with translating_refusals():
        async with writing(context.database) as connection:
            owner, key = write.owner, write.key
            if not await claim_key(connection, owner, key, write.fingerprint, context.key_patience):
                status, answer = await stored_answer(connection, write)
                return json_answer(answer, status, REPLAY_HEADER)
            if branch is None:
                raise not_found()
            record = await context.moving.branch(connection, reference, branch, asking)
            answer = (
                await show_request(context, connection, record, asking.visibility, write.caller)
            ).model_dump_json()
            await complete_answer(connection, owner, key, record, 201, answer)
    headers = {"Location": f"/v1/requests/{record.reference}", "ETag": make_etag(record.life.version, answer)}
    return json_answer(answer, 201, headers)
