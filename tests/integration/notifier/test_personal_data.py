"""What is held on customers is encrypted, and gone once it is erased."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from shared.contracts.clocks import ClockBreached
from shared.contracts.contacts import EncryptedContactRecorded
from shared.contracts.envelope import Tombstone
from shared.contracts.payload import Language
from shared.contracts.requests import RequestClosed
from shared.postgres import Database
from tests.integration.notifier.cases import MASTER_KEYS, Case, received
from tests.integration.notifier.house import House
from tests.integration.notifier.relays import CatchingRelay
from tests.integration.notifier.searching import tables_that_show

NAME = "金絲雀小姐"
ADDRESS = "canary@customer.example"


async def test_nothing_personal_lies_in_any_table_in_plain(
    house: House, relay: CatchingRelay, database: Database, administrator: Any
) -> None:
    house = House(database, port=relay.port)
    case = Case(email=ADDRESS, language=Language.TRADITIONAL_CHINESE)
    await house.hear(case.submitted(), case.contact(name=NAME), case.clock(), case.clock(ClockBreached))
    await house.send_all()
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    assert ADDRESS in str(relay.mails)
    assert await tables_that_show(administrator, NAME, ADDRESS) == set()


async def test_what_came_in_plain_is_stored_encrypted_too(house: House, administrator: Any) -> None:
    case = Case()
    await house.hear(case.submitted(), case.plain_contact(), case.clock())
    assert await house.states(case) == [("received", "ready")]
    assert await tables_that_show(administrator, "陳大文", "chan@customer.example") == set()


async def test_each_customer_has_a_key_of_our_own_made_once(house: House, administrator: Any) -> None:
    case = Case()
    told = case.contact()
    await house.hear(case.submitted())
    assert await administrator.fetch("SELECT * FROM customer_key") == []
    await house.hear(told, case.clock())
    (first,) = await administrator.fetch("SELECT * FROM customer_key")
    await house.hear(case.contact(version=2))
    (second,) = await administrator.fetch("SELECT * FROM customer_key")
    assert first == second
    assert isinstance(told.data, EncryptedContactRecorded)
    assert b64encode(first["wrapped"]).decode() != told.data.wrapped_key
    assert MASTER_KEYS.unwrap(case.customer_id, first["wrapped"]).customer_id == case.customer_id


# Erasure


async def test_an_erased_customer_is_forgotten_and_it_is_said_once(house: House, administrator: Any) -> None:
    case, other = Case(), Case()
    for one in (case, other):
        await house.hear(one.submitted(), one.contact(), one.clock())
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    await house.hear(Tombstone(case.customer_id))
    row = await house.notice(case, "received")
    assert (row["state"], row["reason"]) == ("suppressed", "erased")
    (contact,) = await administrator.fetch("SELECT * FROM contact WHERE customer_id = $1", case.customer_id)
    assert (contact["details"], contact["is_erased"]) == (None, True)
    kept = "SELECT customer_id FROM customer_key UNION ALL SELECT customer_id FROM rendering"
    assert {row["customer_id"] for row in await administrator.fetch(kept)} == {other.customer_id}
    await house.hear(Tombstone(case.customer_id), Tombstone(case.customer_id))
    (said,) = [event for event in await house.said() if event["type"] == "punctual.contact.erased.v1"]
    assert (said["customer_id"], said["key"]) == (str(case.customer_id), str(case.customer_id))
    assert (said["messages"], said["sequence"]) == (2, 1)


async def test_who_was_erased_stays_so_whatever_comes(house: House, administrator: Any) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock(), Tombstone(case.customer_id))
    await house.hear(case.contact(version=1), case.contact(version=7))
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    assert (await house.notice(case, "closed"))["reason"] == "erased"
    assert await administrator.fetchval("SELECT count(*) FROM customer_key") == 0


async def test_the_erasure_of_somebody_never_heard_of_is_confirmed(house: House) -> None:
    case = Case()
    await house.hear(Tombstone(case.customer_id))
    (said,) = await house.said()
    assert (said["customer_id"], said["messages"]) == (str(case.customer_id), 0)


async def test_an_erasure_that_is_rolled_back_destroys_and_says_nothing(house: House) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock())

    async def fail() -> None:
        async with house.database.transaction() as connection:
            await house.handler.handle(connection, [received(Tombstone(case.customer_id))])
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    held = await house.held_on(case)
    assert (held.contact.name, len(held.mails), await house.said()) == ("陳大文", 1, [])


async def test_a_restored_backup_without_the_key_waits_for_the_tombstone(house: House, administrator: Any) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await administrator.execute("DELETE FROM customer_key")
    assert await house.claiming.claim(10) == []
    held = await house.held_on(case)
    assert (held.contact.name, held.mails) == (None, [])
    await house.hear(Tombstone(case.customer_id))
    assert (await house.notice(case, "received"))["reason"] == "erased"
    assert await administrator.fetchval("SELECT count(*) FROM rendering") == 0


async def test_a_contact_without_its_key_is_replaced_by_the_next(house: House, administrator: Any) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(version=2))
    await administrator.execute("DELETE FROM customer_key")
    await house.hear(case.clock())
    assert (await house.notice(case, "received"))["reason"] == "waiting_contact"
    await house.hear(case.contact(version=2))
    assert await house.states(case) == [("received", "ready")]
