"""What the description of the API says of a text is what is taken of it, space for space."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.intake.api.bodies import Email, Line, Phone, Prose, Reason

ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "line": TypeAdapter(Line),
    "reason": TypeAdapter(Reason),
    "email": TypeAdapter(Email),
    "phone": TypeAdapter(Phone),
    "prose": TypeAdapter(Prose),
}
ODD = " \t\n\r\v\f\x00\x1f\x7f\x85\x9f\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\ufeff\u200b"
PIECES = st.sampled_from([*ODD, "a", "王", "a@b.com", "+852 2345 6789", "a" * 127, "b" * 128, " " * 120, "c" * 254])


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=150)
@given(text=st.lists(PIECES, max_size=5).map("".join))
@example(text=" " + "a" * 128)
@example(text="\u3000王\u3000")
@example(text="\x85a")
@example(text=" a@b.com\n")
@example(text="\t+852 2345 6789")
def test_what_is_described_is_taken_and_nothing_else(name: str, text: str) -> None:
    adapter = ADAPTERS[name]
    schema = adapter.json_schema()
    length = schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text))
    is_described = length and re.search(schema["pattern"].removesuffix("$") + r"\Z", text) is not None
    try:
        adapter.validate_python(text)
        is_taken = True
    except ValidationError:
        is_taken = False
    assert is_taken == is_described
