"""Every route, called by whoever does not see everything: what is hidden changes no answer and is named in none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
import pytest

from services.intake.handlers.group_commit import GroupCommit
from shared.ids import new_id
from tests.access.opening import matrix_of
from tests.integration.intake.front_door import SUBMISSION, Intake, write
from tests.unit.intake.shipped import new_validation

ROUTES = set(matrix_of("intake").routes)

READS: Mapping[str, tuple[str, ...]] = {
    "GET /v1/requests": (
        "?limit=200&count=true",
        "?q=marine&limit=200",
        "?state=open&sort=changed&limit=200",
        "?q=C-1",
    ),
    "GET /v1/requests/{reference}": ("", "?since=1"),
    "GET /v1/requests/{reference}/texts": ("",),
    "GET /v1/requests/{reference}/customer": ("",),
    "GET /v1/requests/{reference}/timeline": ("",),
    "GET /v1/requests/{reference}/verification": ("",),
    "GET /v1/verification": ("?limit=500",),
    "GET /v1/summary": ("",),
    "GET /v1/quarantine": ("?limit=200",),
    "GET /v1/streams": ("",),
    "GET /v1/data-quality": ("?from=2026-11-01T00:00Z&to=2026-12-01T00:00Z",),
    "GET /v1/audit": ("?limit=200",),
    "GET /v1/customers": ("?channel=app&external_id=C-1",),
    "GET /v1/customers/{customer_id}/export": ("",),
    "GET /v1/customers/{customer_id}/erasure": ("",),
}
"""What tells of requests, with queries. A new route has to be put here or below."""

ELSEWHERE: Mapping[str, str] = {
    "GET /v1/changes": "test_watching_changes.py, test_keeping_screens.py",
    "POST /v1/automation:try": "test_access_visibility.py",
    "POST /v1/customers/{customer_id}:erase": "test_personal_data.py: it is for administrators",
}
"""Where they are tested."""

ABOUT_NO_OTHER_REQUEST = {
    *("POST /v1/requests", "POST /v1/requests:batch"),  # they answer what they take in; test_showing_duplicates.py
    *("GET /t/{token}", "GET /t/{token}.json", "POST /t/{token}/feedback"),  # the link is the permission
    *("GET /v1/clock", "GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json"),
    "GET /v1/validation",
    *(route for route in ROUTES if " /v1/processes" in route or " /v1/keys" in route),
    *("GET /v1/automation", "GET /v1/automation/versions", "PUT /v1/automation"),
}

MOVE = "POST /v1/requests/{reference}/"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
BODIES: Mapping[str, dict[str, Any]] = {
    "assign": {"team": "claims_hk"},
    "stage": {"stage": "assessment"},
    "control": {"control": "cover_checked"},
    "message": {"text": "x"},
    "note": {"text": "x"},
    "attachment": {
        "file_name": "receipt.pdf", "media_type": "application/pdf", "size": 1, "sha256": _SHA256,
        "location": "s3://documents/1",
    },
    "pause": {"reason": "customer_documents"},
    "documents": {"documents": ["receipts"]},
    "resume": {"reason": "customer_documents"},
    "change": {"reason": "customer_called", "priority": "urgent"},
    "extend": {"objective": "resolution", "seconds": 3600, "reason": "expert", "approved_by": "s-001"},
    "signal": {"signal": "all_there"},
    "close": {"outcome": "withdrawn"},
    "reopen": {"reason": "new_evidence"},
    "cancel": {"reason": "submitted_by_mistake"},
    "process": {"process": "claim_motor", "version": 1, "reason": "new_version"},
    "feedback": {"score": 5},
    "confirm": {"rule": "likely_duplicate", "reason": "looked_at"},
    "dismiss": {"rule": "likely_duplicate", "reason": "looked_at"},
}  # fmt: skip
"""Of the moves whose bodies may not be empty."""

TEXT = "The rear bumper was hit while the car was parked in Nathan Road; the other driver left a number."
DOUBTED = {"amount": 2_000_000_000, "currency": "hk"}


def test_every_route_is_walked_or_said_to_tell_of_no_request() -> None:
    moves = {route for route in ROUTES if route.startswith(MOVE)}
    tables: tuple[Iterable[str], ...] = (READS, ELSEWHERE, ABOUT_NO_OTHER_REQUEST, moves)
    assert sorted(route for table in tables for route in table) == sorted(ROUTES)


async def submitted(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v1/requests", json=SUBMISSION | changes, headers=write())
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


@pytest.fixture
def doors(intake: Intake) -> dict[str, httpx.AsyncClient]:
    """Of the two channels; they look for duplicates."""
    validation = new_validation(finds_duplicates=True)
    patience = intake.context.key_patience
    submissions = GroupCommit(
        intake.database,
        intake.outbox,
        customer_keys=intake.context.customer_keys,
        key_patience=patience,
        validation=validation,
    )
    web = intake.web_with(validation=validation, submissions=submissions)
    return {"app": intake.with_context(validation=validation), "web": web}


def callers(intake: Intake) -> dict[str, httpx.AsyncClient]:
    """Who does not see everything."""
    return {
        "channel": intake.web,
        "team leader": intake.person("lead", "team_leader", teams=["claims_hk"]),
        "handler": intake.person("wong", "handler"),
    }


async def told(client: httpx.AsyncClient, references: Iterable[str], customer_id: str) -> dict[str, str]:
    """What each reading route answers about these requests and about all; of a refusal only its status."""
    found = {}
    for route, queries in READS.items():
        path = route.removeprefix("GET ").replace("{customer_id}", customer_id)
        paths = [path.replace("{reference}", each) for each in references] if "{reference}" in path else [path]
        for address in [each + query for each in paths for query in queries]:
            answer = await client.get(address)
            found[address] = answer.text if answer.is_success else str(answer.status_code)
    return found


async def customer_of(intake: Intake, view: Mapping[str, Any]) -> str:
    answer = await intake.staff.get(f"/v1/requests/{view['reference']}/customer")
    return str(answer.json()["customer_id"])


async def hide(intake: Intake, door: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A request of channel app that another team has."""
    view = await submitted(door, **changes)
    assert (await intake.move(view["reference"], "assign", team="claims_tw")).is_success
    return view


async def test_what_is_hidden_changes_no_answer_and_is_named_in_none(
    intake: Intake, doors: dict[str, httpx.AsyncClient]
) -> None:
    facts = {"amount": 8100, "policy_number": f"HK-{new_id().hex[:12]}".upper()}
    hidden = [await hide(intake, doors["app"], attributes=facts, description=TEXT)]
    customer = {"customer": SUBMISSION["customer"] | {"id": new_id().hex}}
    own = await submitted(doors["web"], attributes=facts, description=TEXT, **customer)  # a duplicate of the hidden one
    free = await submitted(doors["app"], attributes=DOUBTED, **customer)
    visible = {
        "channel": [own["reference"]],
        "team leader": [own["reference"], free["reference"]],
        "handler": [own["reference"], free["reference"]],
    }
    customer_id = await customer_of(intake, own)
    who = callers(intake)
    before = {name: await told(who[name], visible[name], customer_id) for name in who}
    before_staff = await told(intake.staff, [], customer_id)
    hidden.append(await hide(intake, doors["app"], attributes=DOUBTED))
    hidden.append(await hide(intake, doors["app"], attributes=facts, description=TEXT, **customer))
    async with intake.database.connection() as connection:
        await connection.execute("INSERT INTO stream_hour VALUES ($1, 1, 5, 0, true)", f"hidden-{new_id().hex[:8]}")
    after = {name: await told(who[name], visible[name], customer_id) for name in who}
    for name in who:
        assert after[name] == before[name]
        everything = json.dumps(after[name])
        assert not [each for each in hidden if each["reference"] in everything or each["id"] in everything], name
        assert sum(each.startswith(("{", "[")) for each in after[name].values()) > 5, "it reads something"
    after_staff = await told(intake.staff, [], customer_id)
    same = {address for address, answer in after_staff.items() if before_staff[address] == answer}
    of_customers = {address for address in same if address.startswith("/v1/customers")}
    assert same == of_customers, "who sees everything is told of it, or the walk would show nothing"


@pytest.mark.parametrize("name", ["channel", "team leader"])
async def test_a_hidden_request_is_not_there_for_any_route(intake: Intake, name: str) -> None:
    client = callers(intake)[name]
    hidden = (await intake.submit())["reference"]
    assert (await intake.move(hidden, "assign", team="claims_tw")).is_success
    other = (await submitted(intake.web))["reference"]
    for route in sorted(route for route in ROUTES if "/{reference}" in route):
        method, path = route.split(" ")
        verb = path.rpartition("/")[2]
        body = {"into": other} if verb == "merge" else BODIES.get(verb, {})
        address = path.replace("{reference}", hidden)
        if method == "GET":
            answer = await client.get(address)
        else:
            answer = await client.request(method, address, json=body, headers=write())
        assert answer.status_code in {403, 404}, f"{route} {answer.text}"
        if answer.status_code == 403:
            assert answer.json()["type"] == "urn:punctual:problem:role_required", route
        else:
            assert answer.json()["type"] == "urn:punctual:problem:request_not_found", route
    version = (await intake.app.get(f"/v1/requests/{hidden}")).json()["version"]
    assert version == 2
