"""An example of the problem that a call meets most: its title, and what it says of which field.

Only codes that stand in front in `services.intake.api.declared_problems` are here. A test compares the titles with
those that the code raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.intake.api.query_names import NO_PARAMETER
from services.intake.domain.refusing import THE_MOVE

JsonObject = dict[str, Any]

_CORRELATION_ID = "7d1c0f0c5d0c4a5ab0b3a0ff2e1d8c11"

_WRONG = "Some fields are missing or wrong"
_MOVE = "The process does not allow this move"

_TITLES: Mapping[str, str] = {
    "idempotency_key_required": "An idempotency key is required",
    "broken_json": "The body is not JSON",
    "credentials_required": "An access token or an API key is required",
    "role_required": "This may be done by others only",
    "request_not_found": "No such request",
    "process_not_found": "No such process",
    "customer_not_found": "No such customer",
    "erasure_not_found": "No such erasure",
    "key_not_found": "No such key",
    "link_unknown": "Nobody was given this link",
    "request_timeout": "Request Timeout",
    "idempotency_key_in_flight": "Another call with this idempotency key is being worked on",
    "customer_erased": "The customer's data were erased",
    "key_name_taken": "The name has another role",
    "key_over": "This key has no successor any more",
    "requests_not_over": "Requests of this customer are not over",
    "process_conflict": "The definition does not fit the others",
    "changed_meanwhile": "The request was changed meanwhile",
    "superseded": "Another version is in force by now",
    "content_too_large": "Content Too Large",
    "invalid_fields": _WRONG,
    "process_invalid": "The definition cannot be used",
    "automation_invalid": "The rules cannot be used",
    "too_many_calls": "The key calls too often",
    "internal_error": "Something went wrong on our side",
    "try_again": "The service cannot take this now",
}
"""Of all but refused moves, which share one, and of 415, whose title says what is wanted."""

_TITLES_OF_415: Mapping[str, str] = {
    "POST /v1/requests:batch": "Lines of JSON are needed",
    "POST /t/{token}/feedback": "A form or JSON is needed",
}

_ERRORS: Mapping[str, Mapping[str, str]] = {
    "idempotency_key_required": {"header:Idempotency-Key": "missing or malformed"},
    "stage_forbidden": {"stage": "allowed: assessment"},
    "control_forbidden": {"control": "allowed: cover_checked"},
    "pause_forbidden": {"reason": "allowed: customer_documents, expert_opinion"},
    "resume_forbidden": {"reason": "allowed: customer_documents"},
    "extension_forbidden": {"seconds": "allowed: 1..31622400"},
    "outcome_forbidden": {"outcome": "allowed: declined, withdrawn"},
    "cancelling_forbidden": {"reason": "allowed: duplicate, submitted_by_mistake"},
    "process_forbidden": {"process": "allowed: claim_motor"},
    "finding_not_open": {"rule": "allowed: none"},
    "request_over": {THE_MOVE: "allowed: reopen, note, message, inform, attachment, feedback, complain"},
    "changed_meanwhile": {"header:If-Match": "the version is 3"},
    "superseded": {"header:If-Match": "version 3 is in force"},
    "process_invalid": {
        "stages.received.next[0]": "line 6: there is no stage 'assesment'; known are received, answering"
    },
    "automation_invalid": {"rules[0].whn": "line 5: is not a known name here; known are do, held_back, on, rule, when"},
}

_MISSING = "Field required"

_OF_OPTIONAL: Mapping[str, str] = {
    "occurred_at": "an instant with its offset is needed, such as 2026-11-22T09:30:00+08:00",
    "overlap_seconds": "Input should be greater than or equal to 0",
}
"""What is said of the first field of a body that may be empty."""


def example_of(code: str, status: str, call: str, operation: JsonObject, document: JsonObject) -> JsonObject:
    """The body of an answer to the call.

    Args:
        call: ``METHOD /path``.
        operation: its description, of which ``document`` is the whole.
    """
    wrong = _wrong_fields(call, operation, document) if code == "invalid_fields" else _ERRORS.get(code, {})
    return {
        "type": f"urn:punctual:problem:{code}",
        "title": _TITLES_OF_415[call] if status == "415" else _TITLES.get(code, _MOVE),
        "status": int(status),
        "errors": [{"field": field, "message": message} for field, message in wrong.items()],
        "correlation_id": _CORRELATION_ID,
    }


def _wrong_fields(call: str, operation: JsonObject, document: JsonObject) -> Mapping[str, str]:
    """Something of this call that can be wrong: of the body, else of the query, else of the path."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        return _wrong_body(content["schema"], document) if media_type.endswith("json") else {"body": _MISSING}
    query = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    for parameter in query:
        if parameter["required"]:
            return {f"query:{parameter['name']}": _MISSING}
        if "minimum" in parameter["schema"]:
            least = parameter["schema"]["minimum"]
            return {f"query:{parameter['name']}": f"Input should be greater than or equal to {least:g}"}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and "pattern" in parameter["schema"]:
            pattern = parameter["schema"]["pattern"]
            return {f"path:{parameter['name']}": f"String should match pattern '{pattern}'"}
        if parameter["in"] == "path" and parameter["schema"].get("format") == "uuid":
            return {f"path:{parameter['name']}": "Input should be a valid UUID, invalid length: expected length 32"}
    return {"query:versoin": NO_PARAMETER} if call.startswith("GET /v1/") else {}  # of a link nothing can be wrong


def _wrong_body(schema: JsonObject, document: JsonObject) -> Mapping[str, str]:
    named = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    if named.get("required"):
        return {named["required"][0]: _MISSING}
    optional = next(iter(named["properties"]))
    return {optional: _OF_OPTIONAL[optional]}
