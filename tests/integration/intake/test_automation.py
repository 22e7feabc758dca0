"""Rules act in the transaction of what happened, name themselves in the history, and can be tried before they act."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.intake.domain.record import RequestRecord
from services.intake.domain.visibility import EVERYTHING
from services.intake.handlers.asking import Asking
from services.intake.handlers.automations import Automations
from services.intake.store.automation import count_past, count_pasts
from services.intake.ticker.automation import Automator
from shared.contracts import casework, requests
from shared.contracts.topics import REQUESTS
from shared.errors import ConfigurationError
from shared.postgres import Connection
from tests.integration.intake.front_door import START, Intake, write
from tests.unit.intake.shipped import AUTOMATION

YAML = {"Content-Type": "text/yaml"}
CLAIM = {
    "product_line": "travel",
    "attributes": {
        "amount": 900, "policy_from": "2026-01-01", "incident_date": "2026-11-20", "policy_to": "2026-12-31",
    },
}  # fmt: skip
COVER = {"control": "cover_checked", "recorded": {"cover_in_force": True}}

AT_THE_DOOR = """\
format: "1"
rules:
  - rule: to_assessment
    when: {kind: claim, product_line: travel, stage: received, requests_before: {at_most: 0}}
    do: [{stage: next}]
"""


async def put(intake: Intake, text: str) -> Any:
    answer = await intake.staff.put("/v1/automation", content=text.encode(), params={"reason": "a test"}, headers=YAML)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(autouse=True)
async def _off_again(intake: Intake) -> AsyncIterator[None]:
    yield
    await put(intake, AUTOMATION)


async def assess(intake: Intake, reference: str) -> Any:
    """The request at the stage where the shipped rule acts, with its receipts."""
    assert (await intake.move(reference, "stage", stage="assessment")).is_success
    return (await intake.move(reference, "documents", documents=["receipts"])).json()


async def test_two_editors_do_not_undo_each_others_work_unseen(intake: Intake) -> None:
    seen = (await intake.staff.get("/v1/automation")).headers["etag"]

    async def edit(text: str) -> httpx.Response:
        return await intake.staff.put(
            "/v1/automation", content=text.encode(), params={"reason": "r"}, headers=YAML | {"If-Match": seen}
        )

    answers = await asyncio.gather(*(edit(switched_on(held_back)) for held_back in ("0.2", "0.3")))
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    lost = next(answer for answer in answers if answer.status_code == 412)
    won = next(answer for answer in answers if answer.status_code == 200)
    assert (lost.json()["type"], lost.headers["etag"]) == ("urn:punctual:problem:superseded", won.headers["etag"])
    now = await intake.staff.get("/v1/automation")
    assert (now.headers["etag"], now.json()["source"]) == (won.headers["etag"], won.json()["source"])


def switched_on(held_back: str = "0") -> str:
    return AUTOMATION.replace("on: false", "on: true").replace("held_back: 0.1", f"held_back: {held_back}")


async def test_a_small_claim_goes_straight_through_in_one_call(intake: Intake) -> None:
    await put(intake, switched_on())
    view = await intake.submit(**CLAIM, customer=_somebody("S-1"))
    answer = await assess(intake, view["reference"])
    assert (answer["state"], answer["outcome"]) == ("closed", "paid")
    made = [(entry["type"], entry["by"], entry["cause"]) for entry in answer["history"][3:]]
    assert made == [
        ("control_recorded", "automation", "rule:small_travel_claim"),
        ("stage_entered", "automation", "entry:4"),
        ("stage_entered", "automation", "entry:4"),
        ("closed", "automation", "entry:4"),
    ]
    events = await intake.told_about(REQUESTS, view["id"])
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert isinstance(events[-1].data, requests.RequestClosed)
    verdict = (await intake.staff.get(f"/v1/requests/{view['reference']}/verification")).json()
    assert verdict["problems"] == []


async def test_what_is_held_back_is_said_once_and_left_to_people(intake: Intake) -> None:
    await put(intake, switched_on(held_back="1"))
    view = await intake.submit(**CLAIM, customer=_somebody("S-2"))
    answer = await assess(intake, view["reference"])
    assert (answer["state"], answer["history"][-1]["type"]) == ("open", "held_back")
    assert answer["history"][-1]["data"] == {"rule": "small_travel_claim"}
    again = (await intake.move(view["reference"], "response")).json()
    assert [entry["type"] for entry in again["history"][4:]] == ["responded"]
    last = (await intake.told_about(REQUESTS, view["id"]))[3].data
    assert last == casework.RequestHeldBack(request_id=view["id"], rule="small_travel_claim")


async def test_the_next_stage_begins_by_itself_and_only_when_all_is_there(intake: Intake) -> None:
    await put(intake, switched_on())
    reference = (await intake.submit(product_line="motor", attributes={"amount": 50_000}))["reference"]
    await intake.move(reference, "stage", stage="assessment")
    two_ways = (await intake.move(reference, "control", **COVER)).json()
    assert two_ways["stage"] == "assessment"  # survey or decision: a person chooses
    await intake.move(reference, "stage", stage="survey")
    recorded = {"control": "damage_recorded", "recorded": {"repair_amount": 40_000}}
    assert (await intake.move(reference, "control", **recorded)).json()["stage"] == "decision"


async def test_a_customer_who_claims_often_is_left_to_people(intake: Intake) -> None:
    await put(intake, switched_on())
    often = _somebody("S-3")
    views = []
    for _ in range(4):
        intake.clock.advance(timedelta(minutes=1))
        views.append(await intake.submit(**CLAIM, customer=often))
    states = [(await assess(intake, view["reference"]))["state"] for view in views]
    assert states == ["closed", "closed", "closed", "open"]


async def test_a_rule_looks_at_a_new_request_although_nobody_touches_it(intake: Intake) -> None:
    await put(intake, AT_THE_DOOR)
    automator = Automator(intake.database, intake.context.moving)
    new = await intake.submit(product_line="travel", customer=_somebody("S-4"))
    known = await intake.submit(product_line="travel", customer=_somebody("S-4"), occurred_at=_later(intake))
    other = await intake.submit(product_line="motor", customer=_somebody("S-5"))
    assert await automator.run_once() == 2  # the third could not be meant by any rule
    assert await automator.run_once() == 0
    stages = [
        (await intake.app.get(f"/v1/requests/{view['reference']}")).json()["stage"] for view in (new, known, other)
    ]
    assert stages == ["assessment", "received", "received"]


async def test_lines_of_a_batch_are_looked_at_as_well(intake: Intake) -> None:
    await put(intake, AT_THE_DOOR)
    body = {
        "kind": "claim",
        "product_line": "travel",
        "market": "HK",
        "customer": _somebody("S-6"),
        "idempotency_key": "b",
    }
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await intake.app.post("/v1/requests:batch", content=json.dumps(body).encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert await Automator(intake.database, intake.context.moving).run_once() == 1


async def test_several_processes_look_at_each_new_request_once(intake: Intake) -> None:
    await put(intake, AT_THE_DOOR)
    views = [await intake.submit(product_line="travel", customer=_somebody(f"S-7-{n}")) for n in range(12)]
    automators = [Automator(intake.database, intake.context.moving) for _ in range(4)]
    assert sum(await asyncio.gather(*(automator.run_once() for automator in automators))) == 12
    for view in views:
        shown = (await intake.app.get(f"/v1/requests/{view['reference']}")).json()
        assert [entry["type"] for entry in shown["history"]] == ["submitted", "stage_entered"]


async def test_a_trial_says_what_rules_that_are_off_would_have_done(intake: Intake) -> None:
    await put(intake, AUTOMATION.replace("held_back: 0.1", "held_back: 0"))
    customer = _somebody("S-8")
    intake.clock.advance(timedelta(days=40))
    since = intake.clock.now().isoformat()
    for outcome in ("paid", "declined"):
        view = await intake.submit(**CLAIM, customer=customer)
        reference = view["reference"]
        await assess(intake, reference)
        if outcome == "declined":
            await intake.move(reference, "close", outcome="declined", reason="fraud")
            continue
        await intake.move(reference, "control", **COVER)
        for stage in ("decision", "payment"):
            await intake.move(reference, "stage", stage=stage)
        await intake.move(reference, "close", outcome="paid")
    body = {"submitted_from": since, "submitted_to": "9000-01-01T00:00:00Z", "limit": 1}
    found, after = [], None
    while True:
        page = (await intake.staff.post("/v1/automation:try", json=body | {"after": after})).json()
        found += [rule for rule in page["rules"] if rule["rule"] == "small_travel_claim"]
        after = page["next"]
        if after is None:
            break
    assert [(each["acted"], each["agreed"], each["disagreed"]) for each in found[:2]] == [(1, 1, 0), (1, 0, 1)]
    assert found[0]["listed"][0]["sequence"] == 3


COUNTING = """\
format: "1"
rules:
  - {rule: comes_first, on: false, when: {requests_before: {at_most: 0}}, do: [{signal: new}]}
  - {rule: rarely, on: false, when: {requests_before: {at_most: 2}}, do: [{signal: new}]}
  - {rule: complained, on: false, when: {complaints_before: {at_least: 1}}, do: [{signal: new}]}
"""


async def test_a_trial_counts_what_a_customer_had_asked_for_when_each_request_came(intake: Intake) -> None:
    ours, others = _somebody("S-9"), _somebody("S-10")
    intake.clock.advance(timedelta(days=800))
    a_year_later = timedelta(days=365)  # from the first of February after a leap year
    names: dict[str, str] = {}

    async def come(name: str, customer: Any = ours, kind: str = "claim", told_late: timedelta = timedelta(0)) -> None:
        at = intake.clock.now() - told_late
        names[(await intake.submit(kind=kind, customer=customer, occurred_at=at.isoformat()))["reference"]] = name

    await come("of long ago")
    intake.clock.advance(timedelta(minutes=1))
    await come("a year ago", kind="complaint")
    intake.clock.advance(a_year_later)
    since = intake.clock.now() - timedelta(days=10)
    await come("first")
    await come("at once")  # recorded at the same instant, too
    intake.clock.advance(timedelta(days=1))
    await come("told late", told_late=timedelta(days=10))
    await come("another's", others)
    intake.clock.advance(timedelta(days=1))
    await come("last")

    async def acted_on(limit: int) -> dict[str, list[str]]:
        body = {"source": COUNTING, "submitted_from": since.isoformat(), "submitted_to": "9000-01-01T00:00:00Z"}
        found: dict[str, list[str]] = {}
        after = None
        while True:
            page = (await intake.staff.post("/v1/automation:try", json=body | {"limit": limit, "after": after})).json()
            for rule in page["rules"]:
                found.setdefault(rule["rule"], []).extend(names[each["reference"]] for each in rule["listed"])
            after = page["next"]
            if after is None:
                return found

    expected = {
        "comes_first": ["another's"],
        "rarely": ["first", "at once", "another's"],  # before `told late` came all the others, within a year of it
        "complained": ["first", "at once", "told late"],  # then it was more than a year ago
    }
    assert await acted_on(limit=500) == await acted_on(limit=1) == expected
    async with intake.database.connection() as connection:
        rows = await connection.fetch("SELECT reference, request_id FROM request")
        ids = {names[row["reference"]]: row["request_id"] for row in rows if row["reference"] in names}
        together = await count_pasts(connection, ids.values(), EVERYTHING)
        assert {name: together[each].requests for name, each in ids.items()} == {
            "of long ago": 0, "a year ago": 1, "first": 1, "at once": 2, "told late": 4, "another's": 0, "last": 3,
        }  # fmt: skip
        assert together == {each: await count_past(connection, each) for each in together}  # as rules that act count


@pytest.mark.parametrize("days", [0, 1000])
async def test_a_customer_cannot_come_first_five_times_by_saying_when_it_happened(intake: Intake, days: int) -> None:
    await put(intake, AT_THE_DOOR)
    said = [intake.clock.now() - timedelta(days=days * number) for number in range(5)]
    claim = {"kind": "claim", "product_line": "travel", "market": "HK", "customer": _somebody(f"S-30-{days}")}
    lines = [claim | {"idempotency_key": f"{days}-{n}", "occurred_at": at.isoformat()} for n, at in enumerate(said)]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await intake.app.post("/v1/requests:batch", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    assert await Automator(intake.database, intake.context.moving).run_once() == 5
    references = [json.loads(line)["reference"] for line in answer.text.splitlines() if "reference" in line]
    stages = [(await intake.app.get(f"/v1/requests/{reference}")).json()["stage"] for reference in references]
    assert sorted(stages) == ["assessment", *["received"] * 4]


CIRCLE = """\
format: "1"
rules:
  - {rule: to_documents, when: {kind: claim, stage: assessment}, do: [{stage: documents}]}
  - {rule: to_assessment, when: {kind: claim, stage: documents}, do: [{stage: assessment}]}
  - {rule: tell, when: {kind: claim, stage: assessment}, do: [{signal: assessed}]}
"""


async def test_rules_that_lead_in_a_circle_go_round_once_a_call_and_it_is_counted(intake: Intake) -> None:
    await put(intake, CIRCLE)
    reference = (await intake.submit(**CLAIM, customer=_somebody("S-31")))["reference"]

    def stopped() -> float:
        labels = {"rule": "to_documents", "did": "stopped"}
        return REGISTRY.get_sample_value("punctual_intake_automation_total", labels) or 0.0

    before = stopped()
    moved = (await intake.move(reference, "stage", stage="assessment")).json()
    round_ = ["rule:to_documents", "rule:to_assessment", "rule:tell"]
    assert [entry["cause"] for entry in moved["history"][2:]] == round_
    assert (moved["stage"], stopped()) == ("assessment", before + 1)
    noted = (await intake.move(reference, "note", text="x")).json()
    assert [entry["cause"] for entry in noted["history"][6:]] == round_
    assert stopped() == before + 2


async def test_a_request_on_which_rules_fail_is_set_aside_and_keeps_them_from_no_other(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(intake, AT_THE_DOOR)
    views = [await intake.submit(product_line="travel", customer=_somebody(f"S-40-{n}")) for n in range(3)]
    broken = views[1]["reference"]
    moving = intake.context.moving
    look_at = moving.look_at

    async def fail(connection: Connection, reference: str, asking: Asking) -> RequestRecord:
        record = await look_at(connection, reference, asking)
        if reference == broken:
            raise ValueError("Out of range float values are not JSON compliant")
        return record

    monkeypatch.setattr(moving, "look_at", fail)
    automator = Automator(intake.database, moving)
    assert await automator.run_once() == 3
    shown = [(await intake.app.get(f"/v1/requests/{view['reference']}")).json() for view in views]
    assert [each["stage"] for each in shown] == ["assessment", "received", "assessment"]
    assert await automator.run_once() == 0
    async with intake.database.transaction() as connection:
        later = "SELECT added_at - clock_timestamp() FROM automation_task"
        assert timedelta(minutes=59) < await connection.fetchval(later) <= timedelta(hours=1)
        await connection.execute("UPDATE automation_task SET added_at = clock_timestamp()")
    monkeypatch.undo()
    assert await automator.run_once() == 1
    assert (await intake.app.get(f"/v1/requests/{broken}")).json()["stage"] == "assessment"


TO_A_TEAM = """\
format: "1"
rules:
  - rule: large_motor
    when: {kind: claim, product_line: motor, amount: {above: 100000}}
    do: [{assign: large_losses}]
"""


async def test_a_rule_gives_a_request_to_a_team(intake: Intake) -> None:
    await put(intake, TO_A_TEAM)
    large = await intake.submit(product_line="motor", attributes={"amount": 250_000}, customer=_somebody("S-11"))
    small = await intake.submit(product_line="motor", attributes={"amount": 250}, customer=_somebody("S-12"))
    assert await Automator(intake.database, intake.context.moving).run_once() == 1
    shown = (await intake.app.get(f"/v1/requests/{large['reference']}")).json()
    assert (shown["team"], shown["handler"]) == ("large_losses", None)
    entry = shown["history"][-1]
    assert (entry["type"], entry["by"], entry["cause"], entry["data"]) == (
        "assigned",
        "automation",
        "rule:large_motor",
        {"team": "large_losses"},
    )
    told = (await intake.told_about(REQUESTS, large["id"]))[-1].data
    assert told == requests.RequestAssigned(request_id=large["id"], team="large_losses")
    assert (await intake.app.get(f"/v1/requests/{small['reference']}")).json()["team"] is None
    taken = (await intake.move(large["reference"], "assign", team="claims_hk", handler="s-104")).json()
    assert (taken["team"], taken["handler"]) == (
        "claims_hk",
        "s-104",
    )  # it acts once at a stage: people may overrule it
    again = (await intake.move(large["reference"], "stage", stage="assessment")).json()
    assert (again["team"], again["handler"]) == ("large_losses", None)


async def test_rules_are_versions_and_broken_ones_change_nothing(intake: Intake) -> None:
    before = (await intake.staff.get("/v1/automation")).json()
    assert (await put(intake, AT_THE_DOOR))["version"] == before["version"] + 1
    assert (await put(intake, AT_THE_DOOR))["new"] is False
    for content in (b"format: 7", b"\xff", AT_THE_DOOR.replace("stage: next", "dance: tango").encode()):
        refused = await intake.staff.put("/v1/automation", content=content, params={"reason": "r"}, headers=YAML)
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:punctual:problem:automation_invalid")
    newest = (await intake.staff.get("/v1/automation/versions", params={"limit": 1})).json()
    assert [each["version"] for each in newest] == [before["version"] + 1]
    other = Automations(intake.database, intake.clock, AUTOMATION)
    await other.start()
    await other.follow()
    assert other.in_force.version.source == AT_THE_DOOR  # the file is no news
    logged = []
    for text in (AUTOMATION + "# newer\n", AUTOMATION):
        with capture_logs() as logs:
            await Automations(intake.database, intake.clock, text).start()
        logged.append([log["event"] for log in logs if log["log_level"] == "warning"])
    assert logged == [[], ["an older file is in force again"]]
    with pytest.raises(ConfigurationError, match=r"automation\.yml, line 1, document: rules is missing"):
        await Automations(intake.database, intake.clock, "format: 7").start()


async def test_only_staff_may_see_or_change_rules(intake: Intake) -> None:
    for call in (
        intake.app.get("/v1/automation"),
        intake.app.get("/v1/automation/versions"),
        intake.app.put("/v1/automation", content=b"x", params={"reason": "r"}, headers=YAML),
        intake.app.post(
            "/v1/automation:try", json={"submitted_from": START.isoformat(), "submitted_to": START.isoformat()}
        ),
    ):
        assert (await call).status_code == 403
    assert (await intake.staff.post("/v1/automation:try", json={}, headers=write())).status_code == 422


def _somebody(number: str) -> dict[str, str]:
    return {"id": number, "name": "Ann", "email": "ann@example.com", "language": "en"}


def _later(intake: Intake) -> str:
    return (intake.clock.now() + timedelta(seconds=30)).isoformat()
