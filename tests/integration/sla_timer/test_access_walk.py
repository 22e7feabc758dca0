"""Every route that tells of requests, called by whoever does not see all: what is hidden is named in no answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from tests.access.opening import matrix_of
from tests.integration.sla_timer.client import Client, person
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import Desk
from tests.integration.sla_timer.test_modes_and_rollouts import RULES, put

ROUTES = set(matrix_of("sla_timer").routes)

LISTS: Mapping[str, tuple[str, ...]] = {
    "GET /v1/clocks": ("", "?limit=500", "?limit=1", "?team=claims_tw", "?stage=received", "?role=head_of_operations"),
}
LOOK_UPS: Mapping[str, tuple[str, ...]] = {
    "GET /v1/clocks/{request}": ("", "?windows=true"),
    "GET /v1/clocks/{request}/explanation": ("",),
    "GET /v1/clocks/{request}/policy": ("",),
}
"""What tells of requests, with queries. A new route has to be put here or below."""

BELOW = {"POST /v1/rules:preview"}

ABOUT_NO_REQUEST = {
    *("GET /v1/summary", "POST /v1/clocks:verify"),  # of the whole house, and for no channel
    *(route for route in ROUTES if " /v1/policies" in route or " /v1/modes" in route),
    *("GET /v1/rollouts", "POST /v1/rules:lint", "PUT /v1/calendars"),
    *("GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json"),
}

HK = ("claims_hk",)


def test_every_route_is_walked_or_said_to_tell_of_no_request() -> None:
    tables: tuple[Iterable[str], ...] = (LISTS, LOOK_UPS, BELOW, ABOUT_NO_REQUEST)
    assert sorted(route for table in tables for route in table) == sorted(ROUTES)


CALLERS: Mapping[str, tuple[str, set[str]]] = {
    "handler": (person("handler", teams=HK), {"own", "free"}),
    "team leader": (person("team_leader", teams=HK), {"own", "free"}),
    "of both teams": (person("handler", teams=("claims_hk", "claims_tw")), {"own", "free", "other"}),
    "of no team": (person("handler", "team_leader"), {"free"}),
    "also a reviewer": (person("handler", "quality_reviewer", teams=HK), {"own", "free", "other"}),
    "manager": (person("manager"), {"own", "free", "other"}),
    "administrator": (person("administrator"), {"own", "free", "other"}),
    "auditor": (person("auditor"), {"own", "free", "other"}),
    "staff key": ("lead", {"own", "free", "other"}),
    "channel": ("app", {"own", "free", "other"}),
    "another channel": ("web", set()),
}
"""How they call, and what they see of a request of one's team, of none and of another; all came by channel app."""


async def begun(desk: Desk) -> dict[str, Customer]:
    customers = {"own": Customer(), "free": Customer(), "other": Customer()}
    await desk.deliver(*(customer.submits() for customer in customers.values()))
    await desk.deliver(customers["own"].assigned("claims_hk", MONDAY), customers["other"].assigned("claims_tw", MONDAY))
    return customers


@pytest.mark.parametrize("name", CALLERS)
async def test_what_another_team_has_is_in_no_list_and_found_by_no_name(desk: Desk, client: Client, name: str) -> None:
    caller, seen = CALLERS[name]
    customers = await begun(desk)
    await desk.tick(MONDAY + 9 * HOUR)
    names = {which: (str(customer.request_id), customer.reference) for which, customer in customers.items()}
    for route, queries in LOOK_UPS.items():
        for which, ids in names.items():
            for address in [route.removeprefix("GET ").replace("{request}", each) for each in ids]:
                answers = [await client.get(address + query, caller) for query in queries]
                expected = 200 if which in seen else 404
                assert {answer.status_code for answer in answers} == {expected}, (which, address)
                if expected != 200:
                    assert answers[0].json()["type"] == "urn:punctual:problem:request_not_found"
    for path, queries in LISTS.items():
        answers = [await client.get(path.removeprefix("GET ") + query, caller) for query in queries]
        named = {which for which, ids in names.items() if any(ids[1] in answer.text for answer in answers)}
        assert named == seen
        assert len(answers[1].json()) == 2 * len(seen), "each has two clocks"
        assert len(answers[2].json()) == min(1, len(seen)), "what is hidden takes no place on a page"
        links = answers[2].headers.get("link", "")
        assert all((answer.status_code, answer.text) != (200, "") for answer in answers)
        assert bool(links) == bool(seen)


async def test_a_request_that_went_to_another_team_is_gone_from_view(desk: Desk, client: Client) -> None:
    customers = await begun(desk)
    path = f"/v1/clocks/{customers['own'].request_id}"
    caller = person("handler", teams=HK)
    assert (await client.get(path, caller)).status_code == 200
    await desk.deliver(customers["own"].assigned("claims_tw", MONDAY + HOUR))
    assert (await client.get(path, caller)).status_code == 404
    assert (await client.get(path, person("handler", teams=("claims_tw",)))).status_code == 200


async def test_an_explanation_names_what_a_request_was_merged_into_only_to_who_sees_that(
    desk: Desk, client: Client
) -> None:
    customers = await begun(desk)
    hidden = customers["other"]
    await desk.deliver(customers["own"].merged(hidden, MONDAY + HOUR))
    path = f"/v1/clocks/{customers['own'].request_id}/explanation"
    for caller, is_named in ((person("handler", teams=HK), False), (person("manager"), True), ("app", True)):
        answer = await client.get(path, caller)
        entries = answer.json()["clocks"][0]["entries"]
        assert entries[-1]["happening"] == "merged", "that it was merged is shown to everybody"
        assert (str(hidden.request_id) in answer.text) == is_named


async def test_a_preview_counts_all_and_lists_what_its_caller_sees(desk: Desk, client: Client) -> None:
    await put(desk, RULES)
    customers = await begun(desk)
    draft = {"policies": RULES.replace("budget: 8h", "budget: 5h")}
    for name in ("team leader", "of no team", "manager"):
        caller, seen = CALLERS[name]
        result = (await client.lines("/v1/rules:preview", draft, caller))[-1]
        listed = {change["reference"] for change in result["running"]["listed"]}
        assert listed == {customers[which].reference for which in seen}, name
        assert result["running"]["affected"] == 3
