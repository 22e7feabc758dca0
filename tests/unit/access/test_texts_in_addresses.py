"""What stands in an address and is a text reaches no store with a character that none takes: NUL is written as %00."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from shared.http import KeyRing
from shared.http.access import Access, Identification
from tests.access.opening import matrix_of
from tests.unit.access.test_every_route import APPS

PARSED = {"reference", "request", "token", "lang", "after", "period"}
"""Names of texts of which code makes something else, or nothing, before a store is asked."""


@pytest.mark.parametrize(("service", "make"), APPS.items(), ids=APPS.keys())
def test_a_text_in_an_address_is_read_by_code_or_declared_without_control_characters(
    service: str, make: Callable[[Access], FastAPI]
) -> None:
    described = make(Access(Identification(KeyRing([])), matrix_of(service))).openapi()
    texts = [
        (path, parameter["name"], schema)
        for path, operations in described["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] in ("path", "query")
        for schema in _alternatives(parameter["schema"])
        if schema.get("type") == "string" and "enum" not in schema and "format" not in schema
    ]
    assert texts
    open_ones = {(path, name) for path, name, schema in texts if re.search(schema.get("pattern", ""), "a\x00b")}
    assert {(path, name) for path, name in open_ones if name not in PARSED} == set()


def _alternatives(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for found in schema.get("anyOf", schema.get("allOf", [schema])):
        yield found.get("items", found)
