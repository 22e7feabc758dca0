"""A part of a request that goes its own way, and a complaint about one."""

from __future__ import annotations

import asyncio

import pytest

from shared.contracts import casework, requests
from shared.contracts.topics import CONTACTS, REQUESTS
from shared.ids import new_reference
from tests.integration.intake.front_door import Intake, write


async def test_a_complaint_is_a_request_of_its_own_that_names_what_it_is_about(intake: Intake) -> None:
    view = await intake.submit()
    await intake.move(view["reference"], "close", outcome="withdrawn")
    path = f"/v1/requests/{view['reference']}/complain"
    answer = await intake.app.post(path, json={"description": "太慢了", "priority": "high"}, headers=write())
    assert answer.status_code == 201, answer.text
    complaint = answer.json()
    assert answer.headers["location"] == f"/v1/requests/{complaint['reference']}"
    assert (complaint["kind"], complaint["process"], complaint["stage"]) == ("complaint", "complaint", "received")
    assert (complaint["channel"], complaint["market"], complaint["language"]) == ("app", "HK", "zh-Hant")
    assert complaint["related"] == [{"relation": "about", "reference": view["reference"]}]
    about = (await intake.app.get(f"/v1/requests/{view['reference']}")).json()
    assert about["related"] == [{"relation": "complaint", "reference": complaint["reference"]}]
    last = (await intake.told_about(REQUESTS, view["id"]))[-1].data
    assert last == casework.RequestComplained(request_id=view["id"], complaint_request_id=complaint["id"])
    (first,) = await intake.told_about(REQUESTS, complaint["id"])
    assert isinstance(first.data, requests.RequestSubmitted)
    customers = {
        e.data.customer_id for e in await intake.told(REQUESTS) if isinstance(e.data, requests.RequestSubmitted)
    }
    assert str(first.data.about_request_id) == view["id"]
    assert first.data.customer_id in customers
    assert "太慢了" not in " ".join(str(event) for event in await intake.told(REQUESTS))
    for reference in (view["reference"], complaint["reference"]):
        verdict = (await intake.staff.get(f"/v1/requests/{reference}/verification")).json()
        assert verdict["problems"] == []


async def test_a_part_goes_its_own_way_for_the_same_customer(intake: Intake) -> None:
    view = await intake.submit(product_line="motor")
    contacts = len(await intake.told(CONTACTS))
    path = f"/v1/requests/{view['reference']}/split"
    body = {"kind": "policy_service", "product_line": "life", "attributes": {"amount": 5}}
    part = (await intake.app.post(path, json=body, headers=write())).json()
    assert (part["kind"], part["product_line"], part["customer_tier"]) == ("policy_service", "life", "gold")
    assert part["attributes"] == {"amount": 5}
    assert part["related"] == [{"relation": "split_from", "reference": view["reference"]}]
    own = (await intake.app.post(path, json={}, headers=write())).json()
    assert (own["kind"], own["process"]) == ("claim", "claim_motor")
    assert len(await intake.told(CONTACTS)) == contacts
    split = [event.data for event in await intake.told_about(REQUESTS, view["id"])]
    assert [type(data) for data in split[1:]] == [casework.RequestSplit, casework.RequestSplit]


async def test_a_repeat_opens_nothing_new_and_a_refused_one_stores_nothing(intake: Intake) -> None:
    view = await intake.submit()
    path, key = f"/v1/requests/{view['reference']}/split", write()
    answers = await asyncio.gather(*(intake.app.post(path, json={}, headers=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["reference"] for answer in answers}) == 1
    assert len(await intake.told_about(REQUESTS, view["id"])) == 2
    stale = await intake.app.post(path, json={}, headers=write() | {"If-Match": '"1"'})
    assert stale.status_code == 412
    await intake.move(view["reference"], "close", outcome="withdrawn")
    before = (await intake.staff.get("/v1/summary")).json()["requests"]
    over = await intake.app.post(path, json={}, headers=write())
    assert (over.status_code, over.json()["type"]) == (409, "urn:punctual:problem:request_over")
    assert (await intake.staff.get("/v1/summary")).json()["requests"] == before


@pytest.mark.parametrize("verb", ["split", "complain"])
async def test_a_repeat_is_answered_also_when_its_caller_does_not_see_the_request_any_more(
    intake: Intake, verb: str
) -> None:
    reference = (await intake.submit())["reference"]
    await intake.move(reference, "assign", team="team_a")
    handler = intake.person("chan", "handler", teams=["team_a"])
    path, key = f"/v1/requests/{reference}/{verb}", write()
    first = await handler.post(path, json={}, headers=key)
    assert first.status_code == 201, first.text
    await intake.move(reference, "assign", team="team_b")
    repeat = await handler.post(path, json={}, headers=key)
    assert (repeat.status_code, repeat.json()) == (201, first.json())
    assert repeat.headers["Idempotency-Replayed"] == "true"
    other = await handler.post(path, json={"priority": "high"}, headers=key)
    assert other.json()["type"] == "urn:punctual:problem:idempotency_key_reused", other.text
    unused = write()
    for _ in range(2):
        assert (await handler.post(path, json={}, headers=unused)).status_code == 404


async def test_nobody_branches_a_request_he_may_not_see(intake: Intake) -> None:
    view = await intake.submit()
    for verb in ("split", "complain"):
        foreign = await intake.web.post(f"/v1/requests/{view['reference']}/{verb}", json={}, headers=write())
        assert foreign.status_code == 404
        unknown = await intake.app.post(f"/v1/requests/{new_reference()}/{verb}", json={}, headers=write())
        assert unknown.status_code == 404


async def test_a_name_that_is_taken_is_given_up_for_another(intake: Intake) -> None:
    view = await intake.submit()
    names = iter([view["reference"], new_reference()])
    door = intake.with_context(name_request=lambda: next(names))
    answer = await door.post(f"/v1/requests/{view['reference']}/split", json={}, headers=write())
    assert answer.status_code == 201
