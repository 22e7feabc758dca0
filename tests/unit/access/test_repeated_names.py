"""A name that stands twice in a query is refused by every route of every service that reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from shared.http import KeyRing
from shared.http.access import Access, Identification, StaffRole
from tests.access.issuing import NOW, IssuerInMemory, token_of
from tests.access.opening import matrix_of
from tests.unit.access.test_every_route import APPS

_ID = "01a2051d-44ed-7642-9a32-1b7da3713f59"


def applications() -> Iterator[tuple[str, FastAPI]]:
    issuer = IssuerInMemory().trusted()
    for service, make in APPS.items():
        yield service, make(Access(Identification(KeyRing([]), issuer, lambda: NOW), matrix_of(service)))


BUILT = dict(applications())
QUERIES = [
    (service, method, path, parameter["name"], parameter["schema"])
    for service, app in BUILT.items()
    for path, operations in app.openapi()["paths"].items()
    for method, operation in operations.items()
    for parameter in operation.get("parameters", [])
    if parameter["in"] == "query" and path.startswith("/v1/")
]


async def answer_of(service: str, method: str, path: str, query: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(BUILT[service]), base_url="http://service") as http:
        address = f"{re.sub(r'{[a-z_]+}', _ID, path)}?{query}"
        return await http.request(method, address, headers={"Authorization": f"Bearer {token_of(*StaffRole)}"})


@pytest.mark.parametrize(("service", "method", "path", "name"), [query[:4] for query in QUERIES])
async def test_a_name_that_stands_twice_is_refused(service: str, method: str, path: str, name: str) -> None:
    answer = await answer_of(service, method, path, f"{name}=1&{name}=2")
    assert answer.status_code == 422, answer.text
    message = "stands more than once; one value is taken"
    assert answer.json()["errors"] == [{"field": f"query:{name}", "message": message}]


def test_no_call_takes_several_values_of_one_name() -> None:
    assert {query[0] for query in QUERIES} == set(APPS)
    assert [query for query in QUERIES if "array" in str(query[4])] == []


async def test_of_many_names_that_nothing_reads_the_first_are_told_in_few_words() -> None:
    query = "&".join(f"k{number}{'x' * 500}=1" for number in range(60))
    errors = (await answer_of("intake", "GET", "/v1/requests", query)).json()["errors"]
    assert (len(errors), errors[-1]) == (51, {"field": "query", "message": "and 10 more are missing or wrong"})
    assert all(len(error["field"]) < 150 for error in errors)
