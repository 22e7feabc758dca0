"""Likely duplicates cross channels and teams; what is shown of them does not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.intake.handlers.group_commit import GroupCommit
from shared.contracts import casework
from shared.contracts.topics import REQUESTS
from shared.ids import new_id
from tests.integration.intake.front_door import SUBMISSION, Intake, write
from tests.unit.intake.shipped import new_validation

TEXT = "The rear bumper was hit while the car was parked in Nathan Road; the other driver left a number."
LIKELY = "likely_duplicate"


@pytest.fixture
def doors(intake: Intake) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    """Of ``app`` and of ``web``; they look for duplicates."""
    validation = new_validation(finds_duplicates=True)
    submissions = GroupCommit(
        intake.database,
        intake.outbox,
        customer_keys=intake.context.customer_keys,
        key_patience=intake.context.key_patience,
        validation=validation,
    )
    web = intake.web_with(validation=validation, submissions=submissions)
    return intake.with_context(validation=validation), web


async def submitted(client: httpx.AsyncClient, policy: str, **changes: Any) -> dict[str, Any]:
    """A claim of a new customer about a policy."""
    body = SUBMISSION | {
        "description": TEXT,
        "attributes": {"amount": 8100, "policy_number": policy},
        "customer": SUBMISSION["customer"] | {"id": new_id().hex},
    }
    answer = await client.post("/v1/requests", json=body | changes, headers=write())
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


def new_policy() -> str:
    return f"HK-{new_id().hex[:12]}".upper()


async def read(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def timeline_of(client: httpx.AsyncClient, view: dict[str, Any]) -> dict[str, Any]:
    happenings = (await read(client, f"/v1/requests/{view['reference']}/timeline"))["happenings"]
    return {each["type"].removeprefix("punctual.request."): each["data"] for each in happenings}


def entries_of(view: dict[str, Any]) -> dict[str, Any]:
    return {entry["type"]: entry["data"] for entry in view["history"]}


async def test_a_channel_is_shown_nothing_of_a_duplicate_of_another_channel(
    intake: Intake, doors: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    app, web = doors
    policy = new_policy()
    before = await read(intake.app, "/v1/summary")
    first = await submitted(web, policy)
    second = await submitted(app, policy.replace("-", "").lower())
    path = f"/v1/requests/{second['reference']}"
    shown = [second, await read(intake.app, path), (await intake.move(second["reference"], "acknowledge")).json()]
    for view in shown:
        assert view["findings"] == {}
        assert entries_of(view)["doubted"] == {}
        assert first["id"] not in str(view)
    assert (await timeline_of(intake.app, second))["doubted"] == {}
    after = await read(intake.app, "/v1/summary")
    assert (after["quarantined"], after["doubts"]) == (before["quarantined"], before["doubts"])
    refused = await intake.move(second["reference"], "close", outcome="paid")
    assert LIKELY not in refused.text
    body = {"rule": LIKELY, "reason": "customer_called"}
    assert (await intake.staff.post(f"{path}/confirm", json=body, headers=write())).is_success
    judged = await read(intake.app, path, since=2)
    assert (judged["findings"], entries_of(judged)["finding_confirmed"]) == ({}, {})


async def test_the_finding_is_made_all_the_same_and_staff_and_events_are_told_of_it(
    intake: Intake, doors: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    app, web = doors
    policy = new_policy()
    first, second = await submitted(web, policy), await submitted(app, policy)
    seen = await read(intake.staff, f"/v1/requests/{second['reference']}")
    doubted = entries_of(seen)["doubted"]
    assert seen["findings"] == {LIKELY: "open"}
    assert doubted["duplicates"] == [first["id"]]
    assert set(doubted["findings"][LIKELY]) >= {"similar_text", "similar_amount", "same_policy_number"}
    assert (await timeline_of(intake.staff, second))["doubted"] == doubted
    listed = {each["reference"]: each for each in await read(intake.staff, "/v1/quarantine", rule=LIKELY)}
    assert listed[second["reference"]]["duplicates"] == [first["reference"]]
    events = [event.data for event in await intake.told_about(REQUESTS, second["id"])]
    (told,) = [data for data in events if isinstance(data, casework.RequestDoubted)]
    assert [str(each) for each in told.duplicates] == [first["id"]]


async def test_a_channel_is_shown_its_own_duplicates_however_many_there_are_of_others(
    intake: Intake, doors: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    app, web = doors
    policy = new_policy()
    customer = SUBMISSION["customer"] | {"id": new_id().hex}
    own = await submitted(app, policy, customer=customer, description=TEXT.replace("left", "gave"))
    others = [await submitted(web, policy) for _ in range(4)]
    before = (await read(intake.app, "/v1/summary"))["doubts"]
    second = await submitted(app, policy, customer=customer)
    for view in (second, await read(intake.app, f"/v1/requests/{second['reference']}")):
        assert view["findings"] == {LIKELY: "open"}
        assert entries_of(view)["doubted"]["duplicates"] == [own["id"]]
        assert not [other for other in others if other["id"] in str(view)]
    whole = await read(intake.staff, f"/v1/requests/{second['reference']}")
    assert len(entries_of(whole)["doubted"]["duplicates"]) == 4
    assert (await read(intake.app, "/v1/summary"))["doubts"][LIKELY] == before.get(LIKELY, 0) + 1


async def test_staff_are_shown_the_finding_and_only_duplicates_that_they_see(
    intake: Intake, doors: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    app, web = doors
    policy = new_policy()
    first, second = await submitted(web, policy), await submitted(app, policy)
    assigned = await intake.web.post(
        f"/v1/requests/{first['reference']}/assign", json={"team": "secret_team"}, headers=write()
    )
    assert assigned.is_success
    outsider = intake.person("outsider", "handler", teams=["other_team"])
    member = intake.person("member", "handler", teams=["secret_team"])
    for person, is_shown in ((outsider, False), (member, True)):
        listed = {each["reference"]: each for each in await read(person, "/v1/quarantine", rule=LIKELY, limit=200)}
        line = listed[second["reference"]]
        view = await read(person, f"/v1/requests/{second['reference']}")
        told = (await timeline_of(person, second))["doubted"]
        assert view["findings"] == {LIKELY: "open"}
        assert line["duplicates"] == ([first["reference"]] if is_shown else [])
        assert told == entries_of(view)["doubted"]
        assert told.get("duplicates", []) == ([first["id"]] if is_shown else [])
        assert [doubt["rule"] for doubt in line["doubts"]] == [LIKELY]
        assert bool(line["doubts"][0]["about"]) == bool(told["findings"][LIKELY]) == is_shown
    answer = await outsider.post(
        f"/v1/requests/{second['reference']}/dismiss", json={"rule": LIKELY, "reason": "looked_at"}, headers=write()
    )
    assert answer.is_success
    assert first["id"] not in answer.text


async def test_a_hidden_request_is_named_in_no_history_that_it_was_merged_with(intake: Intake) -> None:
    mine, theirs = await intake.submit(), await intake.submit()
    assert (await intake.move(theirs["reference"], "assign", team="claims_tw")).is_success
    merge = f"/v1/requests/{mine['reference']}/merge"
    assert (await intake.staff.post(merge, json={"into": theirs["reference"]}, headers=write())).is_success
    handler = intake.person("chan.tai-man", "handler", teams=["claims_hk"])
    seen = await read(handler, f"/v1/requests/{mine['reference']}")
    assert entries_of(seen)["merged"] == (await timeline_of(handler, mine))["merged"] == {}
    named = {"into_request_id": theirs["id"]}
    assert entries_of(await read(intake.app, f"/v1/requests/{mine['reference']}"))["merged"] == named
    assert (await timeline_of(intake.app, mine))["merged"] == named


async def test_what_comes_of_a_request_is_named_at_once_in_both_histories(intake: Intake) -> None:
    origin = await intake.submit()
    part = (await intake.move(origin["reference"], "complain")).json()
    assert entries_of(part)["submitted"]["about"] == origin["id"]
    after = (await intake.move(origin["reference"], "note", text="x")).json()
    assert entries_of(after)["complained"] == {"complaint_request_id": part["id"]}
