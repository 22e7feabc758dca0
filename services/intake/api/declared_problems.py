"""Which problems each call can be answered with, for the description of the API.

Most follow from what an operation takes: a key, a body, a path. What only the use case knows stands in tables here.
Tests compare: the codes with those that the code raises, and every refusal that a test of intake meets with these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.intake.api.batch import PATH as BATCH
from services.intake.api.context import IDEMPOTENCY_KEY
from services.intake.api.moves import MOVES

TOKEN_REFUSALS = tuple(
    f"token_{reason}"
    for reason in (
        *("expired", "not_yet_valid", "malformed", "too_long", "wrong_algorithm", "wrong_signature", "wrong_issuer"),
        *("wrong_audience", "unknown_key", "claim_missing", "reserved_name"),
    )
)

_OVER, _ERASED, _FULL = "request_over", "customer_erased", "history_full"

MOVES_REFUSED: Mapping[str, tuple[str, ...]] = {
    "acknowledge": ("already_acknowledged", _OVER, _FULL),
    "assign": ("nothing_changed", _OVER, _FULL),
    "stage": ("stage_forbidden", "stage_incomplete", _OVER, _FULL),
    "leave": ("stage_left_already", "stage_is_last", "stage_incomplete", _OVER, _FULL),
    "control": ("control_forbidden", "control_incomplete", _OVER, _FULL),
    "response": (_OVER, _FULL),
    "inform": (_FULL,),
    "message": (_ERASED, _FULL),
    "note": (_ERASED, _FULL),
    "attachment": (_ERASED, _FULL),
    "pause": ("pause_forbidden", _OVER, _FULL),
    "documents": (_OVER, _FULL),
    "resume": ("resume_forbidden", _OVER, _FULL),
    "change": ("nothing_changed", _OVER, _FULL),
    "extend": ("extension_forbidden", _OVER, _FULL),
    "signal": (_OVER, _FULL),
    "close": ("outcome_forbidden", "reason_forbidden", "doubt_open", "stage_incomplete", _OVER),
    "reopen": ("not_closed", "reopening_forbidden", _OVER, _ERASED, _FULL),
    "cancel": ("cancelling_forbidden", _OVER),
    "feedback": (_ERASED, _FULL),
    "merge": (_OVER, "merge_forbidden", _FULL),
    "process": ("process_forbidden", "stage_forbidden", "nothing_changed", _OVER, _FULL),
    "split": (_OVER, _ERASED, _FULL),
    "complain": (_ERASED, _FULL),
    "confirm": ("finding_not_open",),
    "dismiss": ("finding_not_open",),
}
"""Codes of 409 by the last word of a move's path, the one that is met most in front."""

_MOVE = "POST /v1/requests/{reference}/"
_SURVEY = "POST /t/{token}/feedback"

CONFLICTS: Mapping[str, tuple[str, ...]] = {
    **{f"{_MOVE}{verb}": codes for verb, codes in MOVES_REFUSED.items()},
    "POST /v1/keys": ("key_name_taken",),
    "POST /v1/keys/{prefix}:rotate": ("key_over",),
    "POST /v1/customers/{customer_id}:erase": ("requests_not_over",),
    "PUT /v1/processes/{process}": ("process_conflict",),
    _SURVEY: ("not_closed", "feedback_final", _ERASED),
}

DATA_CHECKED = frozenset(
    {"POST /v1/requests", *(f"{_MOVE}{verb}" for verb in ("change", "control", "split", "complain"))}
)
"""Calls whose facts the rules are asked about."""

_SAYING_WHO = frozenset(f"{_MOVE}{verb}" for verb, body, _ in MOVES if "handler" in body.model_fields) - {
    f"{_MOVE}assign"
}
"""Moves that name who made them; whom a request is assigned to is not who did it."""

_BY_WHAT_THE_PATH_NAMES: Mapping[str, tuple[str, ...]] = {
    "reference": ("request_not_found", "reference_mistyped"),
    "process": ("process_not_found",),
    "customer_id": ("customer_not_found",),
    "prefix": ("key_not_found",),
    "token": ("link_unknown",),
}

_NOT_FOUND: Mapping[str, tuple[str, ...]] = {
    "GET /v1/customers": ("customer_not_found",),
    "GET /v1/customers/{customer_id}/erasure": ("erasure_not_found",),
    "POST /v1/processes:diff": ("process_not_found",),
    f"{_MOVE}process": ("request_not_found", "reference_mistyped", "process_not_found"),
}
"""What the path does not tell."""

_DEFINITIONS: Mapping[str, tuple[str, ...]] = {
    "PUT /v1/processes/{process}": ("process_invalid",),
    "POST /v1/processes:diff": ("process_invalid",),
    "POST /v1/processes:lint": ("process_invalid",),
    "PUT /v1/automation": ("automation_invalid",),
    "POST /v1/automation:try": ("automation_invalid",),
    "GET /v1/processes/{process}/differences": ("version_unreadable",),
    "GET /v1/processes/{process}/diagram.svg": ("version_unreadable",),
    "GET /v1/processes/{process}/diagram.mmd": ("version_unreadable",),
}
"""What of 422 is about a definition."""

_KEYED_WHATEVER_WAITS = "/v1/keys"
"""Writes that tell nothing to others, so that they work however full the outbox is."""

_NOT_NOW: Mapping[str, tuple[str, ...]] = {
    "POST /v1/requests": ("overloaded",),
    "GET /v1/changes": ("too_many_readers",),
    **{
        f"GET {path}": ("access_not_noted",)
        for path in (
            "/v1/requests/{reference}/texts",
            "/v1/requests/{reference}/customer",
            "/v1/customers/{customer_id}/export",
        )
    },
    f"POST {BATCH}": ("outbox_full",),
    _SURVEY: ("outbox_full",),
}

_ONE_EACH: Mapping[str, tuple[str, ...]] = {
    "408": ("request_timeout",),
    "413": ("content_too_large",),
    "415": ("unsupported_media_type",),
    "429": ("too_many_calls",),
    "500": ("internal_error",),
}


def codes_of(call: str, status: str, operation: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of the problems that a call can be answered with, what is met most in front.

    Args:
        call: ``METHOD /path``.
        operation: its description.
    """
    match status:
        case "400":
            return tuple(_malformed(call, operation))
        case "401":
            return ("credentials_required", *TOKEN_REFUSALS)
        case "403":
            return ("role_required", "scope_required", *_not_theirs(call))
        case "404":
            return _not_found(call)
        case "409":
            in_flight = ("idempotency_key_in_flight",) if is_keyed(operation) else ()
            return (*CONFLICTS.get(call, ()), *in_flight)
        case "412":
            return ("superseded",) if call.startswith("PUT ") else ("changed_meanwhile",)
        case "422":
            return tuple(_invalid(call, operation))
        case "503":
            return tuple(_not_now(call, operation))
    return _ONE_EACH[status]


def is_keyed(operation: Mapping[str, Any]) -> bool:
    """Whether the call carries an idempotency key."""
    return IDEMPOTENCY_KEY in {each["name"] for each in operation.get("parameters", ())}


def _malformed(call: str, operation: Mapping[str, Any]) -> Iterator[str]:
    if is_keyed(operation):
        yield "idempotency_key_required"
    if "requestBody" in operation:
        yield "broken_json"
        if call != _SURVEY:
            yield "bad_request"  # the framework's word for what is not even text


def _not_theirs(call: str) -> Iterator[str]:
    if call in {"POST /v1/requests", f"POST {BATCH}"}:
        yield "key_needed"
    if call in _SAYING_WHO:
        yield "other_handler"


def _not_found(call: str) -> tuple[str, ...]:
    named = [codes for name, codes in _BY_WHAT_THE_PATH_NAMES.items() if f"{{{name}}}" in call]
    return _NOT_FOUND.get(call) or named[0]


def _invalid(call: str, operation: Mapping[str, Any]) -> Iterator[str]:
    if call.startswith("PUT "):
        yield from _DEFINITIONS[call]
    yield "invalid_fields"
    if not call.startswith("PUT "):
        yield from _DEFINITIONS.get(call, ())
    if call in DATA_CHECKED:
        yield "data_refused"
    if call.startswith(_MOVE) or call == "POST /v1/requests":
        yield "occurred_at_impossible"
    if call == f"{_MOVE}extend":
        yield "objective_unknown"
    if is_keyed(operation):
        yield "idempotency_key_reused"


def _not_now(call: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield "try_again"
    yield from _NOT_NOW.get(call, ())
    if is_keyed(operation) and _KEYED_WHATEVER_WAITS not in call:
        yield "outbox_full"
    if operation["security"]:
        yield "issuer_unavailable"
