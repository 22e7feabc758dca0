"""What schemathesis does not know of intake: lines of JSON, YAML as people write it, keys good for one call."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import schemathesis
from schemathesis.checks import CheckContext

from services.intake.api.batch_stream import NDJSON
from services.intake.api.context import IDEMPOTENCY_KEY, LONGEST_KEY
from tests.openapi.beyond_the_schema import is_beyond_the_schema

BATCH = "POST /v1/requests:batch"
_YAML = "text/yaml"

_calls = count()
_texts = count()
_ROOM = 12  # characters for the number of a call
_MISSENT = 4
"""Of so many texts in YAML one is sent as JSON, which the framework then reads before it knows that it wants a text."""


class WrongLine(AssertionError):
    """A line of a batch was not answered as it had to be."""


@schemathesis.serializer(NDJSON)
def _write_line(_: schemathesis.SerializationContext, value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


@schemathesis.serializer(_YAML)
def _write_text(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """A string is the text itself; anything else can be meant as YAML too."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


@schemathesis.deserializer(NDJSON)
def _read_lines(_: schemathesis.DeserializationContext, response: schemathesis.Response) -> Any:
    """The one line there is, since each batch is one line."""
    (line,) = response.content.splitlines()
    return json.loads(line)


@schemathesis.hook
def before_call(_: Any, case: schemathesis.Case[Any], __: dict[str, Any]) -> None:
    """Give each call a key of its own: one that was used would be refused for that, whatever else is wrong. Send some
    bodies as what they are not.
    """
    key = case.headers.get(IDEMPOTENCY_KEY) if case.headers else None
    if isinstance(key, str) and 0 < len(key) <= LONGEST_KEY - _ROOM:
        case.headers[IDEMPOTENCY_KEY] = f"{key}{next(_calls)}"
    is_right = case.meta is None or case.meta.generation.mode.is_positive  # else it shall be refused for what is wrong
    if is_right and case.media_type == _YAML and next(_texts) % _MISSENT == 0:
        case.headers["Content-Type"] = "application/json"


@schemathesis.check
def every_line_is_answered(_: CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]) -> None:
    """A batch is always answered 200: what other checks do with that status, done with the status of its line."""
    if case.operation.label != BATCH or response.status_code != 200 or case.meta is None:
        return
    (line,) = [json.loads(line) for line in response.content.splitlines()]
    is_accepted = line["status"] == 201
    if line["status"] >= 500:
        raise WrongLine(f"a line failed: {line}")
    if case.meta.generation.mode.is_negative and is_accepted:
        raise WrongLine(f"a wrong line was accepted: {line}")
    if case.meta.generation.mode.is_positive and not is_accepted and not is_beyond_the_schema(BATCH, line["problem"]):
        raise WrongLine(f"a right line was refused: {line}")
