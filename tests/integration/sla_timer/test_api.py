from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.sla_timer.api import Context, create_api
from shared.http import KeyRing, hash_key
from shared.http.keys import ApiKey
from shared.ids import new_id, new_reference
from tests.integration.sla_timer.desk import HOUR, MONDAY, Customer, Desk

KEYS = KeyRing(
    [
        ApiKey(name="app", role="channel", sha256=hash_key("key of app")),
        ApiKey(name="web", role="channel", sha256=hash_key("key of web")),
        ApiKey(name="lead", role="staff", sha256=hash_key("key of lead")),
    ]
)


class Client:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, caller: str = "lead", **query: Any) -> httpx.Response:
        return await self._http.get(path, params=query, headers={"Authorization": f"Bearer key of {caller}"})

    async def put(self, path: str, text: str | bytes, caller: str = "lead") -> httpx.Response:
        headers = {"Authorization": f"Bearer key of {caller}", "Content-Type": "text/yaml"}
        return await self._http.put(path, content=text, headers=headers)


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[Client]:
    async def readiness() -> Mapping[str, str | None]:
        await desk.database.ping()
        return {"postgres": None}

    app = create_api(Context(desk.database, KEYS, desk.rulebooks), readiness)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sla_timer") as http:
        yield Client(http)


async def test_a_request_shows_its_deadlines_by_id_and_by_reference(desk: Desk, client: Client) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    await desk.tick(MONDAY + 9 * HOUR)
    by_id = await client.get(f"/v1/clocks/{customer.request_id}")
    by_reference = await client.get(f"/v1/clocks/{customer.reference.lower()}")
    assert by_id.json() == by_reference.json()
    response = next(clock for clock in by_id.json() if clock["objective"] == "response")
    assert {name: response[name] for name in ("state", "warned", "escalation_level", "policy", "policy_version")} == {
        "state": "breached",
        "warned": True,
        "escalation_level": 0,
        "policy": "claim",
        "policy_version": 1,
    }
    assert response["due_at"] == "2026-06-01T09:00:00Z"
    breach = response["decisions"][1]
    assert (breach["kind"], breach["at"], breach["lateness_seconds"]) == ("breach", "2026-06-01T09:00:00Z", 3600)
    assert [(rung["kind"], rung["level"], rung["roles"]) for rung in response["next"]] == [
        ("escalation", 1, ["operations_manager"]),
        ("escalation", 2, ["head_of_operations"]),
    ]


async def test_a_deadline_is_explained_by_the_windows_it_counted(desk: Desk, client: Client) -> None:
    customer = Customer()
    await desk.deliver(customer.submits(MONDAY + 4 * HOUR))
    clocks = (await client.get(f"/v1/clocks/{customer.request_id}", windows=True)).json()
    response = next(clock for clock in clocks if clock["objective"] == "response")
    assert response["windows"] == [
        {"start": "2026-06-01T05:00:00Z", "end": "2026-06-01T10:00:00Z"},
        {"start": "2026-06-02T01:00:00Z", "end": "2026-06-02T04:00:00Z"},
    ]


async def test_a_paused_clock_shows_no_deadline_and_no_windows(desk: Desk, client: Client) -> None:
    customer = Customer()
    await desk.deliver(customer.submits(), customer.paused(MONDAY + HOUR))
    clocks = (await client.get(f"/v1/clocks/{customer.request_id}", windows=True)).json()
    resolution = next(clock for clock in clocks if clock["objective"] == "resolution")
    assert (resolution["state"], resolution["due_at"], resolution["windows"]) == ("paused", None, [])


async def test_a_deadline_past_the_known_calendar_is_provisional(desk: Desk, client: Client) -> None:
    customer = Customer()
    desk.clock.set(MONDAY + timedelta(days=206))
    await desk.deliver(customer.submits(MONDAY + timedelta(days=206)))
    clocks = (await client.get(f"/v1/clocks/{customer.request_id}")).json()
    assert {clock["objective"]: clock["is_provisional"] for clock in clocks} == {"response": False, "resolution": True}


async def test_what_is_due_next_comes_earliest_first(desk: Desk, client: Client) -> None:
    late, early = Customer(), Customer()
    await desk.deliver(late.submits(MONDAY + HOUR), early.submits())
    clocks = (await client.get("/v1/clocks", limit=3)).json()
    assert [(clock["reference"], clock["objective"]) for clock in clocks] == [
        (early.reference, "response"),
        (late.reference, "response"),
        (early.reference, "resolution"),
    ]
    soon = (await client.get("/v1/clocks", due_before="2026-06-01T10:00:00Z")).json()
    assert [clock["reference"] for clock in soon] == [early.reference]
    assert (await client.get("/v1/clocks", limit=501)).status_code == 422


async def test_a_channel_sees_its_own_requests_only(desk: Desk, client: Client) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    path = f"/v1/clocks/{customer.request_id}"
    assert [(await client.get(path, caller)).status_code for caller in ("app", "web", "lead")] == [200, 404, 200]
    assert [len((await client.get("/v1/clocks", caller)).json()) for caller in ("app", "web", "lead")] == [2, 0, 2]


@pytest.mark.parametrize(
    ("request_name", "code"),
    [
        (str(new_id()), "request_not_found"),
        (new_reference(), "request_not_found"),
        ("K7M4Q-2XD9D", "reference_mistyped"),
        ("nonsense", "reference_mistyped"),
    ],
)
async def test_what_is_not_there_is_told_from_what_is_mistyped(client: Client, request_name: str, code: str) -> None:
    answer = await client.get(f"/v1/clocks/{request_name}")
    assert answer.status_code == 404
    assert answer.json()["type"] == f"urn:punctual:problem:{code}"


async def test_nobody_is_served_without_a_key(client: Client) -> None:
    for path in ("/v1/clocks", "/v1/summary", "/v1/policies", f"/v1/clocks/{new_id()}"):
        assert (await client.get(path, "nobody")).status_code == 401


async def test_the_summary_counts_clocks_decisions_and_lateness(desk: Desk, client: Client) -> None:
    empty = (await client.get("/v1/summary")).json()
    assert (empty["open"], empty["timers_pending"], empty["oldest_due_at"], empty["lateness_p99_ms"]) == (
        0,
        0,
        None,
        None,
    )
    customer, other = Customer(), Customer()
    await desk.deliver(customer.submits(), other.submits(), other.responded(MONDAY + HOUR), other.paused(MONDAY + HOUR))
    await desk.tick(MONDAY + 9 * HOUR)
    assert (await client.get("/v1/summary")).json() == {
        "open": 3,
        "running": 1,
        "paused": 1,
        "breached": 1,
        "met": 1,
        "missed": 0,
        "cancelled": 0,
        "warnings": 1,
        "breaches": 1,
        "escalations": 0,
        "timers_pending": 6,
        "oldest_due_at": "2026-06-01T13:00:00Z",
        "policy_version": 1,
        "lateness_p50_ms": 3_600_000.0,
        "lateness_p99_ms": 10_800_000.0,
    }


async def test_policies_are_shown_with_their_text(desk: Desk, client: Client) -> None:
    shown = (await client.get("/v1/policies", "app")).json()
    assert (shown["version"], shown["origin"], shown["author"], shown["trouble"]) == (1, "file", "policies.yml", None)
    assert shown["source"] == desk.rulebooks.in_force.sources.policies
    assert shown["digest"] == desk.rulebooks.in_force.sources.digest


async def test_policies_are_replaced_by_staff(desk: Desk, client: Client) -> None:
    text = desk.rulebooks.in_force.sources.policies.replace("budget: 8h working", "budget: 6h working")
    assert (await client.put("/v1/policies", text, "app")).status_code == 403
    answer = await client.put("/v1/policies", text)
    assert (answer.status_code, answer.json()["version"], answer.json()["author"]) == (200, 2, "lead")
    customer = Customer()
    await desk.deliver(customer.submits())
    clocks = (await client.get(f"/v1/clocks/{customer.reference}")).json()
    assert clocks[0]["budget_seconds"] == 6 * 3600


async def test_broken_policies_are_refused_with_file_line_and_field(desk: Desk, client: Client) -> None:
    text = desk.rulebooks.in_force.sources.policies.replace("budget: 2h elapsed", "budget: soon")
    answer = await client.put("/v1/policies", text)
    line = next(n for n, found in enumerate(text.splitlines(), start=1) if "budget: soon" in found)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "field": "policies[0].objectives.response.budget",
            "message": f"policies.yml, line {line}: must be a span and `working` or `elapsed`, such as `8h working`",
        }
    ]
    assert (await client.get("/v1/policies")).json()["version"] == 1
    assert (await client.put("/v1/policies", b"\xff")).json()["errors"] == [
        {"field": "body", "message": "is not UTF-8 text"}
    ]
    assert (await client.put("/v1/policies", "x" * 2_000_000)).status_code == 413


async def test_policies_nested_too_deeply_are_refused_as_a_document(client: Client) -> None:
    answer = await client.put("/v1/policies", "[" * 5000)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "document", "message": "policies.yml, line 1: is nested too deeply"}]
