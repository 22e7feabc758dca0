"""What a caller may not see is shown by nothing: no look-up, list, text, count or move."""

from __future__ import annotations

import itertools
from typing import Any

import httpx

from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.store.listing.pages import list_page
from services.intake.store.listing.wanted import Wanted
from services.intake.store.lookups import Listed, count_requests, find_by_reference
from services.intake.store.moves import lock_request, lock_two
from shared.postgres import Connection
from tests.integration.intake.front_door import SUBMISSION, Intake, write

TEAMS = (None, "claims_hk", "claims_tw")
ASSIGN = {"claims_hk": "claims_hk", "claims_tw": "claims_tw"}


async def fill(intake: Intake) -> dict[str, dict[str, Any]]:
    """A request for each channel and team; by reference."""
    found: dict[str, dict[str, Any]] = {}
    for (channel, client), team in itertools.product((("app", intake.app), ("web", intake.web)), TEAMS):
        reference = (await client.post("/v1/requests", json=SUBMISSION, headers=write())).json()["reference"]
        if team is not None:
            path = f"/v1/requests/{reference}/assign"
            assert (await intake.staff.post(path, json={"team": team}, headers=write())).is_success
        found[reference] = {"channel": channel, "team": team}
    return found


async def listed_by(connection: Connection, visibility: Visibility) -> list[Listed]:
    return [line.listed for line in (await list_page(connection, Wanted(visibility), None, 500)).lines]


def visibilities() -> list[Visibility]:
    names = ("claims_hk", "claims_tw", "other")
    groups = [frozenset(some) for size in range(4) for some in itertools.combinations(names, size)]
    return [
        EVERYTHING,
        *(Visibility(channel) for channel in ("app", "web", "x")),
        *(Visibility(None, g) for g in groups),
    ]


async def test_every_statement_shows_exactly_what_visibility_does(intake: Intake) -> None:
    await fill(intake)
    async with intake.database.transaction() as connection:
        everything = await listed_by(connection, EVERYTHING)
        for visibility in visibilities():
            shown = {line.reference for line in everything if visibility.shows(line.channel, line.team)}
            listed = await listed_by(connection, visibility)
            assert {line.reference for line in listed} == shown, visibility
            assert sum(count.total for count in await count_requests(connection, visibility)) == len(shown)
            references = [line.reference for line in everything]
            for reference in references:
                found = await find_by_reference(connection, reference, visibility)
                locked = await lock_request(connection, reference, visibility)
                assert {found is not None, locked is not None} == {reference in shown}, visibility
            pairs = await lock_two(connection, references[:2], visibility)
            assert {record.reference for record in pairs} == shown & set(references[:2])


async def test_every_call_of_a_handler_shows_the_requests_of_the_teams_and_of_none(intake: Intake) -> None:
    requests = await fill(intake)
    handler = intake.person("chan.tai-man", "handler", teams=["claims_hk"])
    for reference, request in requests.items():
        is_visible = request["team"] in (None, "claims_hk")
        assert await seen_by(handler, reference) == {is_visible}
    counted = (await handler.get("/v1/summary")).json()["requests"]
    assert counted == len((await handler.get("/v1/requests", params={"limit": 200})).json()["requests"])


async def seen_by(client: httpx.AsyncClient, reference: str) -> set[bool]:
    path = f"/v1/requests/{reference}"
    listed = (await client.get("/v1/requests", params={"limit": 200})).json()["requests"]
    answers = [
        await client.get(path),
        await client.get(f"{path}/texts"),
        await client.post(f"{path}/note", json={"text": "x"}, headers=write()),
    ]
    assert {answer.status_code for answer in answers} in ({200}, {404})
    return {answer.is_success for answer in answers} | {reference in {line["reference"] for line in listed}}


async def test_a_handler_without_teams_sees_what_no_team_has(intake: Intake) -> None:
    requests = await fill(intake)
    handler = intake.person("wong", "handler")
    for reference, request in requests.items():
        assert await seen_by(handler, reference) == {request["team"] is None}


async def test_who_oversees_sees_all_and_an_auditor_moves_nothing(intake: Intake) -> None:
    requests = await fill(intake)
    for role in ("manager", "administrator", "auditor", "quality_reviewer"):
        person = intake.person(role, role)
        for reference in requests:
            assert (await person.get(f"/v1/requests/{reference}")).is_success
    auditor = intake.person("auditor", "auditor")
    refused = await auditor.post(f"/v1/requests/{reference}/note", json={"text": "x"}, headers=write())
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:punctual:problem:role_required")


async def test_a_request_that_went_to_another_team_is_gone_from_view(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    handler = intake.person("chan.tai-man", "handler", teams=["claims_hk"])
    path = f"/v1/requests/{reference}"
    given = await handler.post(f"{path}/assign", json={"team": "claims_tw"}, headers=write())
    assert given.json()["history"][-1]["by"] == "chan.tai-man"
    assert (await handler.get(path)).status_code == 404
    assert (await intake.person("lead", "team_leader", teams=["claims_tw"]).get(path)).is_success


async def test_a_merge_with_a_hidden_request_is_refused_and_a_hidden_relation_is_not_shown(intake: Intake) -> None:
    mine, theirs = [(await intake.submit())["reference"] for _ in range(2)]
    await intake.move(theirs, "assign", team="claims_tw")
    handler = intake.person("chan.tai-man", "handler", teams=["claims_hk"])
    merge = f"/v1/requests/{mine}/merge"
    assert (await handler.post(merge, json={"into": theirs}, headers=write())).status_code == 404
    assert (await intake.staff.post(merge, json={"into": theirs}, headers=write())).is_success
    assert (await handler.get(f"/v1/requests/{mine}")).json()["related"] == []
    assert (await intake.staff.get(f"/v1/requests/{mine}")).json()["related"][0]["reference"] == theirs


async def test_a_handler_acts_in_his_own_name(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    handler = intake.person("chan.tai-man", "handler")
    path = f"/v1/requests/{reference}/response"
    refused = await handler.post(path, json={"handler": "s-104"}, headers=write())
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:punctual:problem:other_handler")
    entry = (await handler.post(path, json={}, headers=write())).json()["history"][-1]
    assert (entry["by"], entry["data"]) == ("chan.tai-man", {"handler": "chan.tai-man"})


async def test_a_person_called_like_a_channel_does_not_meet_its_idempotency_keys(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    path, key = f"/v1/requests/{reference}/note", write()
    by_channel = await intake.app.post(path, json={"text": "x"}, headers=key)
    by_person = await intake.person("app", "handler").post(path, json={"text": "x"}, headers=key)
    assert (by_channel.json()["version"], by_person.json()["version"]) == (2, 3)


async def test_a_person_submits_nothing(intake: Intake) -> None:
    administrator = intake.person("lee", "administrator")
    refused = await administrator.post("/v1/requests", json=SUBMISSION, headers=write())
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:punctual:problem:key_needed")


async def test_more_time_is_granted_by_who_leads_and_by_no_channel(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    body = {"objective": "resolution", "seconds": 3600, "reason": "expert", "approved_by": "s-001"}
    callers = {
        intake.app: 403,
        intake.person("chan.tai-man", "handler"): 403,
        intake.person("lead", "team_leader"): 200,
        intake.staff: 200,
    }
    for caller, status in callers.items():
        answer = await caller.post(f"/v1/requests/{reference}/extend", json=body, headers=write())
        assert answer.status_code == status, answer.text
