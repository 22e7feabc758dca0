"""A request is judged by the same rules when it is changed, split or complained about as when it came in."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.contracts import casework
from shared.contracts.topics import REQUESTS
from tests.integration.intake.front_door import Intake, write

REFUSED = "urn:punctual:problem:data_refused"
PROSE = "is personal and no fact of the case"


async def changed(
    intake: Intake, reference: str, key: dict[str, str] | None = None, **attributes: Any
) -> httpx.Response:
    body = {"reason": "customer_called", "attributes": attributes}
    return await intake.app.post(f"/v1/requests/{reference}/change", json=body, headers=key or write())


async def judge(intake: Intake, reference: str, verb: str, rule: str) -> dict[str, Any]:
    body = {"rule": rule, "reason": "asked"}
    answer = await intake.staff.post(f"/v1/requests/{reference}/{verb}", json=body, headers=write())
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def assert_proved(intake: Intake, *references: str) -> None:
    for reference in references:
        verdict = (await intake.staff.get(f"/v1/requests/{reference}/verification")).json()
        assert (verdict["problems"], verdict["unproved"]) == ([], 0)


def problem_of(answer: httpx.Response) -> tuple[int, str, list[str]]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    return answer.status_code, body["type"], [error["field"] for error in body["errors"]]


async def test_a_change_that_cannot_be_true_is_refused_and_uses_no_key_up(intake: Intake) -> None:
    view, key = await intake.submit(), write()
    refused = await changed(intake, view["reference"], key, amount=-5, incident_date="2026-99-99")
    assert problem_of(refused) == (422, REFUSED, ["attributes.amount", "attributes.incident_date"])
    assert (await intake.app.get(f"/v1/requests/{view['reference']}")).json() == view
    assert len(await intake.told_about(REQUESTS, view["id"])) == 1
    assert (await changed(intake, view["reference"], key, amount=5)).status_code == 200


async def test_a_change_is_compared_with_what_is_there(intake: Intake) -> None:
    reference = (await intake.submit(attributes={"policy_from": "2026-06-01"}))["reference"]
    refused = await changed(intake, reference, policy_to="2026-05-31")
    assert problem_of(refused) == (422, REFUSED, ["attributes.policy_from"])
    assert (await changed(intake, reference, policy_to="2027-05-31")).status_code == 200


async def test_what_was_stored_wrong_can_be_corrected_and_hinders_nothing_else(intake: Intake) -> None:
    view = await intake.submit(attributes={"workshop": "HK-017"})
    reference = view["reference"]
    async with intake.database.connection() as connection:  # as before there was the rule
        wrong = '{"amount": -5, "incident_date": "soon"}'
        await connection.execute("UPDATE request SET attributes = $1 WHERE reference = $2", wrong, reference)
    path = f"/v1/requests/{reference}/change"
    urgent = await intake.app.post(path, json={"reason": "r", "priority": "urgent"}, headers=write())
    assert urgent.status_code == 200, urgent.text
    assert (await changed(intake, reference, amount=500)).json()["attributes"]["amount"] == 500
    assert problem_of(await changed(intake, reference, incident_date="later"))[0] == 422


async def test_a_change_that_is_doubted_goes_into_quarantine_as_at_the_door(intake: Intake) -> None:
    view = await intake.submit(attributes={"amount": 10, "sum_insured": 5000})
    after = (await changed(intake, view["reference"], amount=6000)).json()
    assert after["findings"] == {"claim_within_sum_insured": "open"}
    assert [(entry["type"], entry["cause"], entry["by"]) for entry in after["history"][1:]] == [
        ("changed", None, "app"),
        ("doubted", "entry:2", "app"),
    ]
    assert after["history"][2]["data"] == {"findings": {"claim_within_sum_insured": ["amount"]}}
    events = await intake.told_about(REQUESTS, view["id"])
    assert [event.sequence for event in events] == [1, 2, 3]
    assert isinstance(events[2].data, casework.RequestDoubted)
    listed = (
        await intake.staff.get("/v1/quarantine", params={"rule": "claim_within_sum_insured", "limit": 200})
    ).json()
    assert view["reference"] in {each["reference"] for each in listed}
    await assert_proved(intake, view["reference"])


@pytest.mark.parametrize(("verb", "judgement"), [("confirm", "confirmed"), ("dismiss", "dismissed")])
async def test_a_judgement_holds_until_the_value_is_another(intake: Intake, verb: str, judgement: str) -> None:
    rule = "claim_within_sum_insured"
    reference = (await intake.submit(attributes={"amount": 6000, "sum_insured": 5000}))["reference"]
    in_doubt = (await changed(intake, reference, amount=6001)).json()
    assert [entry["type"] for entry in in_doubt["history"]] == [
        "submitted",
        "doubted",
        "changed",
    ]  # one doubt is enough
    assert (await judge(intake, reference, verb, rule))["findings"] == {rule: judgement}
    assert (await changed(intake, reference, workshop="HK-018")).json()["findings"] == {rule: judgement}
    assert (await changed(intake, reference, amount=9000)).json()["findings"] == {rule: "open"}
    assert (await judge(intake, reference, "dismiss", rule))["findings"] == {rule: "dismissed"}
    await assert_proved(intake, reference)


async def test_a_product_line_with_rules_of_its_own_asks_them(intake: Intake) -> None:
    view = await intake.submit(product_line="life", attributes={"incident_date": "2010-01-01"})
    assert view["findings"] == {}
    path = f"/v1/requests/{view['reference']}/change"
    after = await intake.app.post(path, json={"reason": "r", "product_line": "motor"}, headers=write())
    assert after.json()["findings"] == {"incident_is_recent": "open"}


@pytest.mark.parametrize("verb", ["split", "complain"])
async def test_what_comes_of_a_request_is_judged_as_at_the_door(intake: Intake, verb: str) -> None:
    view, key = await intake.submit(), write()
    path = f"/v1/requests/{view['reference']}/{verb}"
    wrong = {"attributes": {"amount": -5, "currency": "hkd"}}
    refused = await intake.app.post(path, json=wrong, headers=key)
    assert problem_of(refused) == (422, REFUSED, ["attributes.amount"])
    assert (await intake.app.get(f"/v1/requests/{view['reference']}")).json() == view
    doubtful = {"attributes": {"amount": 5, "currency": "hkd"}}
    opened = await intake.app.post(path, json=doubtful, headers=key)
    assert opened.status_code == 201, opened.text
    one = opened.json()
    assert (one["version"], one["findings"]) == (2, {"currency_has_three_letters": "open"})
    assert [(entry["type"], entry["cause"]) for entry in one["history"]] == [
        ("submitted", None),
        ("doubted", "entry:1"),
    ]
    assert [event.data.TYPE for event in await intake.told_about(REQUESTS, one["id"])] == [
        "punctual.request.submitted",
        "punctual.request.doubted",
    ]
    again = await intake.app.post(path, json=doubtful, headers=key)
    assert (again.content, again.headers["idempotency-replayed"]) == (opened.content, "true")
    await assert_proved(intake, view["reference"], one["reference"])


CANARY = "Kanarienvogel-88"


@pytest.mark.parametrize("name", ["Birth-Date", "witness_phone", "nameOfOwner"])
async def test_no_door_takes_an_attribute_with_a_personal_name(intake: Intake, name: str) -> None:
    view = await intake.submit(kind="underwriting", product_line=None)
    path = f"/v1/requests/{view['reference']}"
    body: dict[str, Any] = {"attributes": {name: CANARY}}
    at_the_door = {"kind": "enquiry", "market": "HK", "customer": {"id": "C-1", "name": "Ann", "language": "en"}}
    calls = [
        ("/v1/requests", at_the_door | body),
        (f"{path}/change", {"reason": "r"} | body),
        (f"{path}/split", body),
        (f"{path}/complain", body),
    ]
    for url, content in calls:
        answer = await intake.app.post(url, json=content, headers=write())
        assert problem_of(answer) == (422, REFUSED, [f"attributes.{name}"]), url
        assert PROSE in answer.json()["errors"][0]["message"]
        assert CANARY not in answer.text
    await intake.told(REQUESTS)
    told = [record.value or b"" for record in intake.broker.log(REQUESTS.name)]
    assert CANARY.encode() not in b"".join(told)
    async with intake.database.connection() as connection:
        stored = await connection.fetchval("SELECT count(*) FROM request_event WHERE data::text LIKE $1", f"%{CANARY}%")
    assert stored == 0


async def test_what_is_recorded_with_a_control_point_has_no_personal_name(intake: Intake) -> None:
    view = await intake.submit(product_line="motor")
    assert (await intake.move(view["reference"], "assign", team="t")).is_success
    assert (await intake.move(view["reference"], "stage", stage="assessment")).is_success
    recorded = {"cover_in_force": True, "adjuster-phone": "x"}
    answer = await intake.move(view["reference"], "control", control="cover_checked", recorded=recorded)
    assert problem_of(answer) == (422, REFUSED, ["recorded.adjuster-phone"])
    recorded = {"cover_in_force": True}
    answer = await intake.move(view["reference"], "control", control="cover_checked", recorded=recorded)
    assert answer.status_code == 200
