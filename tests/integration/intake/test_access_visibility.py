"""What a caller may not see is shown by nothing: no look-up, list, text, count or move."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from services.intake.domain.instants import ALLOWED_SKEW, EARLIEST
from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.store.automation import count_pasts
from services.intake.store.listing.pages import list_page
from services.intake.store.listing.wanted import Wanted
from services.intake.store.lookups import Listed, count_requests, find_by_reference, read_past_page
from services.intake.store.moves import lock_request, lock_two
from shared.postgres import Connection
from tests.integration.intake.front_door import SUBMISSION, Intake, write

TRIAL = """\
format: "1"
rules:
  - {rule: hidden, on: false, when: {team: claims_tw}, do: [{signal: found}]}
  - {rule: every, on: false, when: {kind: claim}, do: [{signal: found}]}
  - {rule: known, on: false, when: {requests_before: {at_least: 1}}, do: [{signal: found}]}
  - {rule: waiting, on: false, when: {team: claims_tw}, remind: {after: 1m elapsed}}
"""

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
            now = intake.clock.now()
            past = await read_past_page(connection, EARLIEST, now + ALLOWED_SKEW, UUID(int=0), 500, visibility)
            assert {record.reference for record in past} == shown, visibility
            before = await count_pasts(connection, [record.request_id for record in past], visibility)
            # All are of two customers, one of each channel, so every one counts those of its channel before it.
            of_channels = [sorted(r.request_id for r in past if r.channel == channel) for channel in ("app", "web")]
            expected = {each: place for ids in of_channels for place, each in enumerate(ids)}
            assert {each: found.requests for each, found in before.items()} == expected, visibility


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


async def test_a_trial_of_rules_finds_nothing_that_its_caller_does_not_see(intake: Intake) -> None:
    intake.clock.advance(timedelta(days=40))
    since = intake.clock.now().isoformat()
    references = []
    for team in ("claims_hk", *["claims_tw"] * 3, None):
        view = await intake.submit(customer=SUBMISSION["customer"] | {"id": "V-1"})
        references.append(view["reference"])
        if team is not None:
            await intake.move(view["reference"], "assign", team=team)
    visible, *_, after = references
    intake.clock.advance(timedelta(hours=1))
    body = {"source": TRIAL, "submitted_from": since, "submitted_to": "9000-01-01T00:00:00Z"}

    async def tried_by(client: httpx.AsyncClient) -> tuple[int, dict[str, list[str]]]:
        found = (await client.post("/v1/automation:try", json=body)).json()
        rules = {each["rule"]: [one["reference"] for one in each["listed"]] for each in found["rules"]}
        return found["requests"], rules

    lead = intake.person("lead", "team_leader", teams=["claims_hk"])
    seen = [visible, after]
    assert await tried_by(lead) == (2, {"hidden": [], "every": seen, "known": [after], "waiting": []})
    alone = intake.person("lam", "team_leader")
    assert await tried_by(alone) == (1, {"hidden": [], "every": [after], "known": [], "waiting": []})
    requests, rules = await tried_by(intake.person("ho", "manager"))
    assert (requests, len(rules["hidden"]), len(rules["known"]), len(rules["waiting"])) == (5, 3, 4, 3)


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
