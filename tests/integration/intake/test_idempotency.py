"""A key stands for one call: however often it is repeated, the call happens once."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

from services.intake.store.answers import claim_key
from shared.ids import new_id
from tests.integration.intake.front_door import SUBMISSION, Intake, write


async def test_a_repeat_gets_the_first_answer_byte_for_byte(intake: Intake) -> None:
    headers = write()
    first = await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)
    intake.clock.advance(timedelta(hours=1))
    await intake.move(first.json()["reference"], "stage", stage="assessment")
    repeat = await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)
    assert (repeat.status_code, repeat.content) == (first.status_code, first.content)
    assert repeat.headers["location"] == first.headers["location"]
    assert repeat.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


async def test_a_repeat_of_a_move_is_the_first_answer_too_and_keeps_no_history(intake: Intake) -> None:
    other = await intake.submit()
    reference = (await intake.submit())["reference"]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("change", {"reason": "called", "attributes": {"amount": 99.5, "is_total": True, "zone": "NT", "count": 2}}),
        ("stage", {"stage": "assessment", "handler": "s-104"}),
        ("pause", {"reason": "third_party", "occurred_at": intake.clock.now().isoformat()}),
        ("split", {"kind": "enquiry"}),
        ("merge", {"into": other["reference"]}),
    ]
    headers = [write() for _ in calls]
    rounds = []
    for _ in range(2):
        answers = []
        for (verb, body), key in zip(calls, headers, strict=True):
            intake.clock.advance(timedelta(minutes=1, microseconds=7))
            answers.append(await intake.app.post(f"/v1/requests/{reference}/{verb}", json=body, headers=key))
        rounds.append([(answer.status_code, answer.content) for answer in answers])
    assert [status for status, _ in rounds[0]] == [200, 200, 200, 201, 200]
    assert rounds[0] == rounds[1]
    assert {answer.headers["idempotency-replayed"] for answer in answers} == {"true"}
    assert json.loads(rounds[0][-1][1])["history"][-1]["type"] == "merged"
    async with intake.database.connection() as connection:
        kept = await connection.fetch(
            "SELECT body FROM idempotency_key WHERE key = ANY($1)", [each["Idempotency-Key"] for each in headers]
        )
    types = {entry["type"] for row in kept for entry in json.loads(row["body"])["history"]}
    assert types == {"submitted", "split", "merged"}


async def test_a_repeat_of_a_move_says_of_other_requests_what_the_first_answer_said(intake: Intake) -> None:
    mine, other = [(await intake.submit())["reference"] for _ in range(2)]
    for reference in (mine, other):
        await intake.move(reference, "assign", team="team_a")
    handler = intake.person("chan", "handler", teams=["team_a"])
    path, key = f"/v1/requests/{mine}/merge", write()
    first = await handler.post(path, json={"into": other}, headers=key)
    await intake.move(other, "assign", team="team_b")
    repeat = await handler.post(path, json={"into": other}, headers=key)
    assert (repeat.status_code, repeat.content) == (200, first.content)
    assert first.json()["history"][-1]["data"] != {}


async def test_a_key_cannot_be_used_for_another_body_or_path(intake: Intake) -> None:
    headers = write()
    first = await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)
    reference = first.json()["reference"]
    for path, body in (
        ("/v1/requests", SUBMISSION | {"priority": "low"}),
        (f"/v1/requests/{reference}/stage", {"stage": "assessment"}),
    ):
        answer = await intake.app.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:punctual:problem:idempotency_key_reused")
    assert (await intake.app.get(f"/v1/requests/{reference}")).json()["version"] == 1


async def test_two_callers_may_use_the_same_key(intake: Intake) -> None:
    headers = write()
    answers = [
        await client.post("/v1/requests", json=SUBMISSION, headers=headers) for client in (intake.app, intake.web)
    ]
    assert len({answer.json()["reference"] for answer in answers}) == 2


async def test_50_concurrent_moves_with_one_key_are_one_move(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    headers = write()
    answers = await asyncio.gather(
        *(
            intake.app.post(f"/v1/requests/{reference}/stage", json={"stage": "assessment"}, headers=headers)
            for _ in range(50)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["version"] == 2


async def test_a_key_in_use_for_too_long_is_409_and_free_after_its_transaction_failed(intake: Intake) -> None:
    impatient = intake.with_context(key_patience=timedelta(milliseconds=50))
    view = await intake.submit()
    for path, body in (
        ("/v1/requests", SUBMISSION),
        (f"/v1/requests/{view['reference']}/stage", {"stage": "assessment"}),
    ):
        headers = write()
        async with intake.database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            key = headers["Idempotency-Key"]
            assert await claim_key(connection, "app", key, bytes(32), timedelta(seconds=1))
            answer = await impatient.post(path, json=body, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (
                409,
                "urn:punctual:problem:idempotency_key_in_flight",
            )
            assert answer.headers["retry-after"] == "5"
            await transaction.rollback()
        answer = await impatient.post(path, json=body, headers=headers)
        assert answer.is_success
        assert "idempotency-replayed" not in answer.headers


async def test_a_customer_in_use_for_too_long_is_503_and_no_matter_of_the_key(intake: Intake) -> None:
    impatient = intake.with_context(key_patience=timedelta(milliseconds=300))
    body = SUBMISSION | {"customer": SUBMISSION["customer"] | {"id": "C-hot"}}
    keys = [write() for _ in range(3)]  # the first waits for the holder, the others in the row's queue behind it
    await intake.submit(customer=body["customer"])
    async with intake.database.transaction() as connection:
        await connection.execute("SELECT FROM customer WHERE external_id = 'C-hot' FOR UPDATE")
        answers = await asyncio.gather(*(impatient.post("/v1/requests", json=body, headers=key) for key in keys))
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:punctual:problem:try_again")
        assert answer.headers["retry-after"]
    for key in keys:
        answer = await impatient.post("/v1/requests", json=body, headers=key)
        assert answer.status_code == 201
        assert "idempotency-replayed" not in answer.headers


async def test_a_customer_who_is_being_recorded_for_too_long_is_503_too(intake: Intake) -> None:
    impatient = intake.with_context(key_patience=timedelta(milliseconds=50))
    body = SUBMISSION | {"customer": SUBMISSION["customer"] | {"id": "C-new"}}
    async with intake.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO customer (customer_id, channel, external_id, name, language, market, version, given_by,"
            " recorded_at) VALUES ($1, 'app', 'C-new', 'Ann', 'en', 'HK', 1, $1, now())",
            new_id(),
        )
        answer = await impatient.post("/v1/requests", json=body, headers=write())
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:punctual:problem:try_again")


async def test_a_refused_move_does_not_use_its_key_up(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    headers = write()
    path = f"/v1/requests/{reference}/stage"
    assert (await intake.app.post(path, json={"stage": "decision"}, headers=headers)).status_code == 409
    await intake.move(reference, "stage", stage="assessment")
    assert (await intake.app.post(path, json={"stage": "decision"}, headers=headers)).status_code == 200
