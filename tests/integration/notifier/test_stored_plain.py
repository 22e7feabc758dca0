"""What was stored in plain before it was encrypted, and what the schema says of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.notifier.handlers.encrypting import encrypt_what_is_plain
from services.notifier.store.statements import STATEMENTS
from shared.postgres import Database
from tests.integration.notifier.cases import MASTER_KEYS, NOW, Case
from tests.integration.notifier.house import House
from tests.integration.notifier.searching import tables_that_show

NAME = "金絲雀小姐"
ADDRESS = "canary@customer.example"


async def store_plain(administrator: Any, house: House) -> dict[UUID, bytes]:
    """Put what is held on customers into the form it had before it was encrypted; gives each mail."""
    claims = await house.claiming.claim(1000)
    for claim in claims:
        held = claim.rendering
        await administrator.execute(
            "UPDATE rendering SET recipients = $2, message = $3, encrypted = NULL WHERE notice_id = $1",
            claim.notice_id,
            list(held.recipients),
            held.message,
        )
    await administrator.execute("UPDATE contact SET name = $1, email = $2, details = NULL", NAME, ADDRESS)
    await administrator.execute("DELETE FROM customer_key")
    return {claim.notice_id: claim.rendering.message for claim in claims}


async def test_what_was_stored_in_plain_is_encrypted_at_the_start(
    house: House, database: Database, administrator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.handlers.encrypting._BATCH", 2)
    cases = [Case(email=ADDRESS) for _ in range(5)]
    for case in cases:
        await house.hear(case.submitted(), case.contact(name=NAME), case.clock())
    mails = await store_plain(administrator, house)
    assert len(mails) == 5
    assert await tables_that_show(administrator, NAME, ADDRESS) == {"contact", "rendering"}

    await encrypt_what_is_plain(database, MASTER_KEYS)

    assert await tables_that_show(administrator, NAME, ADDRESS) == set()
    for case in cases:
        held = await house.held_on(case)
        assert (held.contact.name, held.contact.email, held.contact.version) == (NAME, ADDRESS, 1)
        assert [mail.recipients for mail in held.mails] == [(ADDRESS,)]
    await administrator.execute("UPDATE notice SET state = 'ready', phase = NULL, attend_at = clock_timestamp()")
    again = {claim.notice_id: claim.rendering.message for claim in await house.claiming.claim(1000)}
    assert again == mails


async def test_mails_to_staff_stay_as_they_are(house: House, database: Database, administrator: Any) -> None:
    case = Case()
    await house.hear(*case.breach())
    before = await administrator.fetch("SELECT * FROM rendering")
    await encrypt_what_is_plain(database, MASTER_KEYS)
    assert await administrator.fetch("SELECT * FROM rendering") == before
    assert [(row["customer_id"], row["encrypted"]) for row in before] == [(None, None)]


@pytest.mark.parametrize(
    ("statement", "index", "parameters"),
    [
        ("plain_contacts", "contact_in_plain", [200]),
        ("plain_mails", "rendering_in_plain", [200]),
        ("delete_old_mails", "notice_ended_with_mail", [NOW, 500]),
    ],
)
async def test_nothing_is_scanned_for_what_is_mostly_not_there(
    administrator: Any, statement: str, index: str, parameters: list[Any]
) -> None:
    await administrator.execute("SET enable_seqscan = off")
    await administrator.execute("SET enable_bitmapscan = off")  # cheaper only because the tables are empty here
    plan = "\n".join(row[0] for row in await administrator.fetch(f"EXPLAIN {STATEMENTS[statement].sql}", *parameters))
    assert index in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE contact SET name = 'Ann'",
        "UPDATE contact SET email = 'a@b.example'",
        "UPDATE contact SET details = NULL",
        "UPDATE contact SET is_erased = true",
        "UPDATE rendering SET message = 'x'",
        "UPDATE rendering SET recipients = '{x}'",
        "UPDATE rendering SET customer_id = NULL",
        "UPDATE rendering SET encrypted = NULL",
        "UPDATE notice SET is_mail_deleted = true",
    ],
)
async def test_the_schema_refuses_what_contradicts_itself(house: House, administrator: Any, change: str) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    with pytest.raises(asyncpg.CheckViolationError):
        await administrator.execute(change)
