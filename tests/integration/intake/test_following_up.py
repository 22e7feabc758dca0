"""A low score opens a complaint: once, by a rule, in the transaction of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.intake.domain.moves import GiveFeedback
from services.intake.domain.visibility import EVERYTHING
from services.intake.handlers.acting import Acting
from services.intake.handlers.asking import Asking
from services.intake.handlers.moving import Moving
from shared.contracts import requests
from shared.contracts.topics import REQUESTS
from shared.ids import new_reference
from tests.integration.intake.front_door import Intake, write
from tests.integration.intake.test_automation import put
from tests.unit.intake.shipped import AUTOMATION

FOLLOWING_UP = AUTOMATION.replace("rule: follow_up_low_score\n    on: false", "rule: follow_up_low_score\n    on: true")

SERVED = """\
format: "1"
rules:
  - {rule: serve, when: {kind: complaint}, do: [{open: policy_service}]}
"""

SPLIT_UP = """\
format: "1"
rules:
  - {rule: follow_up, when: {kind: claim, score: {at_most: 2}}, do: [{open: complaint}, {assign: team_b}]}
  - {rule: hand_over, when: {kind: complaint}, do: [{assign: team_b}]}
"""


@pytest.fixture(autouse=True)
async def _off_again(intake: Intake) -> AsyncIterator[None]:
    yield
    await put(intake, AUTOMATION)


def somebody(customer_id: str) -> dict[str, str]:
    return {"id": customer_id, "name": "陳美玲", "language": "zh-Hant"}


async def _dissatisfied(intake: Intake, customer: str, score: int = 1) -> dict[str, Any]:
    """A closed request whose customer says on the page how it went."""
    view = await intake.submit(product_line="motor", customer=somebody(customer))
    await intake.move(view["reference"], "close", outcome="withdrawn")
    page = view["status_url"].removeprefix("https://status.example")
    answer = await intake.nobody.post(f"{page}/feedback", json={"score": score, "text": "nobody called me back"})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = (await intake.staff.get(f"/v1/requests/{view['reference']}")).json()
    return shown


async def test_a_low_score_is_followed_up_by_a_complaint_that_names_its_rule(intake: Intake) -> None:
    await put(intake, FOLLOWING_UP)
    view = await _dissatisfied(intake, "S-20")
    (related,) = view["related"]
    assert related["relation"] == "complaint"
    made = [(entry["type"], entry["by"], entry["cause"]) for entry in view["history"][2:]]
    assert made == [
        ("feedback_given", "customer", None),
        ("complained", "automation", "rule:follow_up_low_score"),
    ]
    complaint = (await intake.staff.get(f"/v1/requests/{related['reference']}")).json()
    assert view["history"][-1]["data"] == {"complaint_request_id": complaint["id"]}
    assert (complaint["kind"], complaint["state"], complaint["channel"]) == ("complaint", "open", "app")
    assert complaint["related"] == [{"relation": "about", "reference": view["reference"]}]
    first = complaint["history"][0]
    assert (first["by"], first["cause"]) == ("automation", "rule:follow_up_low_score")
    told = await intake.told_about(REQUESTS, complaint["id"])
    assert isinstance(told[0].data, requests.RequestSubmitted)
    assert str(told[0].data.about_request_id) == view["id"]
    assert (told[0].author, told[0].cause) == ("automation", "rule:follow_up_low_score")
    for reference in (view["reference"], complaint["reference"]):
        verdict = (await intake.staff.get(f"/v1/requests/{reference}/verification")).json()
        assert verdict["problems"] == []


async def test_one_request_is_followed_up_once(intake: Intake) -> None:
    await put(intake, FOLLOWING_UP)
    view = await _dissatisfied(intake, "S-21")
    await asyncio.gather(*(intake.move(view["reference"], "feedback", score=score) for score in (2, 1, 2)))
    related = (await intake.staff.get(f"/v1/requests/{view['reference']}")).json()["related"]
    assert len(related) == 1
    reference = related[0]["reference"]
    await intake.move(reference, "close", outcome="withdrawn")
    await intake.move(reference, "feedback", score=1)
    complaint = (await intake.staff.get(f"/v1/requests/{reference}")).json()
    assert [each["relation"] for each in complaint["related"]] == ["about"]


async def test_a_good_score_and_a_rule_that_is_off_open_nothing(intake: Intake) -> None:
    assert (await _dissatisfied(intake, "S-22"))["related"] == []
    await put(intake, FOLLOWING_UP)
    assert (await _dissatisfied(intake, "S-23", score=3))["related"] == []


async def test_a_taken_name_is_passed_over(intake: Intake) -> None:
    await put(intake, FOLLOWING_UP)
    taken = (await intake.submit(customer=somebody("S-24")))["reference"]
    names = iter([taken, taken, new_reference()])
    of = intake.context
    acting = Acting(of.database, of.automations, of.outbox, of.processes, of.customer_keys, lambda: next(names))
    moving = Moving(of.database, of.outbox, of.clock, of.processes, acting, of.customer_keys, of.validation)
    view = await intake.submit(customer=somebody("S-24"))
    client = intake.with_context(moving=moving)
    answer = await client.post(f"/v1/requests/{view['reference']}/feedback", json={"score": 1}, headers=write())
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["related"]) == 1
    assert next(names, None) is None


async def test_nothing_is_opened_for_a_customer_whose_data_were_erased(intake: Intake) -> None:
    await put(intake, FOLLOWING_UP)
    view = await intake.submit(customer=somebody("S-25"))
    await intake.move(view["reference"], "close", outcome="withdrawn")
    held = (await intake.staff.get(f"/v1/requests/{view['reference']}/customer")).json()
    erased = await intake.staff.post(
        f"/v1/customers/{held['customer_id']}:erase", json={"reason": "asked"}, headers=write()
    )
    assert erased.is_success, erased.text
    answer = await intake.move(view["reference"], "feedback", score=1)
    assert answer.status_code == 200, answer.text
    assert answer.json()["related"] == []


async def test_what_is_rolled_back_opened_nothing(intake: Intake) -> None:
    """What a rule opens lives and dies with the transaction of what happened."""
    await put(intake, FOLLOWING_UP)
    view = await intake.submit(customer=somebody("S-26"))
    context = intake.context
    asking = Asking("app", EVERYTHING)

    def acted() -> float:
        labels = {"rule": "follow_up_low_score", "did": "acted"}
        return REGISTRY.get_sample_value("punctual_intake_automation_total", labels) or 0.0

    before = acted()

    async def fail_at_the_end() -> None:
        async with context.database.transaction() as connection:
            record = await context.moving.perform(connection, view["reference"], GiveFeedback(1), asking)
            assert len(record.related) == 1
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await fail_at_the_end()
    shown = (await intake.staff.get(f"/v1/requests/{view['reference']}")).json()
    assert (shown["related"], len(shown["history"])) == ([], 1)
    assert acted() == before  # nor is it counted
    assert (await intake.move(view["reference"], "feedback", score=1)).is_success
    assert acted() == before + 1


@pytest.mark.parametrize("verb", ["complain", "split"])
async def test_who_opens_a_request_is_told_what_rules_opened_beside_it(intake: Intake, verb: str) -> None:
    await put(intake, SERVED)
    view = await intake.submit(customer=somebody("S-27"))
    body = {} if verb == "complain" else {"kind": "complaint"}
    answer = await intake.app.post(f"/v1/requests/{view['reference']}/{verb}", json=body, headers=write())
    assert answer.status_code == 201, answer.text
    shown = (await intake.app.get(answer.headers["location"])).json()
    assert answer.json()["related"] == shown["related"]
    assert len(shown["related"]) == 2


async def test_who_moves_a_request_is_not_told_what_he_does_not_see(intake: Intake) -> None:
    """Rules give the request, too, to a team that is not his: he is told what he did all the same."""
    await put(intake, SPLIT_UP)
    reference = (await intake.submit(customer=somebody("S-28")))["reference"]
    await intake.move(reference, "assign", team="team_a")
    handler = intake.person("chan", "handler", teams=["team_a"])
    answer = await handler.post(f"/v1/requests/{reference}/feedback", json={"score": 1}, headers=write())
    assert (answer.status_code, answer.json()["related"]) == (200, [])
    assert (await handler.get(f"/v1/requests/{reference}")).status_code == 404
    (related,) = (await intake.app.get(f"/v1/requests/{reference}")).json()["related"]
    assert related["relation"] == "complaint"
    assert related["reference"] not in answer.text
