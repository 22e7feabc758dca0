"""The work on a request over HTTP: every move, what it records, what it tells, and what it keeps to itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.api.moves import MOVES
from shared.contracts import casework, requests
from shared.contracts.topics import REQUESTS
from shared.ids import new_reference
from tests.integration.intake.front_door import SUBMISSION, Intake, write

EVERY_MOVE: list[tuple[str, dict[str, Any], list[str]]] = [
    ("acknowledge", {"handler": "s-104"}, ["acknowledged"]),
    ("assign", {"team": "claims_hk", "handler": "s-104"}, ["assigned"]),
    ("stage", {"stage": "assessment", "handler": "s-104"}, ["stage_entered"]),
    ("message", {"text": "我的車什麼時候修好？"}, ["message_received"]),
    ("inform", {"handler": "s-104"}, ["customer_informed"]),
    ("note", {"text": "called the workshop", "handler": "s-104"}, ["noted"]),
    ("pause", {"reason": "customer_documents", "documents": ["receipts", "report"]}, ["paused"]),
    ("documents", {"documents": ["report"]}, ["documents_received"]),
    (
        "attachment",
        {
            "file_name": "陳美玲 收據.pdf",
            "media_type": "application/pdf",
            "size": 48_213,
            "sha256": "ab" * 32,
            "location": "s3://documents/7781/receipt.pdf",
            "document": "receipts",
        },
        ["attached", "documents_received", "resumed"],
    ),
    ("pause", {"reason": "customer_documents", "documents": ["passport"]}, ["paused"]),
    ("pause", {"reason": "customer_documents", "documents": ["passport", "photos"]}, ["paused"]),
    ("documents", {"documents": ["passport", "photos"]}, ["documents_received", "resumed"]),
    ("pause", {"reason": "third_party"}, ["paused"]),
    ("resume", {"reason": "third_party"}, ["resumed"]),
    (
        "change",
        {"reason": "called", "priority": "high", "attributes": {"amount": 99.5, "is_total_loss": True}},
        ["changed"],
    ),
    ("extend", {"objective": "resolution", "seconds": 3600, "reason": "expert", "approved_by": "s-001"}, ["extended"]),
    ("signal", {"signal": "all_there"}, ["signalled"]),
    ("control", {"control": "cover_checked", "recorded": {"cover_in_force": True}}, ["control_recorded"]),
    ("leave", {"handler": "s-104"}, ["stage_left"]),
    ("stage", {"stage": "decision"}, ["stage_entered"]),
    ("response", {"handler": "s-104"}, ["responded"]),
    ("close", {"outcome": "declined", "reason": "not_covered", "handler": "s-104"}, ["closed"]),
    ("feedback", {"score": 2, "text": "too slow"}, ["feedback_given"]),
    ("reopen", {"reason": "new_evidence"}, ["reopened", "stage_entered"]),
    ("cancel", {"reason": "submitted_by_mistake"}, ["cancelled"]),
]


async def test_every_move_is_recorded_told_and_proved(intake: Intake) -> None:
    assert {verb for verb, _, _ in EVERY_MOVE} == {verb for verb, _, _ in MOVES}
    view = await intake.submit(product_line="motor")
    assert (view["process"], view["process_version"]) == ("claim_motor", 1)
    reference, types = view["reference"], ["submitted"]
    for verb, body, expected in EVERY_MOVE:
        intake.clock.advance(timedelta(minutes=1))
        client = intake.staff if verb == "extend" else intake.app
        answer = await client.post(f"/v1/requests/{reference}/{verb}", json=body, headers=write())
        assert answer.status_code == 200, (verb, answer.text)
        types += expected
    view = answer.json()
    assert [entry["type"] for entry in view["history"]] == types
    assert [entry["cause"] for entry in view["history"] if entry["type"] == "resumed"] == ["entry:10", "entry:15", None]
    assert (view["state"], view["reason"], view["cycle"], view["score"]) == (
        "cancelled",
        "submitted_by_mistake",
        2,
        None,
    )
    assert (view["team"], view["handler"], view["priority"]) == ("claims_hk", "s-104", "high")
    assert view["attributes"] == {
        "amount": 99.5, "is_total_loss": True, "has_photos": True, "workshop": "HK-017",
    }  # fmt: skip
    events = await intake.told_about(REQUESTS, view["id"])
    assert [event.sequence for event in events] == list(range(1, len(types) + 1))
    assert [event.data.TYPE.removeprefix("punctual.request.") for event in events] == types
    changed = next(event.data for event in events if isinstance(event.data, requests.RequestChanged))
    assert (changed.priority, changed.attributes) == ("high", {"amount": 99.5, "is_total_loss": True})
    control = next(event.data for event in events if isinstance(event.data, casework.RequestControlRecorded))
    assert (control.stage, control.control, control.recorded) == (
        "assessment",
        "cover_checked",
        {"cover_in_force": True},
    )
    verdict = (await intake.staff.get(f"/v1/requests/{reference}/verification")).json()
    assert verdict == {"reference": reference, "entries": len(types), "unproved": 0, "problems": []}


async def test_what_people_wrote_is_kept_and_told_to_nobody(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    written = {"message": "請回電給陳美玲", "note": "seems angry"}
    for verb, text in written.items():
        assert (await intake.move(reference, verb, text=text)).status_code == 200
    attachment = EVERY_MOVE[8][1]
    await intake.move(reference, "attachment", **attachment)
    told = " ".join(str(event) for event in await intake.told(REQUESTS))
    shown = (await intake.app.get(f"/v1/requests/{reference}")).text
    described = SUBMISSION["description"]
    for text in (described, *written.values(), attachment["file_name"], attachment["location"]):
        assert text not in told
        assert text not in shown
    of_the_house = (await intake.staff.get(f"/v1/requests/{reference}/texts")).json()
    assert [found["text"] or found["file_name"] for found in of_the_house] == [
        described,
        *written.values(),
        attachment["file_name"],
    ]
    of_the_channel = (await intake.app.get(f"/v1/requests/{reference}/texts")).json()
    assert [found["type"] for found in of_the_channel] == ["submitted", "message_received", "attached"]
    assert (await intake.web.get(f"/v1/requests/{reference}/texts")).status_code == 404


async def test_a_stage_that_lacks_something_names_each_missing_thing(intake: Intake) -> None:
    view = await intake.submit(product_line="motor", attributes={})
    reference = view["reference"]
    await intake.move(reference, "stage", stage="assessment")
    answer = await intake.move(reference, "stage", stage="decision")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:punctual:problem:stage_incomplete")
    assert [error["field"] for error in answer.json()["errors"]] == ["attribute.amount", "control.cover_checked"]
    shown = (await intake.app.get(f"/v1/requests/{reference}")).json()["next"]
    assert shown["missing"] == ["attribute:amount", "control:cover_checked"]
    assert shown["controls"] == {"cover_checked": ["cover_in_force"]}
    assert shown["outcomes"]["declined"] == ["not_covered", "excluded", "below_excess", "not_proved", "fraud"]


async def test_a_move_for_an_older_version_is_refused_and_changes_nothing(intake: Intake) -> None:
    view = await intake.submit()
    reference = view["reference"]
    first = await intake.app.get(f"/v1/requests/{reference}")
    tag = first.headers["etag"]
    unchanged = await intake.app.get(f"/v1/requests/{reference}", headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    for seen in (f"W/{tag}", "*"):
        answer = await intake.app.get(f"/v1/requests/{reference}", headers={"If-None-Match": seen})
        assert answer.status_code == 304, seen
    key = write()
    moved = await intake.app.post(
        f"/v1/requests/{reference}/stage", json={"stage": "assessment"}, headers=key | {"If-Match": tag}
    )
    assert moved.status_code == 200
    assert moved.headers["etag"] != tag
    stale = await intake.app.post(
        f"/v1/requests/{reference}/close", json={"outcome": "declined"}, headers=write() | {"If-Match": tag}
    )
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:punctual:problem:changed_meanwhile")
    again = await intake.app.post(
        f"/v1/requests/{reference}/stage", json={"stage": "assessment"}, headers=key | {"If-Match": tag}
    )
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert (await intake.app.get(f"/v1/requests/{reference}", headers={"If-None-Match": tag})).status_code == 200
    for fitting in ('"2"', moved.headers["etag"], '"1", "2"', "*"):
        answer = await intake.app.post(
            f"/v1/requests/{reference}/response", json={}, headers=write() | {"If-Match": fitting}
        )
        assert answer.status_code == (200 if fitting in ('"2"', "*") else 412)


async def test_the_first_move_is_for_what_was_answered_first(intake: Intake) -> None:
    key = write()
    made = await intake.app.post("/v1/requests", json=SUBMISSION, headers=key)
    reference = made.json()["reference"]
    path = f"/v1/requests/{reference}"
    assert made.headers["etag"].startswith('"1.')
    doubted = await intake.app.post(
        "/v1/requests", json=SUBMISSION | {"attributes": {"currency": "hkd"}}, headers=write()
    )
    assert doubted.headers["etag"].startswith('"2.')
    again = await intake.app.post("/v1/requests", json=SUBMISSION, headers=key)
    assert (again.content, "etag" in again.headers) == (made.content, False)
    seen = write() | {"If-Match": made.headers["etag"]}
    assert (await intake.app.post(f"{path}/acknowledge", json={}, headers=seen)).status_code == 200
    for verb in ("split", "complain"):
        part = await intake.app.post(f"{path}/{verb}", json={}, headers=write())
        moved = await intake.app.post(
            f"{part.headers['location']}/acknowledge", json={}, headers=write() | {"If-Match": part.headers["etag"]}
        )
        assert moved.status_code == 200
    stale = await intake.app.post(f"{path}/response", json={}, headers=write() | {"If-Match": made.headers["etag"]})
    assert stale.status_code == 412


@pytest.mark.parametrize("tag", ["7", '"seven"', '""', '"1"; "2"', '"99999999999"'])
async def test_a_tag_that_is_none_is_named(intake: Intake, tag: str) -> None:
    reference = (await intake.submit())["reference"]
    answer = await intake.app.post(f"/v1/requests/{reference}/response", json={}, headers=write() | {"If-Match": tag})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header:If-Match")


async def test_of_many_who_saw_the_same_version_one_moves_it(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    answers = await asyncio.gather(
        *(
            intake.app.post(
                f"/v1/requests/{reference}/assign", json={"team": f"t-{n}"}, headers=write() | {"If-Match": '"1"'}
            )
            for n in range(12)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 11]


async def test_the_same_matter_goes_on_as_one(intake: Intake) -> None:
    first, second = await intake.submit(), await intake.submit()
    answer = await intake.move(second["reference"], "merge", into=first["reference"])
    assert answer.status_code == 200, answer.text
    merged = answer.json()
    assert (merged["state"], merged["related"]) == (
        "merged",
        [{"relation": "merged_into", "reference": first["reference"]}],
    )
    going_on = (await intake.app.get(f"/v1/requests/{first['reference']}")).json()
    assert going_on["related"] == [{"relation": "absorbed", "reference": second["reference"]}]
    assert [event.data.TYPE for event in await intake.told_about(REQUESTS, first["id"])][
        -1
    ] == "punctual.request.absorbed"
    last = (await intake.told_about(REQUESTS, second["id"]))[-1].data
    assert last == requests.RequestMerged(request_id=second["id"], into_request_id=first["id"])
    third = await intake.submit()
    nothing_goes_on = await intake.move(third["reference"], "merge", into=second["reference"])
    problem = nothing_goes_on.json()
    assert (nothing_goes_on.status_code, problem["type"]) == (409, "urn:punctual:problem:request_over")
    assert problem["errors"] == [{"field": "into", "message": "allowed: a request that is not over"}]
    assert f"{second['reference']}, which it would be merged into, is over: merged into another" in problem["detail"]
    assert (await intake.app.get(f"/v1/requests/{third['reference']}")).json() == third
    is_over = await intake.move(second["reference"], "merge", into=third["reference"])
    assert is_over.json()["errors"][0]["field"] == "path:move"
    for path, into, status in (
        (second["reference"], first["reference"], 409),  # it is over
        (first["reference"], first["reference"], 409),
        (first["reference"], new_reference(), 404),
        (first["reference"], "ABCDE-FGHJK", 404),
    ):
        assert (await intake.move(path, "merge", into=into)).status_code == status
    path = f"/v1/requests/{first['reference']}/merge"
    foreign = await intake.web.post(path, json={"into": second["reference"]}, headers=write())
    assert foreign.status_code == 404


async def test_merges_in_both_directions_at_once_do_not_block_each_other(intake: Intake) -> None:
    pairs = [(await intake.submit(), await intake.submit()) for _ in range(5)]
    answers = await asyncio.gather(
        *(
            intake.move(one["reference"], "merge", into=other["reference"])
            for pair in pairs
            for one, other in (pair, pair[::-1])
        )
    )
    assert sorted(answer.status_code for answer in answers) == [*[200] * 5, *[409] * 5]


async def test_a_request_follows_another_process_when_it_is_told_to(intake: Intake) -> None:
    view = await intake.submit()
    reference = view["reference"]
    leader = intake.person("lee", "team_leader")

    async def follow(process: str, version: int = 1, **body: Any) -> httpx.Response:
        body = {"process": process, "version": version, "reason": "it_is_motor", **body}
        return await leader.post(f"/v1/requests/{reference}/process", json=body, headers=write())

    refused = await follow("claim_motor")  # a new one of its line would not begin with it
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:punctual:problem:process_forbidden")
    assert refused.json()["errors"] == [{"field": "process", "message": "allowed: claim"}]
    await intake.move(reference, "change", reason="called", product_line="motor")
    jumping = await follow("claim_motor", stage="payment")
    assert (jumping.status_code, jumping.json()["type"]) == (409, "urn:punctual:problem:stage_forbidden")
    assert jumping.json()["errors"] == [{"field": "stage", "message": "allowed: received"}]
    answer = await follow("claim_motor")
    assert (answer.status_code, answer.json()["process"], answer.json()["stage"]) == (200, "claim_motor", "received")
    for process, version, status, code in (
        ("claim_motor", 1, 409, "nothing_changed"),
        ("claim_motor", 9, 404, "process_not_found"),
        ("no_such", 1, 404, "process_not_found"),
        ("enquiry", 1, 409, "process_forbidden"),
        ("claim", 1, 409, "process_forbidden"),
    ):
        refused = await follow(process, version)
        assert (refused.status_code, refused.json()["type"]) == (status, f"urn:punctual:problem:{code}")
    own_key = await intake.move(reference, "process", process="claim_motor", version=1, reason="r")
    assert own_key.status_code == 403
    last = (await intake.told_about(REQUESTS, view["id"]))[-1].data
    assert isinstance(last, casework.RequestProcessChanged)


async def test_an_attribute_of_negative_zero_is_zero_and_the_history_proves_it(intake: Intake) -> None:
    reference = (await intake.submit(attributes={"amount": -0.0, "small": 1e-300, "large": 2**53}))["reference"]
    assert (await intake.move(reference, "change", reason="r", attributes={"amount": 0.1})).status_code == 200
    verdict = (await intake.staff.get(f"/v1/requests/{reference}/verification")).json()
    assert verdict["problems"] == []


async def test_another_team_takes_a_request_from_the_person_who_had_it(intake: Intake) -> None:
    view = await intake.submit()
    reference = view["reference"]
    await intake.move(reference, "assign", team="claims_hk", handler="s-104")
    for body, whose, said in (
        ({"team": "claims_tw"}, ("claims_tw", None), {"team": "claims_tw", "handler": None}),
        ({"handler": "s-9"}, ("claims_tw", "s-9"), {"handler": "s-9"}),
        ({"handler": None}, ("claims_tw", None), {"handler": None}),
        ({"team": None}, (None, None), {"team": None}),
    ):
        shown = (await intake.move(reference, "assign", **body)).json()
        assert (shown["team"], shown["handler"]) == whose
        assert shown["history"][-1]["data"] == said
    refused = await intake.move(reference, "assign", team=None, handler=None)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:punctual:problem:nothing_changed")
    empty = await intake.move(reference, "assign")
    assert (empty.status_code, empty.json()["errors"][0]["field"]) == (422, "team")
    told = [
        e.data for e in await intake.told_about(REQUESTS, view["id"]) if isinstance(e.data, requests.RequestAssigned)
    ]
    assert [(data.team, data.handler, data.cleared) for data in told] == [
        ("claims_hk", "s-104", ()),
        ("claims_tw", None, ("handler",)),
        (None, "s-9", ()),
        (None, None, ("handler",)),
        (None, None, ("team",)),
    ]
    (verdict, shown) = [
        (await intake.staff.get(f"/v1/requests/{reference}{more}")).json() for more in ("/verification", "")
    ]
    assert (verdict["problems"], shown["team"], shown["handler"]) == ([], None, None)
