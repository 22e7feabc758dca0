"""A new master key reaches what was told, not only what is stored."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from services.intake.handlers.customer_keys import CustomerKeys, Found
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.retelling import Retelling
from services.intake.store.personal.keys import Subject
from shared.contracts.contacts import EncryptedContactRecorded
from shared.contracts.topics import CONTACTS
from shared.encryption import ContactDetails, MasterKeyMissing, MasterKeys
from shared.ids import new_id
from shared.key_rotation import KeyRotation
from shared.postgres import Connection
from tests.integration.intake.front_door import SUBMISSION, Intake
from tests.unit.intake.shipped import MASTER_KEYS

SECRET = bytes(range(32, 64))
BOTH = MasterKeys("new", {"new": SECRET, **MASTER_KEYS.secrets})
NEW = MasterKeys("new", {"new": SECRET})


@pytest.fixture
async def rotation(intake: Intake, database_urls: dict[str, str]) -> KeyRotation:
    """Of a table that holds no key of another test."""
    admin = await asyncpg.connect(database_urls["admin"])
    await admin.execute("TRUNCATE intake.customer_key")
    await admin.close()
    return KeyRotation(intake.database, BOTH, "intake", Retelling(intake.outbox, intake.clock).tell)


async def submit(intake: Intake, external_id: str | None = None) -> UUID:
    external_id = external_id or new_id().hex
    await intake.submit(customer=SUBMISSION["customer"] | {"id": external_id, "name": "Canary Wong"})
    found = await intake.staff.get("/v1/customers", params={"channel": "app", "external_id": external_id})
    return UUID(found.json()["customer_id"])


async def told(intake: Intake, customer_id: UUID) -> list[EncryptedContactRecorded]:
    events = await intake.told_about(CONTACTS, str(customer_id))
    contacts = [event.data for event in events if isinstance(event.data, EncryptedContactRecorded)]
    assert [event.sequence for event in events] == [contact.version for contact in contacts]
    return contacts


async def stored(intake: Intake, customer_id: UUID) -> bytes:
    async with intake.database.connection() as connection:
        wrapped: bytes = await connection.fetchval(
            "SELECT wrapped FROM customer_key WHERE customer_id = $1", customer_id
        )
        return wrapped


async def test_a_contact_is_told_again_with_the_key_that_is_stored(intake: Intake, rotation: KeyRotation) -> None:
    customer_id = await submit(intake)
    assert await rotation.run_once() == 1
    before, after = await told(intake, customer_id)
    assert (before.version, after.version, before.details) == (1, 2, after.details)
    wrapped = b64decode(after.wrapped_key)
    assert wrapped == await stored(intake, customer_id)
    assert ContactDetails.decrypt(NEW.unwrap(customer_id, wrapped), b64decode(after.details)).name == "Canary Wong"
    assert await rotation.run_once() == 0
    assert len(await told(intake, customer_id)) == 2


async def test_a_customer_who_is_being_changed_is_left_for_the_next_round(
    intake: Intake, rotation: KeyRotation
) -> None:
    busy, free = await submit(intake), await submit(intake)
    async with intake.database.transaction() as changing:
        await changing.execute("SELECT FROM customer WHERE customer_id = $1 FOR UPDATE", busy)
        assert await rotation.run_once() == 1
        assert await rotation.run_once() == 0
    NEW.unwrap(free, await stored(intake, free))
    with pytest.raises(MasterKeyMissing):
        NEW.unwrap(busy, await stored(intake, busy))
    assert len(await told(intake, busy)) == 1
    assert await rotation.run_once() == 1
    assert [contact.version for contact in await told(intake, busy)] == [1, 2]


async def test_what_is_rolled_back_is_not_told(intake: Intake) -> None:
    customer_id = await submit(intake)

    async def fail() -> None:
        async with intake.database.transaction() as connection:
            key = BOTH.rewrap(MASTER_KEYS.unwrap(customer_id, await stored(intake, customer_id)))
            assert customer_id in await Retelling(intake.outbox, intake.clock).tell(connection, [key])
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert [contact.version for contact in await told(intake, customer_id)] == [1]


async def test_news_of_a_customer_are_never_told_with_the_key_of_before(intake: Intake, rotation: KeyRotation) -> None:
    """A submission has read the key when the master key is replaced, and stores after it."""

    class InBetween(CustomerKeys):
        async def of_customers(self, connection: Connection, subjects: Collection[Subject]) -> dict[Subject, Found]:
            found = await super().of_customers(connection, subjects)
            while await rotation.run_once():
                pass
            return found

    external_id = new_id().hex
    customer_id = await submit(intake, external_id)
    changed = SUBMISSION["customer"] | {"id": external_id, "name": "Canary Wong-Chan"}
    submissions = GroupCommit(
        intake.database, intake.outbox, customer_keys=InBetween(BOTH), key_patience=timedelta(seconds=5)
    )
    client = intake.connect(replace(intake.context, submissions=submissions), "app")
    headers = {"Idempotency-Key": new_id().hex}
    answer = await client.post("/v1/requests", json=SUBMISSION | {"customer": changed}, headers=headers)
    assert answer.status_code == 201
    *_, again, news = await told(intake, customer_id)
    assert (again.version, news.version) == (2, 3)
    key = NEW.unwrap(customer_id, b64decode(news.wrapped_key))
    assert ContactDetails.decrypt(key, b64decode(news.details)).name == "Canary Wong-Chan"
