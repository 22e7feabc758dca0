"""The link of a customer's page lets its holder answer as the customer: people of the house are not told it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.http.access import StaffRole
from shared.ids import new_id
from tests.access.opening import matrix_of
from tests.integration.intake.front_door import SUBMISSION, Intake, write

MOVES = {
    "acknowledge": {}, "note": {"text": "x"}, "inform": {}, "feedback": {"score": 4}, "split": {}, "complain": {},
    "extend": {"objective": "resolution", "seconds": 3600, "reason": "expert", "approved_by": "s-001"},
}  # fmt: skip


async def moved(client: httpx.AsyncClient, reference: str, verb: str, key: dict[str, str]) -> httpx.Response:
    return await client.post(f"/v1/requests/{reference}/{verb}", json=MOVES[verb], headers=key)


async def reads(client: httpx.AsyncClient, view: dict[str, Any], customer_id: str) -> list[httpx.Response]:
    path = f"/v1/requests/{view['reference']}"
    addresses = [path, f"{path}?since=0", f"{path}/timeline", f"{path}/texts", f"{path}/customer"]
    addresses += ["/v1/requests?limit=200", "/v1/quarantine?limit=200", f"/v1/customers/{customer_id}/export"]
    return [await client.get(address) for address in addresses]


@pytest.mark.parametrize("role", StaffRole)
async def test_a_person_is_told_the_link_by_no_answer(intake: Intake, role: StaffRole) -> None:
    person = intake.person("chan.tai-man", role)
    view = await intake.submit(customer=SUBMISSION["customer"] | {"id": new_id().hex})
    token = view["status_url"].rpartition("/")[2]
    contact = await intake.staff.get(f"/v1/requests/{view['reference']}/customer")
    answers = await reads(person, view, contact.json()["customer_id"])
    assert answers[0].json()["status_url"] is None
    for verb in MOVES:
        key = write()
        made, again = [await moved(person, view["reference"], verb, key) for _ in range(2)]
        is_admitted = role in matrix_of("intake").routes[f"POST /v1/requests/{{reference}}/{verb}"].words
        assert made.is_success == is_admitted, made.text
        if is_admitted:
            assert (made.json()["status_url"], again.json()["status_url"]) == (None, None)
            assert again.headers["idempotency-replayed"] == "true"
        answers += [made, again]
    assert not [answer.text for answer in answers if token in answer.text]
    exported = answers[7]
    assert exported.is_success == (role in {StaffRole.ADMINISTRATOR, StaffRole.AUDITOR})
    if exported.is_success:
        assert exported.json()["requests"][0]["request"]["status_url"] is None


@pytest.mark.parametrize("name", ["app", "staff"])
async def test_who_hands_it_to_the_customer_is_told_the_link(intake: Intake, name: str) -> None:
    client = {"app": intake.app, "staff": intake.staff}[name]
    view = await intake.submit()
    assert (await client.get(f"/v1/requests/{view['reference']}")).json()["status_url"] == view["status_url"]
    person = intake.person("chan.tai-man", "handler")
    assert (await moved(person, view["reference"], "note", write())).json()["status_url"] is None
    assert (await moved(client, view["reference"], "note", write())).json()["status_url"] == view["status_url"]
