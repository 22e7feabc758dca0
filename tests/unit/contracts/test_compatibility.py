"""The check that a changed event is an addition or a new version, shown on changes that are neither."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

import pytest
from pydantic import Field, create_model

from shared.contracts.compatibility import incompatibilities, refusals
from shared.contracts.documents import payload_schema, payload_schemas
from shared.contracts.payload import Attributes, Code, Instant, Payload


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class MoreColours(StrEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class FewerColours(StrEnum):
    RED = "red"


class Parcel(Payload):
    TYPE: ClassVar[str] = "punctual.parcel.seen"

    colour: Colour
    code: Code
    seen_at: Instant
    weight: int
    note: Code | None = None
    marks: tuple[Code, ...] = ()
    attributes: Attributes = {}


def changed(**fields: Any) -> dict[str, Any]:
    """Parcel's schema with some fields defined anew; None leaves a field out."""
    definitions = {
        name: (info.annotation, info) for name, info in Parcel.model_fields.items() if name not in fields
    } | {name: definition for name, definition in fields.items() if definition is not None}
    model = create_model("Parcel", __base__=Payload, **definitions)
    model.TYPE = Parcel.TYPE
    return payload_schema(model)


OLD = payload_schema(Parcel)


def test_the_same_schema_is_compatible() -> None:
    assert incompatibilities(OLD, OLD) == ()


@pytest.mark.parametrize(
    "addition",
    [
        pytest.param({"origin": (Code | None, None)}, id="an optional field"),
        pytest.param({"origin": (Code, "unknown")}, id="a field with a default"),
        pytest.param({"colour": (MoreColours, ...)}, id="a value of an enumeration"),
        pytest.param({"weight": (int, Field(description="grams"))}, id="a description"),
    ],
)
def test_an_addition_is_compatible(addition: dict[str, Any]) -> None:
    assert incompatibilities(OLD, changed(**addition)) == ()


@pytest.mark.parametrize(
    ("violation", "complaint"),
    [
        ({"code": None}, "code: removed"),
        ({"note": None}, "note: removed"),
        ({"origin": (Code, ...)}, "origin: newly required"),
        ({"note": (Code | None, ...)}, "note: newly required"),
        ({"weight": (int, 0)}, "weight: no longer required, though readers count on it"),
        ({"weight": (str, ...)}, "weight: type changed from 'integer' to 'string'"),
        ({"weight": (float, ...)}, "weight: type changed from 'integer' to 'number'"),
        ({"weight": (int, Field(ge=0))}, "weight: minimum changed from None to 0"),
        ({"code": (str, ...)}, "code: pattern changed"),
        ({"seen_at": (str, ...)}, "seen_at: format changed from 'date-time' to None"),
        ({"colour": (FewerColours, ...)}, "colour: value 'blue' removed"),
        ({"colour": (Code, ...)}, "colour: became free"),
        ({"code": (Colour, ...)}, "code: became an enumeration"),
        ({"note": (Code, "none")}, "note: 2 alternative types became 0"),
        ({"note": (int | None, None)}, "note: type changed from 'string' to 'integer'"),
        ({"note": (Code | None, "none")}, "note: default changed from None to 'none'"),
        ({"marks": (tuple[int, ...], ())}, "marks[]: type changed from 'string' to 'integer'"),
        ({"attributes": (dict[Code, bool], {})}, "alternative types became 0"),
        ({"attributes": (dict[str, bool], {})}, "attributes{}: changed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_that_is_not_additive_is_named(violation: dict[str, Any], complaint: str) -> None:
    found = incompatibilities(OLD, changed(**violation))

    assert any(complaint in problem for problem in found), found


def test_a_change_below_a_list_of_objects_is_found() -> None:
    def listing(item: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "properties": {"rows": {"type": "array", "items": item}}}

    old = listing({"type": "object", "properties": {"a": {"type": "string"}}})
    new = listing({"type": "object", "properties": {}})

    assert incompatibilities(old, new) == ("rows[].a: removed",)


def test_a_recursive_schema_ends() -> None:
    tree = {
        "$ref": "#/$defs/Tree",
        "$defs": {"Tree": {"properties": {"next": {"$ref": "#/$defs/Tree"}, "leaf": {"type": "string"}}}},
    }
    pruned = {"$ref": "#/$defs/Tree", "$defs": {"Tree": {"properties": {"next": {"$ref": "#/$defs/Tree"}}}}}

    assert incompatibilities(tree, tree) == ()
    assert incompatibilities(tree, pruned) == ("leaf: removed",)


def test_a_new_version_may_differ_and_the_old_one_stays() -> None:
    committed = {"punctual.parcel.seen.v1": OLD}

    assert refusals(committed, {"punctual.parcel.seen.v2": changed(code=None)}) == ()


def test_the_same_version_may_not_differ() -> None:
    committed = {"punctual.parcel.seen.v1": OLD}

    assert refusals(committed, {"punctual.parcel.seen.v1": changed(code=None)}) == (
        "punctual.parcel.seen.v1: code: removed",
    )


@pytest.mark.parametrize("present", [{}, {"punctual.parcel.seen.v1": OLD}])
def test_a_type_or_version_may_not_vanish(present: dict[str, Any]) -> None:
    assert any("gone from the contracts" in problem for problem in refusals({"punctual.parcel.seen.v2": OLD}, present))


def test_every_field_of_the_real_contracts_is_watched() -> None:
    for event_type, schema in payload_schemas().items():
        for field in schema["properties"]:
            without = {**schema, "properties": {k: v for k, v in schema["properties"].items() if k != field}}
            assert f"{field}: removed" in incompatibilities(schema, without), event_type
