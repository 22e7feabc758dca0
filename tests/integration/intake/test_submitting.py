"""Accepted means stored for good, told once, and personal data in one place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import chain, repeat

from services.intake.domain.life import replay
from services.intake.domain.visibility import EVERYTHING
from services.intake.store.lookups import find_by_reference
from shared.contracts.contacts import EncryptedContactRecorded
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import CONTACTS, REQUESTS
from shared.errors import DatabaseUnavailable
from shared.ids import new_id, new_reference, parse_reference
from shared.postgres import Connection, Database
from tests.integration.intake.front_door import START, SUBMISSION, Intake, contact_in, write


async def test_a_request_is_accepted_with_a_reference_and_where_to_follow_it(intake: Intake) -> None:
    answer = await intake.app.post("/v1/requests", json=SUBMISSION, headers=write())
    assert answer.status_code == 201
    view = answer.json()
    assert parse_reference(view["reference"]) == view["reference"]
    assert answer.headers["location"] == f"/v1/requests/{view['reference']}"
    assert view["status_url"].startswith("https://status.example/t/")
    assert (view["state"], view["stage"], view["version"]) == ("open", "received", 1)
    assert view["submitted_at"] == "2026-11-24T01:30:00Z"
    assert [entry["type"] for entry in view["history"]] == ["submitted"]
    looked_up = await intake.app.get(answer.headers["location"])
    assert looked_up.json() == view


async def test_the_submission_is_told_with_references_only(intake: Intake) -> None:
    headers = write() | {"x-correlation-id": "call-77"}
    view = (await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)).json()
    (event,) = await intake.told_about(REQUESTS, view["id"])
    assert isinstance(event.data, RequestSubmitted)
    assert (event.sequence, event.source, event.correlation_id) == (1, "/punctual/intake", "call-77")
    assert (event.occurred_at, event.recorded_at) == (START, START)
    assert event.data.attributes == {"amount": 12800, "has_photos": True, "workshop": "HK-017"}
    assert view["status_url"].endswith(event.data.status_path)
    assert event.data.customer_tier == "gold"


async def test_names_addresses_and_prose_are_on_the_contacts_topic_only(intake: Intake) -> None:
    await intake.submit(customer=SUBMISSION["customer"] | {"id": "C-private"})
    await intake.told(REQUESTS)
    everything = b"".join((record.value or b"") for record in intake.broker.log(REQUESTS.name))
    for secret in ("陳美玲", "meiling", "2345", "C-private", "後保險桿"):
        assert secret.encode() not in everything
    contacts = b"".join((record.value or b"") for record in intake.broker.log(CONTACTS.name))
    assert contacts
    for text in ("陳美玲", "C-private", "後保險桿"):
        assert text.encode() not in contacts


async def test_a_customer_is_told_of_when_new_or_changed_and_not_when_repeated(intake: Intake) -> None:
    customer = SUBMISSION["customer"] | {"id": "C-returning"}
    views = [await intake.submit(customer=customer) for _ in range(2)]
    views.append(await intake.submit(customer=customer | {"phone": None}))
    submitted = [(await intake.told_about(REQUESTS, view["id"]))[0].data for view in views]
    (customer_id,) = {data.customer_id for data in submitted if isinstance(data, RequestSubmitted)}
    contacts = await intake.told_about(CONTACTS, str(customer_id))
    assert [event.sequence for event in contacts] == [1, 2]
    told = [event.data for event in contacts if isinstance(event.data, EncryptedContactRecorded)]
    assert [data.version for data in told] == [1, 2]
    details = [contact_in(data) for data in told]
    assert [found.phone for found in details] == ["+852 2345 6789", None]
    assert {found.name for found in details} == {customer["name"]}


async def test_a_new_customer_who_submits_often_at_once_is_told_of_once(intake: Intake) -> None:
    customer = SUBMISSION["customer"] | {"id": "C-in-a-hurry"}
    views = await asyncio.gather(*(intake.submit(customer=customer) for _ in range(20)))
    (event,) = await intake.told_about(REQUESTS, views[0]["id"])
    assert isinstance(event.data, RequestSubmitted)
    assert [told.sequence for told in await intake.told_about(CONTACTS, str(event.data.customer_id))] == [1]


async def test_the_same_customer_id_at_two_channels_is_two_customers(intake: Intake) -> None:
    answers = [
        await client.post("/v1/requests", json=SUBMISSION, headers=write()) for client in (intake.app, intake.web)
    ]
    customers = set()
    for answer in answers:
        (event,) = await intake.told_about(REQUESTS, answer.json()["id"])
        assert isinstance(event.data, RequestSubmitted)
        customers.add(event.data.customer_id)
    assert len(customers) == 2


async def test_a_taken_reference_is_replaced(intake: Intake) -> None:
    taken = (await intake.submit())["reference"]
    names = chain([taken, taken], iter(new_reference, None))
    client = intake.with_context(name_request=lambda: next(names))
    answer = await client.post("/v1/requests", json=SUBMISSION, headers=write())
    assert answer.status_code == 201
    assert answer.json()["reference"] != taken


async def test_no_end_of_taken_references_is_our_failure_and_stores_nothing(intake: Intake) -> None:
    taken = (await intake.submit())["reference"]
    before = (await intake.app.get("/v1/summary")).json()["requests"]
    names = repeat(taken)
    client = intake.with_context(name_request=lambda: next(names))
    answer = await client.post("/v1/requests", json=SUBMISSION, headers=write())
    assert answer.status_code == 500
    assert (await intake.app.get("/v1/summary")).json()["requests"] == before


async def test_the_instant_may_run_ahead_of_our_clock_by_five_minutes(intake: Intake) -> None:
    for ahead, status in ((timedelta(minutes=5), 201), (timedelta(minutes=5, seconds=1), 422)):
        body = SUBMISSION | {"occurred_at": (START + ahead).isoformat()}
        answer = await intake.app.post("/v1/requests", json=body, headers=write())
        assert answer.status_code == status
        if status == 422:
            assert [error["field"] for error in answer.json()["errors"]] == ["occurred_at"]


async def test_a_request_from_before_the_year_2000_is_refused(intake: Intake) -> None:
    body = SUBMISSION | {"occurred_at": "1999-12-31T23:59:59Z"}
    answer = await intake.app.post("/v1/requests", json=body, headers=write())
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:punctual:problem:occurred_at_impossible")


async def test_nothing_is_taken_in_while_the_outbox_is_too_full(intake: Intake) -> None:
    client = intake.with_context(outbox_limit=-1, retry_after_seconds=7)
    headers = write()
    answer = await client.post("/v1/requests", json=SUBMISSION, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.json()["type"] == "urn:punctual:problem:outbox_full"
    again = await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)
    assert "idempotency-replayed" not in again.headers


class _LosesTheAnswer(Database):
    """Commits, and then the connection is gone before the client of the database hears of it."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with super().transaction() as connection:
            yield connection
        raise DatabaseUnavailable("the connection was lost after COMMIT was sent")


class _LosesTheCommit(Database):
    """The connection is gone before the commit."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with super().transaction() as connection:
            yield connection
            raise DatabaseUnavailable("the connection was lost before COMMIT was sent")


async def test_after_an_unclear_commit_the_retry_gets_the_first_answer(intake: Intake) -> None:
    client = intake.with_database(_LosesTheAnswer(intake.database._pool))
    headers = write()
    body = SUBMISSION | {"external_id": f"unclear-{new_id()}"}
    unclear = await client.post("/v1/requests", json=body, headers=headers)
    assert (unclear.status_code, unclear.headers["retry-after"]) == (503, "5")
    retry = await intake.app.post("/v1/requests", json=body, headers=headers)
    assert (retry.status_code, retry.headers["idempotency-replayed"]) == (201, "true")
    listed = (await intake.app.get("/v1/requests", params={"limit": 200})).json()["requests"]
    assert [line["reference"] for line in listed if line["external_id"] == body["external_id"]] == [
        retry.json()["reference"]
    ]
    assert len(await intake.told_about(REQUESTS, retry.json()["id"])) == 1


async def test_after_a_lost_commit_the_retry_is_the_first(intake: Intake) -> None:
    client = intake.with_database(_LosesTheCommit(intake.database._pool))
    headers = write()
    assert (await client.post("/v1/requests", json=SUBMISSION, headers=headers)).status_code == 503
    retry = await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)
    assert retry.status_code == 201
    assert "idempotency-replayed" not in retry.headers


async def test_the_stored_state_is_what_the_history_says(intake: Intake) -> None:
    reference = (await intake.submit(priority="urgent"))["reference"]
    async with intake.database.connection() as connection:
        record = await find_by_reference(connection, reference, EVERYTHING)
    assert record is not None
    assert replay(record.history) == record.life
