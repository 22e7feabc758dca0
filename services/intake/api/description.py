"""The OpenAPI document: what the routes say, with an example of every problem, answer and body, made without a database
or a broker.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from services.intake.api import answer_examples, customer_examples
from services.intake.api.batch import PATH as BATCH
from services.intake.api.batch_stream import NDJSON
from services.intake.api.feedback_bodies import JSON
from services.intake.api.listing_views import ListView
from services.intake.api.request_examples import BODIES
from services.intake.api.status_view import StatusView
from services.intake.api.timeline import TimelineView
from services.intake.api.views import RequestView
from shared.http.access import Access
from shared.http.problems import MEDIA_TYPE

JsonObject = dict[str, Any]

EXAMPLED: tuple[type[BaseModel], ...] = (RequestView, ListView, TimelineView, StatusView)
"""Answers with examples in which something is null."""

_CORRELATION_ID = "7d1c0f0c5d0c4a5ab0b3a0ff2e1d8c11"

_PROBLEMS: dict[str, tuple[str, str, dict[str, str]]] = {
    "400": ("idempotency_key_required", "An idempotency key is required", {"header:Idempotency-Key": "missing"}),
    "401": ("credentials_required", "Valid credentials are required", {}),
    "403": ("role_required", "This may be done by others only", {}),
    "404": ("request_not_found", "No such request", {}),
    "408": ("request_timeout", "Request Timeout", {}),
    "409": ("stage_forbidden", "The process does not allow this move", {"stage": "allowed: assessment"}),
    "412": ("changed_meanwhile", "The request was changed meanwhile", {"header:If-Match": "the version is 3"}),
    "413": ("content_too_large", "Content Too Large", {}),
    "415": ("unsupported_media_type", "Lines of JSON are needed", {}),
    "422": ("invalid_fields", "Some fields are missing or wrong", {"kind": "Input should be 'claim', ..."}),
    "429": ("too_many_calls", "The key calls too often", {}),
    "500": ("internal_error", "Something went wrong on our side", {}),
    "503": ("try_again", "The service cannot take this now", {}),
}
"""Of each status the problem that is met most: code, title, wrong fields."""

_DATA_CHECKED = (
    "/v1/requests",
    *(f"/v1/requests/{{reference}}/{move}" for move in ("change", "control", "split", "complain")),
)
"""Calls whose facts the rules are asked about."""

_DATA_REFUSED = (
    "`invalid_fields`: some fields are missing or wrong. `data_refused`: some say what cannot be true by the rules of"
    " validation.yml, or name personal data; `errors` names each. `occurred_at_impossible`, `idempotency_key_reused`"
)


def describe(app: FastAPI) -> JsonObject:
    """The document of ``app``; made once, then kept."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        _open(document, app)
        for operation in _operations(document):
            for parameter in operation.get("parameters", ()):
                _without_null(parameter["schema"])
        _show_examples(document)
        for status, answer in _problem_answers(document):
            answer["content"][MEDIA_TYPE].setdefault("example", _problem(status))
        for path in _DATA_CHECKED:
            document["paths"][path]["post"]["responses"]["422"]["description"] = _DATA_REFUSED
        for model in EXAMPLED:
            # The framework leaves out what is null, in examples too, and then they lack fields.
            document["components"]["schemas"][model.__name__] |= cast(
                JsonObject, model.model_config["json_schema_extra"]
            )
    return cast(JsonObject, app.openapi_schema)


def _show_examples(document: JsonObject) -> None:
    """Of bodies and of answers; those of requests, lists and counts stand in their schemas."""
    for (call, media_type), example in BODIES.items():
        _operation(document, call)["requestBody"]["content"][media_type]["example"] = example
    for call, example in {**customer_examples.ANSWERS, **answer_examples.ANSWERS}.items():
        (answer,) = [each for status, each in _operation(document, call)["responses"].items() if status < "300"]
        answer["content"][JSON]["example"] = to_jsonable_python(example)
    lines = _operation(document, f"POST {BATCH}")["responses"]["200"]["content"][NDJSON]
    lines["examples"] = {name: {"value": line} for name, line in answer_examples.LINES.items()}


def _operation(document: JsonObject, call: str) -> JsonObject:
    method, _, path = call.partition(" ")
    return cast(JsonObject, document["paths"][path][method.lower()])


def _open(document: JsonObject, app: FastAPI) -> None:
    """The framework sees that something stands before every route, not whom it lets through without credentials."""
    access = cast(Access, app.state.access)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if access.matrix.routes[f"{method.upper()} {path}"].is_open:
                operation["security"] = []


def _without_null(schema: JsonObject) -> None:
    """A parameter that is left out is not null: nothing in an address or a header could say so."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        for name, value in kinds[0].items():
            schema.setdefault(name, value)
    elif kinds:
        schema["anyOf"] = kinds


def _operations(document: JsonObject) -> Iterator[JsonObject]:
    for path in document["paths"].values():
        yield from path.values()


def _problem_answers(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for operation in _operations(document):
        for status, answer in operation["responses"].items():
            if MEDIA_TYPE in answer.get("content", {}):
                yield status, answer


def _problem(status: str) -> JsonObject:
    code, title, wrong = _PROBLEMS[status]
    return {
        "type": f"urn:punctual:problem:{code}",
        "title": title,
        "status": int(status),
        "errors": [{"field": field, "message": message} for field, message in wrong.items()],
        "correlation_id": _CORRELATION_ID,
    }
