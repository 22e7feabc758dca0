"""Whatever is sent, the answer names what is wrong, nothing is stored, and the service stays well."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.intake.front_door import SUBMISSION, Intake, write

_REMOVED = object()


def _changed(path: str, value: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(SUBMISSION))
    *parents, last = path.split(".")
    place = body
    for parent in parents:
        place = place[parent]
    if value is _REMOVED:
        del place[last]
    else:
        place[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("kind", "lottery", "kind"),
        ("kind", _REMOVED, "kind"),
        ("kind", 7, "kind"),
        ("kind", ["claim"], "kind"),
        ("market", "US", "market"),
        ("priority", "soon", "priority"),
        ("priority", None, "priority"),
        ("product_line", "two words", "product_line"),
        ("external_id", "", "external_id"),
        ("external_id", "x" * 129, "external_id"),
        ("external_id", "a\u0000b", "external_id"),
        ("occurred_at", "yesterday", "occurred_at"),
        ("occurred_at", "2026-11-24T01:30:00", "occurred_at"),
        ("occurred_at", 1790000000, "occurred_at"),
        ("occurred_at", "1790000000", "occurred_at"),
        ("occurred_at", "0001-01-01T00:00:00+14:00", "occurred_at"),
        ("occurred_at", "9999-12-31T23:59:59-14:00", "occurred_at"),
        ("description", "x" * 4001, "description"),
        ("description", "\u0000", "description"),
        ("description", "\ud800", "description"),
        ("attributes", [], "attributes"),
        ("attributes", {f"a{n}": n for n in range(65)}, "attributes"),
        ("attributes", {"note": "the neighbour saw it all"}, "attributes.note"),
        ("attributes", {"amount": 2**60}, "attributes.amount"),
        ("attributes", {"amount": 10**399}, "attributes.amount"),
        ("attributes", {"amount": -(10**399)}, "attributes.amount"),
        ("attributes", {"nested": {}}, "attributes.nested"),
        ("attributes", {"nothing": None}, "attributes.nothing"),
        ("attributes", {"a key": 1}, "attributes.a key.[key]"),
        ("customer", _REMOVED, "customer"),
        ("customer", "C-1", "customer"),
        ("customer.id", _REMOVED, "customer.id"),
        ("customer.id", "x" * 129, "customer.id"),
        ("customer.name", "  ", "customer.name"),
        ("customer.name", "A\r\nBcc: b@example.com", "customer.name"),
        ("customer.email", "nobody", "customer.email"),
        ("customer.email", "a@b@c", "customer.email"),
        ("customer.email", "a@example.com\nBcc: b@example.com", "customer.email"),
        ("customer.email", "a.@b.example", "customer.email"),
        ("customer.email", ".a@b.example", "customer.email"),
        ("customer.email", "a@b-.example", "customer.email"),
        ("customer.email", f"a@{'b' * 64}.example", "customer.email"),
        ("customer.phone", "call me", "customer.phone"),
        ("customer.language", "fr", "customer.language"),
        ("customer.tier", "tin", "customer.tier"),
        ("ocurred_at", "2026-11-24T01:30:00Z", "ocurred_at"),
        ("customer.age", 40, "customer.age"),
    ],
)
async def test_a_wrong_field_is_named(intake: Intake, path: str, value: Any, field: str) -> None:
    answer = await intake.app.post(
        "/v1/requests",
        content=json.dumps(_changed(path, value)),
        headers=write() | {"content-type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:punctual:problem:invalid_fields"
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["errors"][0]["message"]
    assert "Value error" not in problem["errors"][0]["message"]


CHANNEL_KEY = {"name": "kiosk", "role": "channel", "scopes": ["read"]}


async def test_nothing_of_all_this_was_stored(intake: Intake) -> None:
    async with intake.database.connection() as connection:
        for table in ("request", "request_event", "customer", "idempotency_key", "outbox"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/v1/keys", CHANNEL_KEY | {"scopes": ["keys"]}, ["scopes"]),
        ("/v1/keys", CHANNEL_KEY | {"burst": 9}, ["rate_per_second"]),
        ("/v1/keys", CHANNEL_KEY | {"rate_per_second": 9}, ["burst"]),
        ("/v1/requests/{}/assign", {}, ["team", "handler"]),
        ("/v1/requests/{}/note", {"text": "x", "occurred_at": "noon"}, ["occurred_at"]),
        (
            "/v1/automation:try",
            {"source": "rules: 7", "submitted_from": "2026-11-01T00:00Z", "submitted_to": "2026-11-02T00:00Z"},
            ["source"],
        ),
    ],
)
async def test_a_field_is_named_and_not_the_body_where_several_are_wrong_together(
    intake: Intake, path: str, body: dict[str, Any], fields: list[str]
) -> None:
    reference = (await intake.submit())["reference"]
    answer = await intake.staff.post(path.format(reference), json=body, headers=write())
    errors = answer.json()["errors"]
    assert answer.status_code == 422
    assert list(dict.fromkeys(error["field"] for error in errors)) == fields
    assert not [error for error in errors if error["message"].startswith("Value error")]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
async def test_a_number_that_is_none_is_refused(intake: Intake, number: str) -> None:
    content = json.dumps(_changed("attributes", {"amount": "HERE"})).replace('"HERE"', number)
    answer = await intake.app.post(
        "/v1/requests", content=content, headers=write() | {"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["attributes.amount"]


async def test_several_wrong_fields_are_all_named(intake: Intake) -> None:
    body = _changed("kind", "lottery") | {"market": "US"}
    answer = await intake.app.post("/v1/requests", json=body, headers=write())
    assert [error["field"] for error in answer.json()["errors"]] == ["kind", "market"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b'{"kind": "claim",}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"claim"', 422),
        (b"42", 422),
    ],
)
async def test_a_body_that_is_no_request_is_refused(intake: Intake, content: bytes, status: int) -> None:
    answer = await intake.app.post(
        "/v1/requests", content=content, headers=write() | {"content-type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_field_name_that_is_no_text_is_refused(intake: Intake) -> None:
    content = json.dumps(_changed("attributes", {"\ud800": 1}))
    answer = await intake.app.post(
        "/v1/requests", content=content, headers=write() | {"content-type": "application/json"}
    )
    assert answer.status_code == 422


async def test_two_megabytes_are_too_much_whether_announced_or_streamed(intake: Intake) -> None:
    body = json.dumps(_changed("description", "x" * 2_000_000)).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    for content in (body, chunks()):
        answer = await intake.app.post(
            "/v1/requests", content=content, headers=write() | {"content-type": "application/json"}
        )
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", [None, "", "x" * 256, "two words", "é".encode()])
async def test_a_write_needs_an_idempotency_key(intake: Intake, key: str | bytes | None) -> None:
    headers: dict[str, str | bytes] = {} if key is None else {"Idempotency-Key": key}
    answer = await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:punctual:problem:idempotency_key_required")
    assert [error["field"] for error in answer.json()["errors"]] == ["header:Idempotency-Key"]


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer wrong", "Basic a2V5", "key of app"])
async def test_nobody_gets_in_without_a_key(intake: Intake, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for answer in (
        await intake.nobody.post("/v1/requests", json=SUBMISSION, headers=headers | write()),
        await intake.nobody.post("/v1/requests", json={"kind": 7}, headers=headers),
        await intake.nobody.get("/v1/requests", headers=headers),
        await intake.nobody.get("/v1/requests/K7M4Q-2XD9C", headers=headers),
        await intake.nobody.get("/v1/summary", headers=headers),
    ):
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="punctual"')


async def test_other_paths_and_methods_are_problems_too(intake: Intake) -> None:
    for answer, status in (
        (await intake.app.get("/v1/nothing"), 404),
        (await intake.app.delete("/v1/requests"), 405),
        (await intake.app.get("/v1/requests", params={"limit": "all"}), 422),
        (await intake.app.get("/v1/requests", params={"limit": "0"}), 422),
        (await intake.app.get("/v1/requests", params={"after": "x"}), 422),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_name_that_nothing_reads_is_refused_wherever_something_is_looked_up(intake: Intake) -> None:
    document = (await intake.nobody.get("/openapi.json")).json()["paths"]
    values = {
        "reference": (await intake.submit())["reference"],
        "process": "enquiry",
        "customer_id": "01a2051d-44ed-7642-9a32-1b7da3713f59",
    }
    called = []
    for path in [path for path, item in document.items() if "get" in item and path.startswith("/v1/")]:
        url = path.format_map(values)
        answer = await intake.staff.get(url, params={"teem": "x", "limit": "1"})
        named = [error["field"] for error in answer.json()["errors"]]
        assert (answer.status_code, named[0]) == (422, "query:teem"), path
        called.append(path)
    assert len(called) > 25
    for method, path in (("PUT", "/v1/automation"), ("PUT", "/v1/processes/enquiry")):
        answer = await intake.staff.request(method, path, params={"reason": "r", "teem": "x"}, content=b"x")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query:teem")
    page = (await intake.submit())["status_url"].removeprefix("https://status.example")
    for link in (page, f"{page}.json"):
        assert (await intake.nobody.get(link, params={"utm_source": "mail"})).status_code == 200


async def test_who_told_something_is_one_of_those_who_can(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    answer = await intake.app.get(f"/v1/requests/{reference}/timeline", params={"source": "bogus"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query:source")
