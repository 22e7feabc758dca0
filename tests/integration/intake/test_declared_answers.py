"""Whatever body comes, sent as whatever it is not, the answer is one that the OpenAPI document declares.

Schemathesis sends bodies as the document says they are sent; this sends them as clients do that got it wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.intake.front_door import Intake, write

BODIES = (
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b"7" * 5_000,
    b"[null]",
    b"{}",
    b"score=%zz&=&score",
)
OTHER_TYPES = (
    None,
    "application/json; charset=utf-16",
    "text/yaml",
    "text/plain",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "no media type",
)


def writes(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "get":
                yield method, path, operation


def broken_calls(operation: dict[str, Any]) -> Iterator[tuple[str | None, bytes]]:
    """Each body as JSON and as what is asked for, and one of them as everything else."""
    asked_for = operation.get("requestBody", {}).get("content", {})
    for media_type in {"application/json", *asked_for}:
        for body in BODIES:
            yield media_type, body
    for other in OTHER_TYPES:
        yield other, BODIES[1]


@pytest.mark.timeout(240)  # some hundred calls
async def test_a_broken_body_is_answered_as_declared_however_it_is_sent(intake: Intake) -> None:
    document = (await intake.nobody.get("/openapi.json")).json()
    view = await intake.submit()
    values = {
        "reference": view["reference"],
        "token": view["status_url"].rpartition("/")[2],
        "process": "enquiry",
        "customer_id": "01a2051d-44ed-7642-9a32-1b7da3713f59",
        "prefix": "K7M4Q2XD",
    }
    undeclared = []
    called = 0
    for method, path, operation in writes(document):
        for media_type, body in broken_calls(operation):
            headers = write() if media_type is None else write() | {"Content-Type": media_type}
            answer = await intake.staff.request(
                method, path.format_map(values), params={"reason": "a test"}, content=body, headers=headers
            )
            called += 1
            declared = operation["responses"].get(str(answer.status_code), {}).get("content", {})
            if answer.headers.get("content-type", "").partition(";")[0] not in declared:
                undeclared.append(f"{method} {path}, {body[:20]!r} as {media_type}: {answer.status_code} {answer.text}")
    assert undeclared == []
    assert called > 500
