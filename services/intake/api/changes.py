"""GET /v1/changes: what changes, as it changes, for the screens of staff and for integrators."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from services.intake.api.change_stream import ChangeStream, Watched, read_id
from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.visibility import visibility_of
from shared.contracts.payload import Code, RequestKind
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["requests"])

_ID = "7731-01a2051d44ed76429a321b7da3713f59-3"
_REQUEST = {
    "event": "request",
    "id": _ID,
    "data": (
        '{"reference": "K7M4Q-2XD9C", "id": "01a2051d-44ed-7642-9a32-1b7da3713f59", "version": 3, "kind": "claim",'
        ' "state": "open", "stage": "assessment", "team": "claims_hk",'
        ' "change": {"type": "assigned", "sequence": 3, "recorded_at": "2026-11-22T02:05:11Z"}}'
    ),
}
_GONE = {
    "event": "gone",
    "id": "7802-01a2051d44ed76429a321b7da3713f59-4",
    "data": '{"reference": "K7M4Q-2XD9C", "id": "01a2051d-44ed-7642-9a32-1b7da3713f59"}',
}
_ID_PATTERN = "^[0-9]{1,18}-[0-9a-f]{32}-[0-9]{1,9}$"
_EVENT_SCHEMA = {
    "type": "object",
    "description": "One event, as a reader of server-sent events gives it",
    "properties": {
        "event": {
            "enum": ["request", "gone"],
            "description": (
                "`request`: one of those you asked for, as it is now. `gone`: one that is none of them any more, or"
                " that you do not see any more; its data are `reference` and `id` only"
            ),
        },
        "id": {"type": "string", "pattern": _ID_PATTERN},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "id", "data"],
}


@router.get(
    "/v1/changes",
    response_class=Response,
    summary="Watch requests change",
    description=(
        "Server-sent events. Each entry of a history before or after which the request was among those you ask for is"
        " told once: as `request` with the request as it is now, whose `version` may be later than the entry, or as"
        " `gone` where it is not among them any more. Send the last `id` you saw as `Last-Event-ID` to miss nothing;"
        " without it, it begins now. A comment comes when nothing happens. A reader that takes nothing for ten seconds"
        " is let go. A caller has at most 20 readers in a process."
    ),
    responses={
        200: {
            "description": "Events, without end",
            "content": {
                "text/event-stream": {
                    "schema": _EVENT_SCHEMA,
                    "examples": {"request": {"value": _REQUEST}, "gone": {"value": _GONE}},
                }
            },
        },
        **problem_responses(401, 422, 503),
    },
)
async def watch(
    request: Request,
    caller: CallerOf,
    context: ContextOf,
    team: Annotated[Code | None, Query()] = None,
    stage: Annotated[Code | None, Query()] = None,
    kind: Annotated[RequestKind | None, Query()] = None,
    last_event_id: Annotated[
        str | None,
        Header(
            description="The `id` of the last event that was seen; empty is none",
            json_schema_extra={"pattern": f"^$|{_ID_PATTERN}"},
            examples=[_ID],
        ),
    ] = None,
) -> Response:
    feed = context.feed
    mark = read_id(last_event_id) if last_event_id else None
    if last_event_id and mark is None:
        raise Problem(
            422,
            "invalid_fields",
            "Some fields are missing or wrong",
            errors=[FieldError(field="header:Last-Event-ID", message="is no id of this stream")],
        )
    reader = f"key:{caller.terms.key}" if caller.terms is not None else f"token:{caller.subject}"
    if not feed.admit(reader):
        raise Problem(
            503,
            "too_many_readers",
            "As many as can be served watch already, of all callers or of this one",
            headers={"Retry-After": str(context.retry_after_seconds)},
        )
    try:
        mark = mark or await feed.newest()
    except BaseException:
        feed.leave(reader)
        raise
    recognise = partial(request.app.state.access.identification.identify, request.headers.get("authorization"))
    return ChangeStream(feed, reader, Watched(visibility_of(caller), team, stage, kind), mark, recognise)
