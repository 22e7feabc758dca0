from __future__ import annotations

from datetime import timedelta

import pytest

from shared.contracts.payload import Priority, RequestKind
from shared.ids import new_id, new_reference
from tests.integration.sla_timer.client import Client
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import Desk


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


async def test_a_deadline_shows_the_open_time_up_to_it_when_asked(desk: Desk, client: Client) -> None:
    customer = Customer()
    await desk.deliver(customer.submits(MONDAY + 4 * HOUR), customer.paused(MONDAY + 5 * HOUR))
    path = f"/v1/clocks/{customer.request_id}"
    shown = {clock["objective"]: clock["windows"] for clock in (await client.get(path, windows=True)).json()}
    assert shown["response"] == [
        {"start": "2026-06-01T05:00:00Z", "end": "2026-06-01T10:00:00Z"},
        {"start": "2026-06-02T01:00:00Z", "end": "2026-06-02T04:00:00Z"},
    ]
    assert shown["resolution"] == []  # it stands still and has no deadline
    assert all(clock["windows"] is None for clock in (await client.get(path)).json())


async def test_a_deadline_past_the_known_calendar_is_provisional(desk: Desk, client: Client) -> None:
    customer = Customer()
    desk.clock.set(MONDAY + timedelta(days=206))
    await desk.deliver(customer.submits(MONDAY + timedelta(days=206)))
    clocks = (await client.get(f"/v1/clocks/{customer.request_id}")).json()
    assert {clock["objective"]: clock["is_provisional"] for clock in clocks} == {"response": False, "resolution": True}


async def test_all_cycles_of_a_request_are_shown(desk: Desk, client: Client) -> None:
    customer = Customer()
    await desk.deliver(
        customer.submits(), customer.closed(MONDAY + HOUR, outcome="withdrawn"), customer.reopened(MONDAY + 2 * HOUR)
    )
    shown = (await client.get(f"/v1/clocks/{customer.reference}")).json()
    found = {(clock["objective"], clock["cycle"]): (clock["state"], clock["cause"]) for clock in shown}
    assert found["resolution", 1] == ("cancelled", "withdrawn")
    assert all(state == "running" for (_, cycle), (state, _) in found.items() if cycle > 1)


async def test_a_clock_says_whose_it_is_and_what_it_was_promised(desk: Desk, client: Client) -> None:
    customer = Customer()
    await desk.deliver(
        customer.submits(),
        customer.assigned("claims_hk", MONDAY),
        customer.enters("assessment", MONDAY + HOUR),
        customer.extended("resolution", 9 * HOUR, MONDAY + HOUR),
    )
    shown = (await client.get(f"/v1/clocks/{customer.reference}")).json()
    resolution = next(clock for clock in shown if clock["objective"] == "resolution")
    expected = {
        "stage": "assessment",
        "team": "claims_hk",
        "party": "customer",
        "mode": "normal",
        "budget": "90h working",
        "budget_kind": "working",
        "budget_seconds": 90 * 3600,
        "extension_seconds": 9 * 3600,
        "calendar": "hong_kong",
    }
    assert {name: resolution[name] for name in expected} == expected


async def test_a_list_goes_on_where_its_last_page_ended(desk: Desk, client: Client) -> None:
    customers = [Customer() for _ in range(4)]  # all due at the same two instants
    await desk.deliver(*(customer.submits() for customer in customers))
    seen, path = [], "/v1/clocks?limit=3&objective=resolution"
    while path:
        answer = await client.get(path)
        seen += [clock["reference"] for clock in answer.json()]
        path = answer.headers.get("link", "").partition(">")[0].lstrip("<")
    assert sorted(seen) == sorted(customer.reference for customer in customers)
    assert (await client.get("/v1/clocks", after="nonsense")).json()["errors"][0]["field"] == "query:after"


async def test_a_list_holds_only_what_is_asked_for(desk: Desk, client: Client) -> None:
    mine, other, urgent = Customer(), Customer(), Customer()
    await desk.deliver(
        mine.submits(),
        mine.assigned("claims_hk", MONDAY),
        other.submits(kind=RequestKind.ENQUIRY),
        other.enters("handling", MONDAY),
        urgent.submits(priority=Priority.URGENT),
    )
    await desk.tick(MONDAY + 3 * HOUR)

    async def found(**query: str) -> set[tuple[str, str]]:
        return {(c["reference"], c["objective"]) for c in (await client.get("/v1/clocks", **query)).json()}

    assert await found(team="claims_hk") == {(mine.reference, "response"), (mine.reference, "resolution")}
    assert await found(stage="handling") == {(other.reference, "resolution")}
    assert await found(state="breached") == {(urgent.reference, "response")}
    assert (urgent.reference, "response") in await found(role="head_of_operations", objective="response")
    assert await found(role="nobody") == set()
    assert (await client.get("/v1/clocks", state="lost")).status_code == 422


async def test_a_request_stays_with_its_team_until_it_is_given_to_another_or_back(desk: Desk, client: Client) -> None:
    customer = Customer()

    async def team() -> str | None:
        (clock, _) = (await client.get(f"/v1/clocks/{customer.reference}")).json()
        whose: str | None = clock["team"]
        return whose

    await desk.deliver(customer.submits(), customer.assigned("claims_hk", MONDAY))
    await desk.deliver(customer.assigned(None, MONDAY, handler="s-104"))
    assert await team() == "claims_hk"
    await desk.deliver(customer.assigned(None, MONDAY, handler="s-104", cleared=("team",)))
    assert await team() is None


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
    for what in ("explanation", "policy"):
        assert (await client.get(f"{path}/{what}", "web")).status_code == 404


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
    assert (empty["open"], empty["next_timer_at"], empty["lateness_p99_ms"]) == (0, None, None)
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
        "pause_alarms": 0,
        "next_timer_at": "2026-06-01T13:00:00Z",
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
    answer = await client.put("/v1/policies?reason=shorter+for+all", text)
    shown = answer.json()
    assert (answer.status_code, shown["version"], shown["author"], shown["reason"]) == (
        200,
        2,
        "lead",
        "shorter for all",
    )
    customer = Customer()
    await desk.deliver(customer.submits())
    clocks = (await client.get(f"/v1/clocks/{customer.reference}", objective="response")).json()
    assert {clock["objective"]: clock["budget_seconds"] for clock in clocks}["response"] == 6 * 3600


async def test_calendars_are_replaced_as_policies_are(desk: Desk, client: Client) -> None:
    text = desk.rulebooks.in_force.sources.calendars
    answer = await client.put("/v1/calendars", text + "\n# looked through\n")
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert answer.json()["calendars_source"].endswith("# looked through\n")
    assert answer.json()["source"] == desk.rulebooks.in_force.sources.policies
    broken = await client.put("/v1/calendars", text.replace("timezone: Asia/Hong_Kong", "timezone: Asia/Nowhere", 1))
    assert (broken.status_code, broken.json()["type"]) == (422, "urn:punctual:problem:calendars_invalid")


async def test_versions_are_listed_shown_and_compared(desk: Desk, client: Client) -> None:
    text = desk.rulebooks.in_force.sources.policies
    for hours in (6, 7):
        await client.put("/v1/policies", text.replace("budget: 8h working", f"budget: {hours}h working"))
    first = await client.get("/v1/policies/versions", limit=2)
    assert [version["version"] for version in first.json()] == [3, 2]
    rest = await client.get(first.headers["link"].partition(">")[0].lstrip("<"))
    assert [(version["version"], version["origin"]) for version in rest.json()] == [(1, "file")]
    assert (await client.get("/v1/policies/versions/1")).json()["source"] == text
    assert (await client.get("/v1/policies/versions/9")).status_code == 404
    shown = (await client.get("/v1/policies/versions/1/differences", to=2)).json()
    assert "policy claim, response: budget 8h working becomes 6h working" in shown["differences"]
    assert (await client.get("/v1/policies/versions/3/differences")).json()["differences"] == []


async def test_a_draft_is_checked_without_putting_it_in_force(desk: Desk, client: Client) -> None:
    text = desk.rulebooks.in_force.sources.policies
    good = await client.post("/v1/rules:lint", {"policies": text})
    assert good.json()["errors"] == []
    bad = await client.post("/v1/rules:lint", {"policies": text.replace("budget: 2h elapsed", "budget: soon")})
    assert [error["field"] for error in bad.json()["errors"]] == ["policies[0].objectives.response.budget"]
    assert desk.rulebooks.in_force.version == 1
    assert (await client.post("/v1/rules:lint", {}, "app")).status_code == 403


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


@pytest.mark.parametrize("path", ["/v1/policies", "/v1/calendars"])
async def test_a_reason_is_one_line_of_what_a_store_takes(client: Client, path: str) -> None:
    for reason in ("a%00b", "two%0Alines"):
        answer = await client.put(f"{path}?reason={reason}", "format: 1")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query:reason")


async def test_policies_nested_too_deeply_are_refused_as_a_document(client: Client) -> None:
    answer = await client.put("/v1/policies", "[" * 5000)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "document", "message": "policies.yml, line 1: is nested too deeply"}]
