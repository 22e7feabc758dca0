"""What the description says of problems: the codes that the code raises, and examples that the call could be told."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.intake.api.application import describe_api
from services.intake.api.declared_problems import CONFLICTS, DATA_CHECKED, MOVES_REFUSED, TOKEN_REFUSALS
from services.intake.api.query_names import NO_PARAMETER
from services.intake.domain.refusing import NOTHING_CHANGED, THE_MOVE
from shared.http import KeyRing
from tests.access.opening import access_by_keys
from tests.unit.intake.shipped import STATUS_PAGE

ROOT = Path(__file__).parents[4]
PROBLEM = "application/problem+json"
PREFIX = "urn:punctual:problem:"

IN_LINES_ONLY = {"line_too_long", "stopping"}
"""Of a batch: answered in its stream, which is 200."""

OF_OTHERS = {"key_required"}
"""Raised in shared code that intake does not use."""

BY_THE_FRAMEWORK = {"request_timeout", "content_too_large", "bad_request"}
"""Codes that follow from the status."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe_api(access_by_keys(KeyRing([]), "intake"), STATUS_PAGE)


def problems(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Call, status, answer and operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for status, answer in operation["responses"].items():
                if PROBLEM in answer.get("content", {}):
                    yield f"{method.upper()} {path}", status, answer, operation


def codes_in(answer: dict[str, Any]) -> list[str]:
    types = answer["content"][PROBLEM]["schema"]["properties"]["type"]["enum"]
    return [each.removeprefix(PREFIX) for each in types]


def calls_in(*folders: str) -> Iterator[tuple[str, list[Any]]]:
    """Each call of a plain name in the sources, with its arguments: a constant's value, else None."""
    for file in sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id, [each.value if isinstance(each, ast.Constant) else None for each in node.args]


def raised() -> set[tuple[str, str, str | None]]:
    """Status, code and title of the problems in the code; a title is None where it is made."""
    found = [arguments for name, arguments in calls_in("services/intake/api", "shared/http") if name == "Problem"]
    return {(str(status), code, title) for status, code, title, *_ in found if code and code not in OF_OTHERS}


def test_every_problem_that_the_code_raises_is_declared_and_no_other(document: dict[str, Any]) -> None:
    declared = {(status, code) for _, status, answer, _ in problems(document) for code in codes_in(answer)}
    moves = {("409", code) for codes in CONFLICTS.values() for code in codes}
    tokens = {("401", code) for code in TOKEN_REFUSALS}
    in_code = {(status, code) for status, code, _ in raised() if code not in IN_LINES_ONLY}
    by_the_framework = {(status, code) for status, code in declared if code in BY_THE_FRAMEWORK}

    assert declared == in_code | moves | tokens | by_the_framework
    assert len(by_the_framework) == len(BY_THE_FRAMEWORK)


def test_the_moves_are_refused_with_the_codes_of_the_domain() -> None:
    names = {"MoveRefused", "require_allowed"}
    found = [
        arguments[0]
        for name, arguments in calls_in("services/intake/domain", "services/intake/handlers")
        if name in names
    ]
    in_code = {NOTHING_CHANGED, *(code for code in found if code is not None)}
    declared = {
        code for call, codes in CONFLICTS.items() for code in codes if call.endswith(("}/feedback", *MOVES_REFUSED))
    }

    assert in_code == declared - {"customer_erased"}


def test_the_tokens_are_refused_with_the_codes_of_the_reader() -> None:
    in_code = {f"token_{arguments[0]}" for name, arguments in calls_in("shared/http/access") if name == "TokenRefused"}

    assert in_code == set(TOKEN_REFUSALS)


def test_every_move_has_its_conflicts(document: dict[str, Any]) -> None:
    verbs = [
        path.rpartition("/")[2] for path, item in document["paths"].items() if "{reference}/" in path and "post" in item
    ]

    assert set(verbs) == MOVES_REFUSED.keys()
    assert set(CONFLICTS) | DATA_CHECKED <= {call for call, *_ in problems(document)}


def test_an_answer_names_its_codes_and_shows_the_first_with_its_title(document: dict[str, Any]) -> None:
    titles: defaultdict[tuple[str, str], set[str | None]] = defaultdict(set)  # a batch has its own word for its lines
    for raised_status, code, title in raised():
        titles[raised_status, code].add(title)
    for call, status, answer, _ in problems(document):
        codes = codes_in(answer)
        example = answer["content"][PROBLEM]["example"]
        assert codes == list(dict.fromkeys(codes)), f"{call} {status}"
        assert all(f"`{code}`" in answer["description"] for code in codes), f"{call} {status}"
        assert (example["type"], str(example["status"])) == (f"{PREFIX}{codes[0]}", status)
        if status not in {"408", "415"} and titles[status, codes[0]] - {None}:
            assert example["title"] in titles[status, codes[0]], f"{call} {status}"
    assert {title for status, _, title in raised() if status == "415"} == {
        answer["content"][PROBLEM]["example"]["title"] for _, status, answer, _ in problems(document) if status == "415"
    }


def test_no_example_names_a_field_or_header_that_the_call_lacks(document: dict[str, Any]) -> None:
    shown = 0
    for call, status, answer, operation in problems(document):
        example = answer["content"][PROBLEM]["example"]
        fields = set(fields_of(operation, document))
        for error in example["errors"]:
            is_unknown_name = error["message"] == NO_PARAMETER and call.startswith("GET /v1/")
            where = re.split(r"[.\[]", error["field"].lower())[0]
            assert where in fields or is_unknown_name or error["field"] == THE_MOVE, f"{call} {status} {error}"
            shown += 1
    assert shown > 100


def fields_of(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    """As errors name them, the parts of a body by their first name."""
    for parameter in operation.get("parameters", ()):
        yield f"{parameter['in']}:{parameter['name'].lower()}"
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "body"
        if media_type == "text/yaml":
            yield from yaml.safe_load(content["example"])
        else:
            schema = content["schema"]
            yield from document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)[
                "properties"
            ]


def test_whoever_calls_with_a_key_is_told_with_every_answer_how_it_stands(document: dict[str, Any]) -> None:
    names = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            told = {
                status for status, answer in operation["responses"].items() if names <= answer.get("headers", {}).keys()
            }
            expected = operation["responses"].keys() - {"401"} if operation["security"] else set()
            assert told == expected, f"{method} {path}"
