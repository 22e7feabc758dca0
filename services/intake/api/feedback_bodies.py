"""What the holder of a link says of a finished request: as a form of the page, and as JSON of an app."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from pydantic import Field, ValidationError

from services.intake.api.bodies import Body, Prose, Whole
from services.intake.api.problems import fields_problem
from shared.http import Problem

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_MOST_FIELDS = 8  # the form has two
_SCORES = frozenset({"1", "2", "3", "4", "5"})


class SurveyBody(Body):
    score: Whole = Field(ge=1, le=5, description="5 is best", examples=[5])
    text: Prose | None = Field(None, description="What the customer wrote; leaves this service in no event")


REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": SurveyBody.model_json_schema()},
            FORM: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "score": {"type": "integer", "minimum": 1, "maximum": 5},
                        "text": SurveyBody.model_json_schema()["properties"]["text"]["anyOf"][0],
                    },
                    "required": ["score"],
                    "additionalProperties": False,
                }
            },
        },
    }
}
"""For the description; which of the two it is only the call tells."""


def read_answer(content: bytes) -> SurveyBody:
    """
    Raises:
        Problem: 400 or 422.
    """
    try:
        return SurveyBody.model_validate_json(content)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    if errors[0]["type"] == "json_invalid":
        detail = f"Reading stopped: {errors[0]['ctx']['error']}."
        raise Problem(400, "broken_json", "The body is not JSON", detail)
    raise fields_problem(errors)


def read_form(content: bytes) -> SurveyBody:
    """A field that is left empty is left out. Browsers write a line break as two characters and count it as one.

    Raises:
        ValueError: it is not what the form of the page sends.
    """
    pairs = parse_qsl(content.decode("utf-8"), errors="strict", max_num_fields=_MOST_FIELDS)
    fields: dict[str, Any] = {name: value.replace("\r\n", "\n") for name, value in pairs}
    if len(fields) < len(pairs):
        raise ValueError("a field is there twice")
    if fields.get("score") in _SCORES:
        fields["score"] = int(fields["score"])
    return SurveyBody.model_validate(fields)
