"""The description of the API: complete enough to build a client from, and true to the code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from services.intake.api import batch
from services.intake.api.application import create_api
from services.intake.api.bodies import SubmitBody
from services.intake.api.context import Context
from services.intake.api.moves import MOVES
from shared.clock import ManualClock
from shared.http import KeyRing
from tests.access.opening import access_by_keys
from tests.unit.intake.shipped import STATUS_PAGE

JUDGING = {"confirm", "dismiss"}

WRITES = {"requests", *(verb for verb, _, _ in MOVES), "merge", "process", "split", "complain", "keys", *JUDGING}


async def _ready() -> dict[str, str | None]:
    return {}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    nothing = cast(Any, None)  # describing needs neither a database nor an outbox
    context = Context(
        database=nothing,
        outbox=nothing,
        clock=ManualClock(datetime(2026, 11, 24, tzinfo=UTC)),
        keys=nothing,
        processes=nothing,
        moving=nothing,
        acting=nothing,
        automations=nothing,
        public_url="http://x",
        validation=nothing,
        submissions=nothing,
    )
    return create_api(context, access_by_keys(KeyRing([]), "intake"), STATUS_PAGE, _ready).openapi()


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, inner in part.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_every_reference_inside_the_description_leads_somewhere(document: dict[str, Any]) -> None:
    dead = set()
    for reference in references(document):
        place: Any = document
        for name in reference.removeprefix("#/").split("/"):
            place = place.get(name, {})
        if not place:
            dead.add(reference)
    assert dead == set()


def test_every_write_declares_its_key_and_its_problems(document: dict[str, Any]) -> None:
    writes = {path: item["post"] for path, item in document["paths"].items() if "post" in item and ":" not in path}
    assert {path.rpartition("/")[2] for path in writes} == WRITES
    for path, write in writes.items():
        headers = {p["name"]: p["required"] for p in write["parameters"] if p["in"] == "header"}
        assert headers["Idempotency-Key"] is True
        assert ("if-match" in headers) == ("{reference}" in path)
        assert write["security"]
        problems = {status: list(answer["content"]) for status, answer in write["responses"].items() if status >= "400"}
        expected = {"400", "401", "409", "403", "413", "422", "429", "503"} | (
            {"404", "412"} if "{reference}" in path else set()
        )
        assert problems == {status: ["application/problem+json"] for status in expected}


def test_a_batch_declares_its_lines_and_its_problems(document: dict[str, Any]) -> None:
    post = document["paths"][batch.PATH]["post"]
    (line,) = post["requestBody"]["content"].values()
    assert list(post["requestBody"]["content"]) == list(post["responses"]["200"]["content"]) == ["application/x-ndjson"]
    assert "idempotency_key" in line["schema"]["required"]
    assert [parameter for parameter in post.get("parameters", []) if parameter["in"] == "header"] == []
    assert post["responses"].keys() == {"200", "401", "403", "415", "429", "503"}


def test_the_example_is_a_request_that_would_be_taken(document: dict[str, Any]) -> None:
    for example in document["components"]["schemas"]["SubmitBody"]["examples"]:
        SubmitBody.model_validate(example)
