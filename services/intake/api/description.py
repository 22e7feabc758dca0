"""The OpenAPI document: what the routes say, with an example of every problem, answer and body, made without a database
or a broker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from services.intake.api import answer_examples, customer_examples
from services.intake.api.batch import PATH as BATCH
from services.intake.api.batch_stream import NDJSON
from services.intake.api.declared_problems import codes_of
from services.intake.api.feedback_bodies import JSON
from services.intake.api.listing_views import ListView
from services.intake.api.problem_examples import example_of
from services.intake.api.request_examples import BODIES
from services.intake.api.status_view import StatusView
from services.intake.api.timeline import TimelineView
from services.intake.api.views import RequestView
from shared.http.access import Access
from shared.http.problems import MEDIA_TYPE, PROBLEM_SCHEMA

JsonObject = dict[str, Any]

EXAMPLED: tuple[type[BaseModel], ...] = (RequestView, ListView, TimelineView, StatusView)
"""Answers with examples in which something is null."""

_DATA_REFUSED = (
    "`data_refused`: some fields say what cannot be true by the rules of validation.yml, or name personal data;"
    " `errors` names each"
)

_WITHOUT_CREDENTIALS_NEVER = ("401", "403", "429")
"""Of a call that is open to anybody: nobody is recognised, refused or counted."""

_RATE_HEADERS: dict[str, tuple[str, int]] = {
    "RateLimit-Limit": ("Calls of the key at once, after a pause", 1),
    "RateLimit-Remaining": ("Calls that would be let through now", 0),
    "RateLimit-Reset": ("Seconds until it is as after a pause", 0),
}
"""Name, what it says, the least it can be."""

_BEFORE_THE_COUNT = "401"
"""Always refused before anybody looked how fast the key calls. 403 and 413 are at times, 413 by the length of the body
that the head declares."""


def describe(app: FastAPI) -> JsonObject:
    """The document of ``app``; made once, then kept."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        _open(document, app)
        for _, operation in _operations(document):
            for parameter in operation.get("parameters", ()):
                _without_null(parameter["schema"])
        _show_examples(document)
        _show_problems(document)
        _tell_rates(document)
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
                for status in _WITHOUT_CREDENTIALS_NEVER:
                    del operation["responses"][status]


def _without_null(schema: JsonObject) -> None:
    """A parameter that is left out is not null: nothing in an address or a header could say so."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        for name, value in kinds[0].items():
            schema.setdefault(name, value)
    elif kinds:
        schema["anyOf"] = kinds


def _operations(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """``METHOD /path`` and the operation."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def _show_problems(document: JsonObject) -> None:
    """Of each answer the codes that the call can be answered with, and an example of the first."""
    for call, operation in _operations(document):
        for status, answer in operation["responses"].items():
            if MEDIA_TYPE not in answer.get("content", {}):
                continue
            codes = codes_of(call, status, operation)
            said = [answer["description"], ", ".join(f"`{code}`" for code in codes)]
            answer["description"] = ": ".join(said) + (f". {_DATA_REFUSED}" if "data_refused" in codes else "")
            answer["content"][MEDIA_TYPE] = {
                "schema": _problem_schema(codes),
                "example": example_of(codes[0], status, call, operation, document),
            }


def _problem_schema(codes: Sequence[str]) -> JsonObject:
    properties = PROBLEM_SCHEMA["properties"]
    types = properties["type"] | {"enum": [f"urn:punctual:problem:{code}" for code in codes]}
    return PROBLEM_SCHEMA | {"properties": properties | {"type": types}}


def _tell_rates(document: JsonObject) -> None:
    """How a key stands, with every answer to one; a token or a key without a limit is told nothing."""
    document["components"]["headers"] = {
        name: {"description": description, "schema": {"type": "integer", "minimum": least}}
        for name, (description, least) in _RATE_HEADERS.items()
    }
    told = {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_HEADERS}
    for _, operation in _operations(document):
        for status, answer in operation["responses"].items():
            if operation["security"] and status != _BEFORE_THE_COUNT:
                answer["headers"] = answer.get("headers", {}) | told
