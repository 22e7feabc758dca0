"""What cannot be decrypted is rejected when it never can be, and waits when it can be later."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import pytest

from services.notifier.consumer import TOPICS
from shared.contracts.contacts import EncryptedContactRecorded
from shared.contracts.envelope import encode
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestClosed
from shared.encryption import MasterKeyMissing, MasterKeys
from shared.inbox import InboxConsumer, Ownership
from shared.kafka.records import OutgoingRecord
from shared.postgres import Database
from tests.integration.notifier.cases import MASTER_KEYS, Case, received
from tests.integration.notifier.house import House, eventually
from tests.integration.notifier.relays import CatchingRelay

OTHER_KEYS = MasterKeys("other", {"other": bytes(32)})


def garbled(case: Case, **changes: str) -> Payload:
    data = case.contact().data
    assert isinstance(data, EncryptedContactRecorded)
    return data.model_copy(update=changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"details": "AAAA"},
        {"details": "AAAAA"},
        {"wrapped_key": "AAAA"},
        {"wrapped_key": b64encode(b"\x05first" + bytes(61)).decode()},
        {"wrapped_key": b64encode(b"\x05f rst" + bytes(61)).decode()},
    ],
)
async def test_a_contact_that_nobody_can_decrypt_is_rejected_without_a_word_of_it(
    house: House, changes: dict[str, str]
) -> None:
    case, other = Case(), Case()
    rejections = await house.hear(case.event(garbled(case, **changes)), other.submitted())
    assert [rejection.reason for rejection in rejections] == ["undecipherable"]
    assert changes.popitem()[1] not in rejections[0].detail
    assert await house.states() == [("received", "held")]


async def test_a_contact_under_another_key_of_the_same_name_is_rejected(house: House) -> None:
    wrong = MasterKeys("first", {"first": bytes(32)})
    (rejection,) = await house.hear(Case().contact(master_keys=wrong))
    assert (rejection.reason, "陳大文" in rejection.detail) == ("undecipherable", False)


async def test_a_contact_of_another_customer_is_rejected(house: House) -> None:
    case, other = Case(), Case()
    stolen = garbled(other).model_copy(update={"customer_id": case.customer_id})
    assert [rejection.reason for rejection in await house.hear(case.event(stolen))] == ["undecipherable"]


async def test_while_a_master_key_is_missing_nothing_is_lost_and_the_consumer_says_so(database: Database) -> None:
    house, case = House(database), Case()
    contact = case.contact(master_keys=OTHER_KEYS)
    both = MasterKeys("first", {**MASTER_KEYS.secrets, **OTHER_KEYS.secrets})

    def consumer(house: House) -> InboxConsumer:
        return InboxConsumer(
            service="notifier",
            database=database,
            subscription=broker.subscription(TOPICS, group="notifier"),
            handler=house.handler,
            ownership=Ownership(database, "notifier", "test"),
            outbox=house.outbox,
            clock=house.clock,
        )

    broker = house.broker
    for event in (contact, case.submitted(), case.clock()):
        key, value, headers = encode(event)
        await broker.append([OutgoingRecord(received(event).topic, key, value, headers)])
    blind, stopping = consumer(house), asyncio.Event()

    async def says_so() -> bool:
        return blind.trouble() == "PUNCTUAL_MASTER_KEYS holds no key named other"

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(blind.run(stopping))
        await eventually(says_so)
        stopping.set()
    assert [row["reason"] for row in await house.notices(case)] in ([], ["waiting_contact"])

    seeing = House(database, master_keys=both)
    able, stopping = consumer(seeing), asyncio.Event()

    async def is_ready() -> bool:
        return await seeing.states(case) == [("received", "ready")]

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(able.run(stopping))
        await eventually(is_ready)
        assert able.trouble() is None
        stopping.set()


async def test_a_request_of_a_customer_whose_key_cannot_be_unwrapped_is_heard_later(database: Database) -> None:
    case = Case()
    await House(database, master_keys=OTHER_KEYS).hear(case.contact(master_keys=OTHER_KEYS))
    with pytest.raises(MasterKeyMissing, match="other"):
        await House(database).hear(case.submitted())


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE contact SET details = overlay(details PLACING '\\x00' FROM 20) WHERE customer_id = $1",
        "UPDATE customer_key SET wrapped = overlay(wrapped PLACING '\\x00' FROM 20) WHERE customer_id = $1",
        "UPDATE customer_key SET wrapped = '\\x00' WHERE customer_id = $1",
    ],
)
async def test_a_damaged_contact_holds_up_no_other_and_is_replaced_by_the_next(
    house: House, administrator: Any, damage: str
) -> None:
    damaged, case = Case(), Case()
    await house.hear(damaged.submitted(), damaged.contact(version=2), case.submitted(), case.contact())
    await administrator.execute(damage, damaged.customer_id)
    await house.hear(damaged.clock(), case.clock())
    assert await house.states(case) == [("received", "ready")]
    assert (await house.notice(damaged, "received"))["reason"] == "waiting_contact"
    await house.hear(damaged.contact(version=2))
    assert await house.states(damaged) == [("received", "ready")]
    claims = await house.claiming.claim(10)
    assert {claim.request_id for claim in claims} == {damaged.request_id, case.request_id}


async def test_a_damaged_mail_holds_up_no_other(house: House, administrator: Any) -> None:
    damaged, case = Case(), Case()
    for one in (damaged, case):
        await house.hear(one.submitted(), one.contact(), one.clock())
    await administrator.execute(
        "UPDATE rendering SET encrypted = overlay(encrypted PLACING '\\x00' FROM 40) WHERE customer_id = $1",
        damaged.customer_id,
    )
    assert [claim.request_id for claim in await house.claiming.claim(10)] == [case.request_id]
    row = await house.notice(damaged, "received")
    assert (row["state"], row["reason"]) == ("held", "waiting_contact")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE rendering SET encrypted = overlay(encrypted PLACING '\\x00' FROM 40)",
        "UPDATE customer_key SET wrapped = overlay(wrapped PLACING '\\x00' FROM 20)",
    ],
)
async def test_a_damaged_mail_is_written_anew_with_the_next_event(
    database: Database, relay: CatchingRelay, administrator: Any, damage: str
) -> None:
    house, case = House(database, port=relay.port), Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await administrator.execute(damage)
    assert await house.claiming.claim(10) == []
    await house.hear(case.contact())
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    await house.send_all()
    assert await house.states(case) == [("received", "sent"), ("closed", "sent")]
    assert len(relay.mails) == 2


async def test_a_damaged_mail_that_should_go_once_more_ends_and_holds_up_no_later_one(
    database: Database, relay: CatchingRelay, administrator: Any
) -> None:
    house, case = House(database, port=relay.port, body_lease=0, in_doubt_wait=0), Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    async with house.writing():
        (claim,) = await house.claiming.claim(10)
        assert await house.journal.begin(claim)
    for _ in range(2):  # the lease, then the doubt
        assert await house.claiming.attend() == 1
    await administrator.execute("UPDATE rendering SET encrypted = overlay(encrypted PLACING '\\x00' FROM 40)")
    assert await house.claiming.claim(10) == []
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    await house.send_all()
    assert await house.states(case) == [("received", "failed"), ("closed", "sent")]
    assert (await house.notice(case, "received"))["reason"] == "in_doubt"


async def test_a_mail_that_cannot_be_decrypted_yet_holds_up_no_other(database: Database, relay: CatchingRelay) -> None:
    waiting, case = Case(email="waiting@customer.example"), Case()
    other = House(database, master_keys=OTHER_KEYS)
    await other.hear(waiting.contact(master_keys=OTHER_KEYS), waiting.submitted(), waiting.clock())
    house = House(database, port=relay.port)
    await house.hear(case.contact(), case.submitted(), case.clock())
    (claim,) = await house.claiming.claim(1) or await house.claiming.claim(1)
    assert claim.request_id == case.request_id
    row = await house.notice(waiting, "received")
    assert (row["state"], row["attempt"]) == ("ready", 0)
    async with database.connection() as connection:
        await connection.execute("UPDATE notice SET attend_at = clock_timestamp() WHERE state = 'ready'")
    (claim,) = await other.claiming.claim(1)
    assert claim.rendering.recipients == ("waiting@customer.example",)
