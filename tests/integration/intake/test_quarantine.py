"""Doubted requests are taken in, marked, worked on and judged; nothing of that is lost or hidden."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from shared.contracts import casework
from shared.contracts.topics import REQUESTS
from shared.ids import new_id
from tests.integration.intake.batch_call import NDJSON, line
from tests.integration.intake.front_door import SUBMISSION, Intake, write
from tests.unit.intake.shipped import new_validation

GIGANTIC: dict[str, Any] = {"attributes": {"amount": 2_000_000_000, "currency": "hk"}}
TEXT = "The rear bumper was hit while the car was parked in Nathan Road; the other driver left a number."


@pytest.fixture
def watchful(intake: Intake) -> httpx.AsyncClient:
    """A front door that looks for duplicates."""
    return intake.with_context(validation=new_validation(finds_duplicates=True))


async def submitted(client: httpx.AsyncClient, key: str | None = None, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v1/requests", json=SUBMISSION | changes, headers=write(key))
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def judged(intake: Intake, reference: str, verb: str, rule: str) -> httpx.Response:
    body = {"rule": rule, "reason": "customer_called"}
    return await intake.staff.post(f"/v1/requests/{reference}/{verb}", json=body, headers=write())


async def is_proved(intake: Intake, reference: str) -> bool:
    verdict = (await intake.staff.get(f"/v1/requests/{reference}/verification")).json()
    return bool(verdict["problems"] == [] and verdict["unproved"] == 0)


async def everything(intake: Intake, **filters: Any) -> dict[str, dict[str, Any]]:
    """The whole quarantine, two at a time, by reference; in the order of the list."""
    found: dict[str, dict[str, Any]] = {}
    answer = await intake.staff.get("/v1/quarantine", params={"limit": 2, **filters})
    while True:
        assert answer.status_code == 200
        found |= {each["reference"]: each for each in answer.json()}
        if "next" not in answer.links:
            return found
        answer = await intake.staff.get(answer.links["next"]["url"])


async def test_a_doubted_request_has_two_entries_and_two_events_of_one_transaction(intake: Intake) -> None:
    view = await intake.submit(**GIGANTIC)
    assert view["version"] == 2
    assert [entry["type"] for entry in view["history"]] == ["submitted", "doubted"]
    findings = {"amount_is_not_gigantic": ["amount"], "currency_has_three_letters": ["currency"]}
    assert view["history"][1]["data"] == {"findings": findings}
    assert view["history"][1]["by"] == "app"
    assert view["findings"] == dict.fromkeys(findings, "open")
    events = await intake.told_about(REQUESTS, view["id"])
    assert [(event.sequence, event.data.TYPE, event.author, event.cause) for event in events] == [
        (1, "punctual.request.submitted", "app", "call"),
        (2, "punctual.request.doubted", "app", "entry:1"),
    ]
    assert isinstance(events[1].data, casework.RequestDoubted)
    assert events[1].data.findings == {rule: tuple(about) for rule, about in findings.items()}
    assert (await intake.app.get(f"/v1/requests/{view['reference']}")).json() == view
    assert await is_proved(intake, view["reference"])


async def test_it_is_worked_on_but_not_decided_before_somebody_judged_the_doubt(intake: Intake) -> None:
    reference = (await intake.submit(kind="enquiry", product_line=None, **GIGANTIC))["reference"]
    assert (await intake.move(reference, "response")).status_code == 200
    assert (await intake.move(reference, "stage", stage="answering")).status_code == 200
    refused = await intake.move(reference, "close", outcome="answered")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:punctual:problem:doubt_open")
    assert (await judged(intake, reference, "confirm", "amount_is_not_gigantic")).status_code == 200
    assert (await judged(intake, reference, "dismiss", "currency_has_three_letters")).status_code == 200
    again = await judged(intake, reference, "confirm", "currency_has_three_letters")
    assert (again.status_code, again.json()["type"]) == (409, "urn:punctual:problem:finding_not_open")
    closed = (await intake.move(reference, "close", outcome="answered")).json()
    assert closed["findings"] == {"amount_is_not_gigantic": "confirmed", "currency_has_three_letters": "dismissed"}
    confirmed = next(entry for entry in closed["history"] if entry["type"] == "finding_confirmed")
    assert confirmed["data"] == {"rule": "amount_is_not_gigantic", "reason": "customer_called"}
    assert (confirmed["by"], confirmed["occurred_at"]) == ("staff", closed["submitted_at"])
    types = [event.data.TYPE for event in await intake.told_about(REQUESTS, closed["id"])]
    assert types.count("punctual.request.finding_confirmed") == 1
    assert types.count("punctual.request.finding_dismissed") == 1
    assert await is_proved(intake, reference)


async def test_a_claim_is_not_declined_while_a_doubt_is_open(intake: Intake) -> None:
    reference = (await intake.submit(**GIGANTIC))["reference"]
    assert (await intake.move(reference, "stage", stage="assessment")).status_code == 200
    refused = await intake.move(reference, "close", outcome="declined", reason="not_proved")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:punctual:problem:doubt_open")
    assert refused.json()["errors"] == [{"field": "outcome", "message": "allowed: withdrawn"}]


async def test_it_can_be_withdrawn_in_doubt_and_be_judged_later(intake: Intake) -> None:
    reference = (await intake.submit(**GIGANTIC))["reference"]
    assert (await intake.move(reference, "close", outcome="withdrawn")).status_code == 200
    assert (await everything(intake))[reference]["state"] == "closed"
    for rule in ("amount_is_not_gigantic", "currency_has_three_letters"):
        assert (await judged(intake, reference, "confirm", rule)).status_code == 200
    assert reference not in await everything(intake)
    assert await is_proved(intake, reference)


async def test_only_staff_judge_and_see_the_quarantine(intake: Intake) -> None:
    reference = (await intake.submit(**GIGANTIC))["reference"]
    body = {"rule": "amount_is_not_gigantic", "reason": "asked"}
    for verb in ("confirm", "dismiss"):
        answer = await intake.app.post(f"/v1/requests/{reference}/{verb}", json=body, headers=write())
        assert answer.status_code == 403
    for path in ("/v1/quarantine", "/v1/streams", "/v1/data-quality?from=2026-01-01T00:00Z&to=2026-02-01T00:00Z"):
        assert (await intake.app.get(path)).status_code == 403


@pytest.mark.parametrize(
    ("since", "until", "status"),
    [
        ("9999-06-01T00:00:00Z", "9999-12-01T00:00:00Z", 200),
        ("2026-11-01T00:00:00+08:00", "2026-12-01T00:00:00+08:00", 200),
        ("2026-11-01T00:00:00Z", "2027-11-02T00:00:01Z", 422),
        ("2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", 422),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 422),
    ],
)
async def test_the_error_rate_is_that_of_a_year_at_most_whichever(
    intake: Intake, since: str, until: str, status: int
) -> None:
    """The plus of an offset may stand in the address as it is, as in other lists."""
    answer = await intake.staff.get(f"/v1/data-quality?from={since}&to={until}")
    assert answer.status_code == status


async def test_the_quarantine_is_listed_oldest_first_page_by_page_and_filtered(intake: Intake) -> None:
    references = [(await intake.submit(**GIGANTIC))["reference"] for _ in range(3)]
    enquiry = await intake.submit(kind="enquiry", product_line=None, attributes={"has_photos": "yes"})
    found = await everything(intake)
    assert [each for each in found if each in references] == references
    assert found[references[0]]["doubts"][0]["about"] == ["amount"]
    assert "thousand million" in found[references[0]]["doubts"][0]["message"]
    of_kind = await everything(intake, kind="enquiry")
    assert enquiry["reference"] in of_kind
    assert not of_kind.keys() & set(references)
    of_rule = await everything(intake, rule="photos_are_true_or_false")
    assert enquiry["reference"] in of_rule
    assert not of_rule.keys() & set(references)
    assert await everything(intake, channel="nobody") == {}
    assert (await intake.staff.get("/v1/quarantine", params={"after": "x"})).status_code == 422


async def test_the_summary_counts_what_is_doubted(intake: Intake) -> None:
    before = (await intake.staff.get("/v1/summary")).json()
    await intake.submit(**GIGANTIC)
    after = (await intake.staff.get("/v1/summary")).json()
    assert after["quarantined"] == before["quarantined"] + 1
    rule = "currency_has_three_letters"
    assert after["doubts"][rule] == before["doubts"].get(rule, 0) + 1


async def test_a_likely_duplicate_names_the_request_that_came_before(
    intake: Intake, watchful: httpx.AsyncClient
) -> None:
    customer = SUBMISSION["customer"] | {"id": new_id().hex}
    first = await submitted(watchful, customer=customer, description=TEXT)
    second = await submitted(watchful, customer=customer, description=TEXT.replace("left", "gave"))
    other = await submitted(watchful, customer=customer | {"id": new_id().hex}, description=TEXT)
    assert (first["findings"], other["findings"]) == ({}, {})
    assert second["findings"] == {"likely_duplicate": "open"}
    assert second["history"][1]["data"]["duplicates"] == [first["id"]]
    assert (await everything(intake, rule="likely_duplicate"))[second["reference"]]["duplicates"] == [
        first["reference"]
    ]
    merged = await intake.staff.post(
        f"/v1/requests/{second['reference']}/merge", json={"into": first["reference"]}, headers=write()
    )
    assert (merged.status_code, merged.json()["findings"]) == (200, {"likely_duplicate": "confirmed"})
    for reference in (first["reference"], second["reference"]):
        assert await is_proved(intake, reference)


@pytest.mark.parametrize("is_older_one_merged", [False, True], ids=["later into older", "older into later"])
async def test_who_merges_a_likely_duplicate_judges_it_and_is_counted(
    intake: Intake, watchful: httpx.AsyncClient, is_older_one_merged: bool
) -> None:
    span = {"from": intake.clock.now().isoformat(), "to": (intake.clock.now() + timedelta(minutes=1)).isoformat()}

    async def counted() -> tuple[dict[str, int], dict[str, int]]:
        """By the metrics and by the API: the records and the right ones, of channel and kind."""
        names = {"records": "punctual_intake_records_total", "right": "punctual_intake_records_right_total"}
        of = {"channel": "app", "kind": "claim"}
        metrics = {name: int(REGISTRY.get_sample_value(metric, of) or 0) for name, metric in names.items()}
        rates = (await intake.staff.get("/v1/data-quality", params=span)).json()["rates"]
        found = next(r for r in rates if (r["channel"], r["kind"]) == ("app", "claim"))
        return metrics, {"records": found["records"], "right": found["records"] - found["wrong"]}

    customer = SUBMISSION["customer"] | {"id": new_id().hex}
    first, second = [await submitted(watchful, customer=customer, description=TEXT) for _ in range(2)]
    before = await counted()
    ending, going_on = (first, second) if is_older_one_merged else (second, first)
    call = f"/v1/requests/{ending['reference']}/merge", write()
    for _ in range(2):  # a repeat is not counted
        answer = await intake.staff.post(call[0], json={"into": going_on["reference"]}, headers=call[1])
        assert answer.status_code == 200
    after = await counted()
    grown = [{name: new[name] - old[name] for name in new} for old, new in zip(before, after, strict=True)]
    assert grown == [{"records": 1, "right": 0}] * 2


async def test_a_later_request_that_absorbed_what_it_was_likely_a_duplicate_of_can_be_decided(
    intake: Intake, watchful: httpx.AsyncClient
) -> None:
    customer = SUBMISSION["customer"] | {"id": new_id().hex}
    first, other, second = [
        await submitted(watchful, kind="enquiry", attributes={}, customer=customer, description=TEXT) for _ in range(3)
    ]
    assert set(second["history"][1]["data"]["duplicates"]) == {first["id"], other["id"]}
    findings = []
    for ending in (first, other):  # the other one may be the duplicate until it is gone, too
        answer = await intake.move(ending["reference"], "merge", into=second["reference"])
        assert answer.status_code == 200, answer.text
        findings.append((await intake.app.get(f"/v1/requests/{second['reference']}")).json()["findings"])
    assert findings == [{"likely_duplicate": "open"}, {"likely_duplicate": "confirmed"}]
    assert (await intake.move(second["reference"], "stage", stage="answering")).status_code == 200
    assert (await intake.move(second["reference"], "close", outcome="answered")).status_code == 200
    assert await is_proved(intake, second["reference"])


async def test_duplicates_of_one_group_are_found_and_a_repeat_is_none(
    intake: Intake, watchful: httpx.AsyncClient
) -> None:
    customer = SUBMISSION["customer"] | {"id": new_id().hex}
    keys = [new_id().hex for _ in range(3)]
    lines = [line(key, customer=customer, description=TEXT) for key in (keys[0], keys[0], keys[1])]
    answers = (await watchful.post("/v1/requests:batch", content=b"".join(lines), headers=NDJSON)).text.splitlines()
    assert len(answers) == 3
    assert '"replayed":true' in answers[1]
    views = [(await intake.app.get(json.loads(answer)["location"])).json() for answer in answers]
    assert views[0] == views[1]
    assert views[0]["findings"] == {}
    assert views[2]["history"][1]["data"]["duplicates"] == [views[0]["id"]]
    both = [line(key, customer=customer, description=TEXT) for key in (keys[1], keys[2])]
    answers = (await watchful.post("/v1/requests:batch", content=b"".join(both), headers=NDJSON)).text.splitlines()
    newest = (await intake.app.get(json.loads(answers[1])["location"])).json()
    assert set(newest["history"][1]["data"]["duplicates"]) == {views[0]["id"], views[2]["id"]}
    assert await is_proved(intake, newest["reference"])


async def test_many_at_once_are_compared_with_those_that_came_before(watchful: httpx.AsyncClient) -> None:
    customer = SUBMISSION["customer"] | {"id": new_id().hex}
    views = await asyncio.gather(*(submitted(watchful, customer=customer, description=TEXT) for _ in range(12)))
    ids = {view["id"] for view in views}
    doubted = [view for view in views if view["findings"]]
    assert len(doubted) == len(views) - 1
    assert all(set(view["history"][1]["data"]["duplicates"]) <= ids for view in doubted)
