"""What the schema itself promises, and the batch form of the store."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.intake.domain.record import open_record
from services.intake.domain.submission import Contact, Submission
from services.intake.store.refusals import Unstorable
from services.intake.store.submissions import Arrival, NameClash, Taken, encrypt, insert_requests
from services.intake.ticker.keys import KeyKeeper
from shared.contracts.payload import CustomerTier, Language, Market, Priority, RequestKind
from shared.encryption import ContactDetails
from shared.ids import new_id, new_reference, new_token
from shared.postgres import ClockCheck, Connection, Database
from tests.integration.intake.front_door import START, Intake
from tests.unit.intake.shipped import CUSTOMER_KEYS

PATIENCE = timedelta(seconds=5)


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[Database]:
    database = await Database.open(database_urls["admin"], schema="intake", application_name="tests")
    yield database
    await database.close()


def arrival(customer: str, *, key: str | None = None, name: str = "Ann") -> Arrival:
    submission = Submission(
        request_id=new_id(),
        reference=new_reference(),
        status_token=new_token(),
        channel="batch",
        external_id=None,
        kind=RequestKind.ENQUIRY,
        process="enquiry",
        process_version=1,
        stage="received",
        product_line=None,
        priority=Priority.NORMAL,
        market=Market.HONG_KONG,
        customer_tier=CustomerTier.STANDARD,
        contact=Contact(customer, name, None, None, Language.ENGLISH),
        attributes={},
        description=None,
        submitted_at=START,
        recorded_at=START,
    )
    return Arrival(submission, open_record(submission).history, key or new_id().hex, bytes(32), 201, "{}")


async def insert(connection: Connection, arrivals: Sequence[Arrival]) -> Mapping[UUID, Taken]:
    subjects = [(a.submission.channel, a.submission.contact.external_id) for a in arrivals]
    keys = await CUSTOMER_KEYS.of_customers(connection, set(subjects))
    encrypted = [
        encrypt(one.submission, keys[subject].key, keys[subject].contact_version)
        for one, subject in zip(arrivals, subjects, strict=True)
    ]
    return await insert_requests(connection, arrivals, encrypted, PATIENCE)


async def test_the_history_can_be_neither_edited_nor_deleted(intake: Intake) -> None:
    await intake.submit()
    for statement in ("UPDATE request_event SET data = '{}'", "DELETE FROM request_event", "TRUNCATE request_event"):
        async with intake.database.connection() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'paid'",
        "closed_at = submitted_at",
        "closed_at = submitted_at, outcome = 'paid', pause_reasons = '{third_party}'",
        "closed_at = submitted_at - interval '1 second', outcome = 'paid'",
        "version = 0",
    ],
)
async def test_a_contradictory_row_cannot_be_stored(intake: Intake, change: str) -> None:
    await intake.submit()
    async with intake.database.connection() as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"UPDATE request SET {change}")


@pytest.mark.parametrize(
    "column",
    ["request_id", "reference", "channel", "customer_id", "market", "language", "kind", "submitted_at", "status_token",
     "external_id_hash", "unchained"],
)  # fmt: skip
async def test_what_identifies_a_request_cannot_be_changed(intake: Intake, column: str) -> None:
    await intake.submit()
    async with intake.database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"UPDATE request SET {column} = {column}")


async def test_a_kind_that_does_not_exist_cannot_be_stored(intake: Intake, administrator: Database) -> None:
    await intake.submit()
    async with administrator.connection() as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE request SET kind = 'lottery'")


async def test_a_batch_is_stored_at_once_and_each_customer_told_of_once(intake: Intake) -> None:
    older, newer, other = arrival("X-1", name="Ann"), arrival("X-1", name="Anna"), arrival("X-2")
    twice = replace(arrival("X-3"), key=other.key)
    async with intake.database.transaction() as connection:
        taken = await insert(connection, [older, newer, other, twice])
    ids = [a.submission.request_id for a in (older, newer, other, twice)]
    assert [request_id in taken for request_id in ids] == [True, True, True, False]
    assert [taken[request_id].is_contact_news for request_id in ids[:3]] == [False, True, True]
    assert taken[ids[0]].customer_id == taken[ids[1]].customer_id
    async with intake.database.connection() as connection:
        row = await connection.fetchrow("SELECT details, name FROM customer WHERE external_id = 'X-1'")
        assert row is not None
        assert ContactDetails.decrypt(taken[ids[0]].customer.key, row["details"]).name == "Anna"
        assert row["name"] is None
        assert not await connection.fetchval("SELECT true FROM customer WHERE external_id = 'X-3'")


async def test_batches_that_share_customers_and_keys_do_not_block_each_other_for_good(intake: Intake) -> None:
    keys = [new_id().hex for _ in range(40)]

    async def store(numbers: list[int]) -> int:
        batch = [arrival(f"Y-{n}", key=keys[n], name=f"Y {numbers[0]}") for n in numbers]
        async with intake.database.transaction() as connection:
            return len(await insert(connection, batch))

    orders = [list(range(40)), list(reversed(range(40)))] * 4
    assert sum(await asyncio.gather(*(store(numbers) for numbers in orders))) == 40


async def test_a_clash_of_names_spoils_the_batch_and_stores_none_of_it(intake: Intake) -> None:
    taken = (await intake.submit())["reference"]
    good, clashing = arrival("Z-1"), arrival("Z-2")
    clashing = replace(clashing, submission=replace(clashing.submission, reference=taken))
    with pytest.raises(NameClash):
        async with intake.database.transaction() as connection:
            await insert(connection, [good, clashing])
    async with intake.database.connection() as connection:
        assert not await connection.fetchval("SELECT true FROM customer WHERE external_id LIKE 'Z-%'")


@pytest.mark.parametrize("changes", [{"market": "XX"}, {"stage": None}, {"stage": "\0"}, {"process_version": "one"}])
async def test_what_postgres_says_of_a_row_it_refuses_is_not_repeated(intake: Intake, changes: dict[str, Any]) -> None:
    good = arrival("Canary-1", name="Canary-Name")
    bad = replace(good, submission=replace(good.submission, **changes))
    with pytest.raises(Unstorable) as caught:
        async with intake.database.transaction() as connection:
            await insert(connection, [bad])
    assert "Canary" not in "".join(traceback.format_exception(caught.value))


async def test_only_old_answers_are_forgotten(intake: Intake, administrator: Database) -> None:
    async with administrator.connection() as connection:
        await connection.execute("DELETE FROM idempotency_key")
    for _ in range(3):
        await intake.submit()
    async with administrator.connection() as connection:
        await connection.execute(
            "UPDATE idempotency_key SET recorded_at = recorded_at - interval '25 hours'"
            " WHERE key = (SELECT min(key) FROM idempotency_key)"
        )
    keeper = KeyKeeper(intake.database, timedelta(hours=24), ClockCheck("intake"))
    assert [await keeper.run_once(), await keeper.run_once()] == [1, 0]


async def test_the_keeper_stops_when_asked_to(intake: Intake) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(KeyKeeper(intake.database, timedelta(hours=24), ClockCheck("intake")).run(stopping))
    stopping.set()
    await asyncio.wait_for(running, 5)
