"""However much is wrong with a body, the refusal is short, and so is the work for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import services.intake.api.application  # noqa: F401  it knows every body
from services.intake.api.batch_lines import read_line, refused_line
from services.intake.api.bodies import Body, SubmitBody
from services.intake.api.examples import SUBMISSION
from services.intake.api.problems import fields_problem
from services.quality_audit.api.views import ReviewIn
from services.sla_timer.api.modes import Entering
from shared.http import Problem

MANY = 2_000
SHORT = 65_536
MEMBERS: dict[str, Any] = {f"k{number}": None for number in range(MANY)}
NASTY: dict[str, Any] = {f"{number}" + "\x00" * 3_000: None for number in range(60)}


def bodies(parent: type[Body] = Body) -> Iterator[type[Body]]:
    for child in parent.__subclasses__():
        yield child
        yield from bodies(child)


def errors_in(body: type[BaseModel], content: dict[str, Any]) -> ValidationError:
    with pytest.raises(ValidationError) as found:
        body.model_validate_json(json.dumps(content))
    return found.value


@pytest.mark.parametrize("body", sorted(set(bodies()), key=repr))
def test_unknown_members_are_counted_and_not_named_one_by_one(body: type[Body]) -> None:
    (error,) = errors_in(body, MEMBERS).errors()
    assert (error["loc"], error["msg"]) == ((), f"Value error, has {MANY} members; at most 64 are taken")


@pytest.mark.parametrize("body", sorted({*bodies(), ReviewIn, Entering}, key=repr))
def test_no_field_of_a_body_has_an_error_for_each_of_its_members(body: type[BaseModel]) -> None:
    for name in body.model_fields:
        for content in (MEMBERS, {key + " ": 1 for key in MEMBERS}, [1] * MANY, ["no word"] * MANY):
            assert errors_in(body, {name: content}).error_count() < 100


def test_a_body_with_many_wrong_attributes_is_refused_in_few_words() -> None:
    answer = fields_problem(errors_in(SubmitBody, SUBMISSION | {"attributes": MEMBERS}).errors()).response()
    assert json.loads(bytes(answer.body))["errors"] == [
        {"field": "attributes", "message": f"has {MANY} members; at most 64 are taken"}
    ]


@pytest.mark.parametrize("place", ["top", "customer", "attributes"])
@pytest.mark.parametrize("members", [MEMBERS, NASTY], ids=["many", "nasty"])
def test_a_line_of_a_batch_is_refused_in_few_words(place: str, members: dict[str, Any]) -> None:
    nested = members if place == "top" else {place: members}
    with pytest.raises(Problem) as refused:
        read_line(json.dumps(SUBMISSION | {"idempotency_key": "k"} | nested).encode())
    assert refused.value.status == 422
    assert len(refused_line(1, "k", refused.value)) < SHORT


def test_sixty_four_wrong_attributes_are_named_as_far_as_anybody_reads() -> None:
    wrong = SUBMISSION | {"attributes": {f"k{number}": None for number in range(64)}}
    *named, last = fields_problem(errors_in(SubmitBody, wrong).errors()).errors
    assert [one.field for one in named] == [f"attributes.k{number}" for number in range(50)]
    assert (last.field, last.message) == ("body", "and 14 more are missing or wrong")
