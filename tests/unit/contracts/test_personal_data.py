"""Personal data travels on one topic only, and encrypted. Every field of every payload is walked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from shared.contracts.contacts import ContactRecorded, EncryptedContactRecorded
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestPaused, RequestSubmitted
from shared.contracts.topics import CONTACTS, PAYLOAD_BY_TYPE, TOPICS

PERSONAL = ("name", "email", "phone", "address", "birth", "description", "comment", "remark", "note_text", "message")

MAY_BE_FREE_TEXT = {
    "reference": "made by intake, ten characters with a check character",
    "status_path": "a path with a random token",
    "cause": "what makes a notice unique: a clock's cycle and level",
    "detail": "says which field of an event was wrong, never its value",
    "origin_topic": "a topic's name",
    "headers": "the event's own attributes: ids, instants, types",
    "key_base64": "the id of a request or customer",
    "value_base64": "the rejected event, left out for topics with personal data",
    "value_sha256": "a hash",
}
"""Every field outside contacts whose type would take prose, with the reason why none gets in."""


def _elsewhere() -> Iterator[tuple[str, type[Payload]]]:
    for topic in TOPICS:
        if not topic.has_personal_data:
            yield from ((topic.name, model) for model in topic.payloads)


def test_contacts_is_the_only_topic_with_personal_data_and_it_can_be_erased() -> None:
    assert [topic for topic in TOPICS if topic.has_personal_data] == [CONTACTS]
    assert CONTACTS.is_compacted


def test_the_contact_is_on_no_other_topic() -> None:
    assert all(model not in CONTACTS.payloads for _, model in _elsewhere())


def test_contacts_are_told_encrypted_since_their_second_version() -> None:
    assert {model.VERSION: model for model in CONTACTS.payloads} == {1: ContactRecorded, 2: EncryptedContactRecorded}


@pytest.mark.parametrize("field", ["details", "wrapped_key"])
@pytest.mark.parametrize("prose", ["Chan Tai Man", "陳大文", "a@b.example", '{"name": "Chan"}', ""])
def test_an_encrypted_contact_takes_no_prose(field: str, prose: str) -> None:
    with pytest.raises(ValidationError) as refused:
        EncryptedContactRecorded.model_validate({field: prose})
    assert any(problem["loc"] == (field,) for problem in refused.value.errors() if problem["type"] != "missing")


@pytest.mark.parametrize("model", PAYLOAD_BY_TYPE.values(), ids=PAYLOAD_BY_TYPE)
def test_a_payload_has_no_field_for_personal_data_unless_it_is_a_plain_contact(model: type[Payload]) -> None:
    named = [field for field in _fields(model) if any(word in field.split("_") for word in PERSONAL)]

    assert (named != []) == (model is ContactRecorded), named


@pytest.mark.parametrize("model", PAYLOAD_BY_TYPE.values(), ids=PAYLOAD_BY_TYPE)
def test_prose_fits_no_field_except_those_that_say_why(model: type[Payload]) -> None:
    schema = model.model_json_schema()
    takes_prose = {name for name, field in schema["properties"].items() if _takes_prose(field, schema)}

    assert model is ContactRecorded or takes_prose <= set(MAY_BE_FREE_TEXT), takes_prose - set(MAY_BE_FREE_TEXT)


def test_the_reasons_given_are_for_fields_that_exist() -> None:
    fields = {field for _, model in _elsewhere() for field in model.model_fields}

    assert set(MAY_BE_FREE_TEXT) <= fields


@pytest.mark.parametrize("prose", ["Chan Tai Man", "陳大文", "a@b.example", "two words", "", "x" * 65])
def test_a_code_takes_no_prose(prose: str) -> None:
    with pytest.raises(ValidationError):
        RequestPaused.model_validate({"request_id": "01900000-0000-7000-8000-000000000001", "reason": prose})


@pytest.mark.parametrize("attributes", [{"note": "the customer said"}, {"what he said": 1}])
def test_an_attribute_takes_no_prose(attributes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        RequestSubmitted.model_validate({"attributes": attributes})
    assert any(problem["loc"][0] == "attributes" for problem in refused.value.errors())


def _fields(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield name
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _fields(info.annotation)


def _takes_prose(field: Any, schema: dict[str, Any]) -> bool:
    """Whether some text that is neither a code, an id, an instant nor one of listed values would be valid."""
    if field is True:
        return True
    if "$ref" in field:
        return _takes_prose(schema["$defs"][field["$ref"].removeprefix("#/$defs/")], schema)
    if field.get("type") == "string":
        return not field.keys() & {"pattern", "format", "enum", "const"}
    if field.get("type") == "object":
        below = [*field.get("patternProperties", {}).values(), *field.get("properties", {}).values()]
        return bool(field.get("additionalProperties")) or any(_takes_prose(part, schema) for part in below)
    parts = [*field.get("anyOf", ()), *([field["items"]] if "items" in field else [])]
    return any(_takes_prose(part, schema) for part in parts)
