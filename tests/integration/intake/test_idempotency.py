"""A key stands for one call: however often it is repeated, the call happens once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

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
