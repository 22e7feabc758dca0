"""The description of the API: complete enough to build a client from, and true to the code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import ValidationError

from services.intake.api import batch
from services.intake.api.application import describe_api
from services.intake.api.bodies import SubmitBody
from services.intake.api.examples import AUTOMATION, PROCESS
from services.intake.api.key_views import KeyBody
from services.intake.api.move_bodies import FeedbackBody, MoveBody
from services.intake.api.moves import MOVES
from services.intake.api.request_examples import MOVES as MOVE_EXAMPLES
from services.intake.domain.automation.reading import read_automation
from services.intake.domain.process_files import read_process
from shared.http import KeyRing
from tests.access.opening import access_by_keys
from tests.unit.intake.shipped import STATUS_PAGE, WORDED

JUDGING = {"confirm", "dismiss"}

WRITES = {"requests", *(verb for verb, _, _ in MOVES), "merge", "process", "split", "complain", "keys", *JUDGING}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe_api(access_by_keys(KeyRing([]), "intake"), STATUS_PAGE)


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
    del writes["/t/{token}/feedback"]  # who has the link has no key; the same answer again changes nothing
    assert {path.rpartition("/")[2] for path in writes} == WRITES
    for path, write in writes.items():
        headers = {p["name"]: p["required"] for p in write["parameters"] if p["in"] == "header"}
        assert headers["Idempotency-Key"] is True
        assert ("if-match" in headers) == ("{reference}" in path)
        assert write["security"]
        problems = {status: list(answer["content"]) for status, answer in write["responses"].items() if status >= "400"}
        expected = {"400", "401", "408", "409", "403", "413", "422", "429", "500", "503"} | (
            {"404", "412"} if "{reference}" in path else set()
        )
        assert problems == {status: ["application/problem+json"] for status in expected}


def test_a_batch_declares_its_lines_and_its_problems(document: dict[str, Any]) -> None:
    post = document["paths"][batch.PATH]["post"]
    (line,) = post["requestBody"]["content"].values()
    assert list(post["requestBody"]["content"]) == list(post["responses"]["200"]["content"]) == ["application/x-ndjson"]
    assert "idempotency_key" in line["schema"]["required"]
    assert [parameter for parameter in post.get("parameters", []) if parameter["in"] == "header"] == []
    assert post["responses"].keys() == {"200", "401", "403", "415", "429", "500", "503"}


def test_the_example_is_a_request_that_would_be_taken(document: dict[str, Any]) -> None:
    for example in document["components"]["schemas"]["SubmitBody"]["examples"]:
        SubmitBody.model_validate(example)


def test_an_independent_reader_finds_the_description_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def test_every_call_declares_the_errors_it_can_meet(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        declared = set(operation["responses"])
        assert declared >= {"500", "503"}, name
        assert "401" in declared or not operation.get("security"), name
        assert "422" in declared or not operation.get("parameters"), name
        assert "404" in declared or "{reference}" not in name, name
        assert "400" in declared or "application/json" not in operation.get("requestBody", {}).get("content", {}), name
    assert "HTTPValidationError" not in document["components"]["schemas"], "an error in another form than ours"


def test_whoever_may_come_again_is_told_when(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert "503" in operation["responses"]
        for status in {"429", "503"} & operation["responses"].keys():
            assert "Retry-After" in operation["responses"][status]["headers"], f"{name} {status}"


def test_every_list_that_has_pages_declares_where_the_next_one_is(document: dict[str, Any]) -> None:
    paged = []
    for name, operation in operations(document):
        if "after" in {parameter["name"] for parameter in operation.get("parameters", ())}:
            assert "Link" in operation["responses"]["200"]["headers"], name
            paged.append(name)
    assert len(paged) == 8


def examples_of(content: dict[str, Any], document: dict[str, Any]) -> list[Any]:
    """Of a body: beside its schema, or in the schema that it names."""
    beside = [content["example"]] if "example" in content else []
    named = document["components"]["schemas"].get(content["schema"].get("$ref", "").rpartition("/")[2], {})
    return [
        *beside,
        *[each["value"] for each in content.get("examples", {}).values()],
        *content["schema"].get("examples", ()),
        *named.get("examples", ()),
    ]


def test_every_body_that_is_sent_or_answered_has_examples_that_fit_it(document: dict[str, Any]) -> None:
    shown = 0
    for name, operation in operations(document):
        bodies = list(operation.get("requestBody", {}).get("content", {}).items())
        for status, answer in operation["responses"].items():
            if status < "300":
                bodies += [(kind, each) for kind, each in answer.get("content", {}).items() if "json" in kind]
        for media_type, content in bodies:
            examples = examples_of(content, document)
            assert examples, f"{name} {media_type}"
            validator = Draft202012Validator(content["schema"] | {"components": document["components"]})
            for example in examples:
                assert [error.message for error in validator.iter_errors(example)] == [], f"{name} {media_type}"
                shown += 1
    assert shown > 90


@pytest.mark.parametrize(("verb", "model"), [(verb, model) for verb, model, _ in MOVES])
def test_every_example_of_a_move_is_one(verb: str, model: type[MoveBody]) -> None:
    body = model.model_validate(MOVE_EXAMPLES[verb])
    body.move()
    assert body.model_fields_set == set(MOVE_EXAMPLES[verb])


def test_the_definitions_that_are_shown_can_be_used() -> None:
    assert read_process(PROCESS, "enquiry.yml", 1, worded=WORDED).code == "enquiry"
    assert read_automation(AUTOMATION, "automation.yml").rules


def test_every_example_is_what_its_schema_says(document: dict[str, Any]) -> None:
    shown = 0
    components = {"components": document["components"]}
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", ()):
            Draft202012Validator(schema | components).validate(example)
            shown += 1
    for _, operation in operations(document):
        for answer in operation["responses"].values():
            for content in answer.get("content", {}).values():
                several = [example["value"] for example in content.get("examples", {}).values()]
                for example in [content["example"]] if "example" in content else several:
                    Draft202012Validator(content["schema"] | components).validate(example)
                    shown += 1
    assert shown > 100


def test_every_problem_and_every_answer_about_requests_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {})
            if "application/problem+json" in content:
                assert "example" in content["application/problem+json"], f"{name} {status}"
    for name in ("RequestView", "ListView", "CountsView", "ClockView"):
        assert document["components"]["schemas"][name]["examples"], name


def test_what_is_open_to_anybody_asks_for_no_credentials_and_all_else_does(document: dict[str, Any]) -> None:
    without = {name for name, operation in operations(document) if operation["security"] == []}
    assert without == {"get /t/{token}", "get /t/{token}.json", "post /t/{token}/feedback", "get /v1/clock"}


def test_no_parameter_may_be_null(document: dict[str, Any]) -> None:
    schemas = [parameter["schema"] for _, each in operations(document) for parameter in each.get("parameters", ())]
    assert schemas
    assert [schema for schema in schemas if "null" in str(schema.get("anyOf", schema.get("type")))] == []


@pytest.mark.parametrize("score", ["5", True, 5.5, None])
def test_a_number_in_a_body_is_a_number(document: dict[str, Any], score: Any) -> None:
    body = {"score": score}
    assert list(Draft202012Validator(document["components"]["schemas"]["FeedbackBody"]).iter_errors(body))
    with pytest.raises(ValidationError):
        FeedbackBody.model_validate(body)


@pytest.mark.parametrize(
    ("more", "is_right"),
    [
        ({}, True),
        ({"rate_per_second": 7.5, "burst": 9}, True),
        ({"rate_per_second": 7.5}, False),
        ({"rate_per_second": None, "burst": 9}, False),
        ({"rate_per_second": 7.5, "burst": 0}, False),
        ({"scopes": ["keys"]}, False),
        ({"scopes": ["keys"], "role": "staff"}, True),
    ],
)
def test_a_key_is_described_as_it_is_judged(document: dict[str, Any], more: dict[str, Any], *, is_right: bool) -> None:
    body = {"name": "app", "role": "channel", "scopes": ["read"], **more}
    schema = document["components"]["schemas"]["KeyBody"] | {"components": document["components"]}
    assert Draft202012Validator(schema).is_valid(body) is is_right
    with nullcontext() if is_right else pytest.raises(ValidationError):
        KeyBody.model_validate(body)
