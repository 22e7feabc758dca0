"""What a line of a batch says, and the line that answers it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from services.intake.api.arrivals import refusal
from services.intake.api.bodies import SubmitBody
from services.intake.api.context import KEY_PATTERN, LONGEST_KEY
from services.intake.api.problems import REFUSED, fields_problem
from services.intake.handlers.offers import Settled
from shared.http import FieldError, Problem

KEY_FIELD = "idempotency_key"


class LineBody(SubmitBody):
    """A submission that carries its key, because a line has no headers."""

    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY, pattern=KEY_PATTERN)] = (
        Field(description="As the header of a single submission", examples=["app-7781-submit"])
    )


def read_line(content: bytes) -> LineBody:
    """
    Raises:
        Problem: 400 or 422.
    """
    try:
        return LineBody.model_validate_json(content)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    first = errors[0]
    if first["type"] == "json_invalid":
        raise Problem(400, "broken_json", "The line is not JSON", f"Reading stopped: {first['ctx']['error']}.")
    if any(wrong["loc"] == (KEY_FIELD,) for wrong in errors):
        raise Problem(
            400,
            "idempotency_key_required",
            "An idempotency key is required",
            f"Each line has a field {KEY_FIELD} of 1 to {LONGEST_KEY} visible ASCII characters; a repeat has the same.",
            [FieldError(field=KEY_FIELD, message="missing or malformed")],
        )
    raise fields_problem(errors)


def line_too_long(limit: int) -> Problem:
    return Problem(413, "line_too_long", "The line is too long", f"At most {limit} bytes of a line are taken.")


def nothing_came(seconds: float) -> Problem:
    return Problem(408, "request_timeout", "No line came", f"A batch ends after {seconds:g} s with nothing sent.")


def stored_part(reference: str, request_id: object) -> str:
    """The part of an answer that is stored with the key."""
    return f'{{"reference":"{reference}","id":"{request_id}","location":"/v1/requests/{reference}"}}'


def accepted_line(number: int, key: str, settled: Settled) -> bytes:
    replayed = '"replayed":true,' if settled.is_replay else ""
    if '"' in key or "\\" in key:  # nothing else of visible ASCII is special in JSON
        key = json.dumps(key)[1:-1]
    return (
        f'{{"line":{number},"status":{settled.status},"{KEY_FIELD}":"{key}",{replayed}{settled.body[1:]}\n'
    ).encode()


refusal_of_line = partial(refusal, key_field=KEY_FIELD)


def refused_line(number: int, key: str | None, problem: Problem) -> bytes:
    named = {} if key is None else {KEY_FIELD: key}
    return _line({"line": number, "status": problem.status, **named}, problem)


@dataclass(frozen=True, slots=True)
class Halt:
    """Why nothing more is taken, from which line on."""

    number: int
    problem: Problem


def last_line(halt: Halt) -> bytes:
    """Answers the line of the halt and all after it."""
    return _line({"resume_from": halt.number, "status": halt.problem.status}, halt.problem)


def _line(answer: dict[str, Any], problem: Problem) -> bytes:
    REFUSED.labels(problem.code).inc()
    wait = problem.headers.get("Retry-After")
    if wait is not None:
        answer["retry_after_seconds"] = int(wait)
    return json.dumps({**answer, "problem": problem.document()}, ensure_ascii=False).encode() + b"\n"
