"""Personal data are stored encrypted, told encrypted, and gone for good once their key is destroyed."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.intake.consumer import Listener
from services.intake.domain.retention import RetentionRules
from services.intake.domain.validation.personal_names import PersonalNames
from services.intake.handlers.customer_keys import CustomerKeys
from services.intake.handlers.encrypting import PlainData
from services.intake.handlers.erasing import Erasing
from services.intake.handlers.validation import Validation
from services.intake.ticker.retention import Retention
from shared.contracts.contacts import EncryptedContactRecorded
from shared.contracts.envelope import Event, encode
from shared.contracts.notices import ContactErased
from shared.contracts.payload import RequestKind
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import CONTACTS, NOTICES, REQUESTS
from shared.encryption import ContactDetails, MasterKeys
from shared.ids import new_id
from shared.inbox import Received
from shared.kafka.records import Record
from shared.postgres import ClockCheck
from shared.telemetry.context import new_trace
from tests.integration.intake.front_door import START, SUBMISSION, Intake, contact_in, write
from tests.unit.intake.shipped import MASTER_KEYS, SECRET, new_validation

CANARIES = {
    "id": "Kanarienvogel-7781",
    "name": "Canary Wong 金絲雀",
    "email": "canary.wong@nest.example",
    "phone": "+852 6999 0001",
}
TEXTS = {"description": "canary fell off its perch", "note": "canary sings at night", "file": "canary-passport.pdf"}
EXTERNAL_ID = "Kanarienvogel-Wong"
WORDS = [*CANARIES.values(), *TEXTS.values()]


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(database_urls["admin"])
    yield connection
    await connection.close()


async def submitted(intake: Intake, **changes: Any) -> dict[str, Any]:
    """A request full of canaries, with a note and an attachment."""
    customer = SUBMISSION["customer"] | CANARIES | {"id": f"{CANARIES['id']}-{new_id().hex}"}
    view = await intake.submit(
        customer=customer, description=TEXTS["description"], external_id=f"{EXTERNAL_ID}-{new_id().hex}", **changes
    )
    assert (await intake.move(view["reference"], "note", text=TEXTS["note"])).is_success
    attached = await intake.move(
        view["reference"],
        "attachment",
        file_name=TEXTS["file"],
        location="https://archive.example/canary-1",
        document="passport",
        media_type="application/pdf",
        size=10,
        sha256="0" * 64,
    )
    assert attached.is_success, attached.text
    return view | {"customer": customer}


async def customer_of(intake: Intake, view: dict[str, Any]) -> str:
    found = await intake.staff.get("/v1/customers", params={"channel": "app", "external_id": view["customer"]["id"]})
    assert found.is_success, found.text
    customer_id: str = found.json()["customer_id"]
    return customer_id


async def close(intake: Intake, reference: str) -> None:
    closed = await intake.move(reference, "cancel", reason="submitted_by_mistake")
    assert closed.is_success, closed.text


async def erase(intake: Intake, customer_id: str, **body: Any) -> Any:
    return await intake.staff.post(
        f"/v1/customers/{customer_id}:erase", json={"reason": "asked by letter"} | body, headers=write()
    )


@pytest.mark.parametrize(
    ("body", "field"), [({"reason": "a\u0000b"}, "reason"), ({"reason": ""}, "reason"), ({"why": "asked"}, "why")]
)
async def test_a_reason_that_cannot_be_kept_is_refused_before_anything_is_erased(
    intake: Intake, body: dict[str, str], field: str
) -> None:
    view = await intake.submit()
    await intake.move(view["reference"], "cancel", reason="test")
    customer = await intake.staff.get("/v1/customers", params={"channel": "app", "external_id": "C-1"})
    answer = await erase(intake, customer.json()["customer_id"], **body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def hear_confirmation(intake: Intake, customer_id: str, messages: int = 2) -> None:
    subject = UUID(customer_id)
    trace = new_trace()
    event = Event(
        new_id(), "/punctual/notifier", subject, 1, START, START, trace.correlation_id, trace.traceparent,
        ContactErased(customer_id=subject, messages=messages),
    )  # fmt: skip
    key, value, headers = encode(event)
    async with intake.database.transaction() as connection:
        record = Record(NOTICES.name, 0, 0, key, value, headers)
        assert await Listener().handle(connection, [Received(event, record)]) == []


async def everything_stored(administrator: asyncpg.Connection[Any]) -> str:
    """Every row of every table of intake as text; bytes as hexadecimal digits and, where they are text, as that."""
    tables = await administrator.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'intake'")
    found: list[str] = []
    for (table,) in tables:
        rows = await administrator.fetch(f'SELECT * FROM intake."{table}"')
        found += [_shown(value) for row in rows for value in row.values()]
    return "\n".join(found)


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{value.hex()} {value.decode(errors='replace')} {b64encode(value).decode()}"
    return str(value)


async def test_a_customer_is_asked_for_by_what_channels_could_have_given(intake: Intake) -> None:
    for wrong, field in (({"channel": "a\x00"}, "channel"), ({"external_id": "C\x001"}, "external_id")):
        params = {"channel": "app", "external_id": "C-1"} | wrong
        answer = await intake.staff.get("/v1/customers", params=params)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"query:{field}")


async def test_nothing_personal_is_stored_or_told_as_plain_text(
    intake: Intake, administrator: asyncpg.Connection[Any]
) -> None:
    view = await submitted(intake)
    told = [record for topic in (CONTACTS, REQUESTS) for record in await _records(intake, topic.name)]
    stored = await everything_stored(administrator)
    assert view["reference"] in stored  # the search finds what is there
    for word in WORDS:
        if word != CANARIES["id"]:  # what the channel calls the customer is how they are recognised
            assert word not in stored
        assert word.encode() not in b"".join(told)


async def _records(intake: Intake, topic: str) -> list[bytes]:
    while await intake.outbox.run_once():
        pass
    return [(record.key or b"") + (record.value or b"") for record in intake.broker.log(topic)]


async def test_who_may_read_reads_all_of_it_and_is_noted(intake: Intake) -> None:
    view = await submitted(intake)
    handler = intake.person("lee", "handler")
    found = (await handler.get(f"/v1/requests/{view['reference']}/customer")).json()
    assert {name: found[name] for name in ("name", "email", "phone")} == {
        name: CANARIES[name] for name in ("name", "email", "phone")
    }
    assert (found["external_id"], found["requests"], found["erased_at"]) == (view["customer"]["id"], 1, None)
    texts = (await handler.get(f"/v1/requests/{view['reference']}/texts")).json()
    assert [(one["type"], one["text"], one["file_name"]) for one in texts] == [
        ("submitted", TEXTS["description"], None),
        ("noted", TEXTS["note"], None),
        ("attached", None, TEXTS["file"]),
    ]
    noted = (await intake.staff.get("/v1/audit", params={"reference": view["reference"]})).json()
    assert [(one["what"], one["who"]) for one in noted] == [("texts", "lee"), ("contacts", "lee")]
    assert (await intake.web.get(f"/v1/requests/{view['reference']}/customer")).status_code == 404


async def test_the_export_holds_everything_and_who_read_it(intake: Intake) -> None:
    view = await submitted(intake)
    customer_id = await customer_of(intake, view)
    await intake.staff.get(f"/v1/requests/{view['reference']}/texts")
    auditor = intake.person("ho", "auditor")
    answer = await auditor.get(f"/v1/customers/{customer_id}/export")
    exported = answer.json()
    for word in WORDS:
        assert word in json.dumps(exported, ensure_ascii=False)
    (request,) = exported["requests"]
    assert request["request"]["reference"] == view["reference"]
    assert [one["type"] for one in request["timeline"]][:2] == ["punctual.request.submitted", "punctual.request.noted"]
    assert [one["what"] for one in exported["read_by"]] == ["texts", "export"]
    assert (await intake.app.get(f"/v1/customers/{customer_id}/export")).status_code == 403
    assert (await intake.staff.get(f"/v1/customers/{new_id()}/export")).status_code == 404


async def test_an_erasure_destroys_all_of_it_and_proves_itself(
    intake: Intake, administrator: asyncpg.Connection[Any]
) -> None:
    view = await submitted(intake)
    customer_id = await customer_of(intake, view)
    backup = await administrator.fetchrow(
        "SELECT details FROM intake.customer WHERE customer_id = $1", UUID(customer_id)
    )
    refused = await erase(intake, customer_id)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:punctual:problem:requests_not_over")
    assert view["reference"] in refused.json()["detail"]
    await close(intake, view["reference"])

    answer = await erase(intake, customer_id)
    assert answer.status_code == 200, answer.text
    proof = answer.json()
    assert proof["destroyed"] == {"keys": 1, "contacts": 1, "descriptions": 1, "texts": 3, "portraits": 1}
    assert not proof["is_proved"]  # the notifier has not said anything yet
    assert [check["what"] for check in proof["checks"] if not check["holds"]] == ["notifier"]
    await hear_confirmation(intake, customer_id)
    proof = (await intake.staff.get(f"/v1/customers/{customer_id}/erasure")).json()
    assert (proof["is_proved"], proof["confirmed"]["notifier"]["messages"]) == (True, 2)
    assert (proof["asked_by"], proof["reason"]) == ("staff", "asked by letter")

    stored = await everything_stored(administrator)
    for word in WORDS:
        if word != CANARIES["id"]:  # the customers of other tests are there, under ids that begin so
            assert word not in stored
    assert view["customer"]["id"] not in stored
    assert view["external_id"] not in stored
    assert backup is not None
    assert bytes(backup["details"]).hex() not in stored
    assert not await administrator.fetchval(
        "SELECT true FROM intake.customer_key WHERE customer_id = $1", UUID(customer_id)
    )


@pytest.mark.parametrize("name", ["ID-Card", "owner_name", "driverPhone", "date_of_birth_2"])
async def test_an_erasure_is_not_proved_while_an_attribute_is_named_like_personal_data(
    intake: Intake, name: str
) -> None:
    """It came before its name was refused; histories are not edited."""
    validation = new_validation()
    before = intake.with_context(
        validation=Validation(
            replace(validation.book, personal=PersonalNames({})),
            SECRET.encode(),
            sha256="",
            loaded_at=validation.loaded_at,
        )
    )
    customer = SUBMISSION["customer"] | {"id": new_id().hex}
    body = SUBMISSION | {"customer": customer, "attributes": {"amount": 5, "product_name": "P1", name: "A123456"}}
    view = (await before.post("/v1/requests", json=body, headers=write())).json()
    customer_id = await customer_of(intake, view | {"customer": customer})
    await close(intake, view["reference"])
    proof = (await erase(intake, customer_id)).json()
    assert [check["what"] for check in proof["checks"] if not check["holds"]] == ["attributes", "notifier"]
    await hear_confirmation(intake, customer_id)
    assert not (await intake.staff.get(f"/v1/customers/{customer_id}/erasure")).json()["is_proved"]


async def test_a_repeat_says_what_it_said_and_after_an_erasure_that_it_was_taken(
    intake: Intake, administrator: asyncpg.Connection[Any]
) -> None:
    """Answers that are kept for repeats hold nothing that an erasure does not reach."""
    external_id = f"{EXTERNAL_ID}-{new_id().hex}"
    customer = SUBMISSION["customer"] | {"id": new_id().hex}
    body = SUBMISSION | {"customer": customer, "external_id": external_id}
    keys = [write() for _ in range(3)]

    async def calls() -> list[httpx.Response]:
        taken = await intake.app.post("/v1/requests", json=body, headers=keys[0])
        path = f"/v1/requests/{taken.json()['reference']}"
        return [
            taken,
            await intake.app.post(f"{path}/note", json={"text": "x"}, headers=keys[1]),
            await intake.app.post(f"{path}/cancel", json={"reason": "submitted_by_mistake"}, headers=keys[2]),
        ]

    first = await calls()
    assert [answer.json()["external_id"] for answer in first] == [external_id] * 3
    kept = await administrator.fetch(
        "SELECT body FROM intake.idempotency_key WHERE request_id = $1", UUID(first[0].json()["id"])
    )
    assert len(kept) == 3
    assert not any(external_id in row["body"] for row in kept)
    again = await calls()
    assert [answer.content for answer in again] == [answer.content for answer in first]
    await erase(intake, await customer_of(intake, {"customer": customer}))
    last = await calls()
    assert [(answer.status_code, answer.headers["idempotency-replayed"]) for answer in last] == [
        (201, "true"), (200, "true"), (200, "true"),
    ]  # fmt: skip
    assert [answer.json() for answer in last] == [answer.json() | {"external_id": None} for answer in first]


async def test_an_erasure_is_a_tombstone_behind_what_was_told(intake: Intake) -> None:
    view = await submitted(intake)
    customer_id = await customer_of(intake, view)
    await close(intake, view["reference"])
    await erase(intake, customer_id)
    while await intake.outbox.run_once():
        pass
    records = [record for record in intake.broker.log(CONTACTS.name) if record.key == customer_id.encode()]
    assert [record.value is None for record in records] == [False, True]


async def test_the_history_of_who_was_erased_proves_itself_and_shows_nobody(intake: Intake) -> None:
    view = await submitted(intake)
    customer_id, reference = await customer_of(intake, view), view["reference"]
    await close(intake, reference)
    await erase(intake, customer_id)
    assert (await intake.staff.get(f"/v1/requests/{reference}/verification")).json()["problems"] == []
    assert (await intake.app.get(f"/v1/requests/{reference}/texts")).json() == []
    found = (await intake.staff.get(f"/v1/requests/{reference}/customer")).json()
    assert (found["name"], found["email"], found["phone"], found["external_id"]) == (None, None, None, None)
    assert found["erased_at"] is not None
    for path in ("customers", "customers/x/export"):
        named = path.replace("x", customer_id)
        answer = await intake.staff.get(
            f"/v1/{named}", params={"channel": "app", "external_id": view["customer"]["id"]}
        )
        assert CANARIES["name"] not in answer.text
    page = await intake.nobody.get(f"/t/{view['status_url'].rpartition('/')[2]}")
    assert page.status_code == 200


async def test_nothing_more_is_written_about_who_was_erased(intake: Intake) -> None:
    view = await submitted(intake)
    customer_id = await customer_of(intake, view)
    await close(intake, view["reference"])
    await erase(intake, customer_id)
    refused = await intake.move(view["reference"], "note", text="he called again")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:punctual:problem:customer_erased")


async def test_no_work_begins_again_for_who_was_erased(intake: Intake) -> None:
    view = await submitted(intake)
    customer_id, reference = await customer_of(intake, view), view["reference"]
    assert (await intake.move(reference, "close", outcome="withdrawn")).is_success
    assert (await intake.move(reference, "reopen", reason="new_evidence")).is_success  # while the customer is there
    assert (await intake.move(reference, "close", outcome="withdrawn")).is_success
    version = (await intake.app.get(f"/v1/requests/{reference}")).json()["version"]
    await erase(intake, customer_id)
    for name, body in (("reopen", {"reason": "new_evidence"}), ("complain", {}), ("split", {})):
        refused = await intake.move(reference, name, **body)
        assert (name, refused.status_code, refused.json()["type"]) == (
            name, 409, "urn:punctual:problem:customer_erased",
        )  # fmt: skip
    shown = (await intake.app.get(f"/v1/requests/{reference}")).json()
    assert (shown["version"], shown["state"], shown["related"]) == (version, "closed", [])


async def test_a_repeated_erasure_is_the_first_one(intake: Intake) -> None:
    view = await submitted(intake)
    customer_id = await customer_of(intake, view)
    await close(intake, view["reference"])
    first = (await erase(intake, customer_id)).json()
    again = (await erase(intake, customer_id, reason="asked once more")).json()
    assert {name: again[name] for name in ("reason", "erased_at", "destroyed")} == {
        name: first[name] for name in ("reason", "erased_at", "destroyed")
    }
    assert (await erase(intake, str(new_id()))).status_code == 404
    assert (await intake.staff.get(f"/v1/customers/{new_id()}/erasure")).status_code == 404


async def test_who_comes_back_after_an_erasure_is_somebody_new(intake: Intake) -> None:
    view = await submitted(intake)
    customer_id = await customer_of(intake, view)
    await close(intake, view["reference"])
    await erase(intake, customer_id)
    again = await intake.submit(customer=view["customer"])
    (event,) = await intake.told_about(REQUESTS, again["id"])
    assert isinstance(event.data, RequestSubmitted)
    assert str(event.data.customer_id) != customer_id
    (told,) = await intake.told_about(CONTACTS, str(event.data.customer_id))
    assert isinstance(told.data, EncryptedContactRecorded)
    assert contact_in(told.data).name == CANARIES["name"]


async def test_retention_erases_who_was_kept_long_enough_and_nobody_else(intake: Intake) -> None:
    rules = RetentionRules(dict.fromkeys(RequestKind, timedelta(days=30)))
    over, open_one, fresh = [await submitted(intake) for _ in range(3)]
    await close(intake, over["reference"])
    customers = [await customer_of(intake, view) for view in (over, open_one, fresh)]
    intake.clock.advance(timedelta(days=29))
    await close(intake, fresh["reference"])
    ticker = Retention(intake.database, Erasing(intake.outbox, intake.clock), rules, intake.clock, ClockCheck("intake"))

    async def erased() -> list[bool]:
        while not await ticker.run_once():
            pass
        answers = [await intake.staff.get(f"/v1/customers/{one}/erasure") for one in customers]
        return [answer.is_success for answer in answers]

    assert await erased() == [False, False, False]
    intake.clock.advance(timedelta(days=1, seconds=1))
    assert await erased() == [True, False, False]
    proof = (await intake.staff.get(f"/v1/customers/{customers[0]}/erasure")).json()
    assert proof["asked_by"] == "retention"
    intake.clock.advance(timedelta(days=29))
    assert await erased() == [True, False, True]


async def test_what_was_stored_plain_is_encrypted_at_the_start_and_told_anew(
    intake: Intake, administrator: asyncpg.Connection[Any]
) -> None:
    view = await submitted(intake)
    customer_id = UUID(await customer_of(intake, view))
    request_id = UUID(view["id"])
    async with administrator.transaction():
        await administrator.execute("DELETE FROM intake.customer_key WHERE customer_id = $1", customer_id)
        await administrator.execute(
            "UPDATE intake.customer SET name = 'Ann Old', email = 'ann@old.example', details = NULL, mark = NULL"
            " WHERE customer_id = $1",
            customer_id,
        )
        await administrator.execute(
            "UPDATE intake.request SET description = 'old words', encrypted_description = NULL WHERE request_id = $1",
            request_id,
        )
        await administrator.execute(
            "UPDATE intake.request_text SET text = 'old ' || name, encrypted = NULL WHERE request_id = $1", request_id
        )
    plain = PlainData(intake.database, intake.outbox, intake.clock, MASTER_KEYS)
    assert await plain.encrypt() == 5
    assert await plain.encrypt() == 0
    found = (await intake.staff.get(f"/v1/requests/{view['reference']}/customer")).json()
    assert (found["name"], found["email"]) == ("Ann Old", "ann@old.example")
    texts = (await intake.staff.get(f"/v1/requests/{view['reference']}/texts")).json()
    assert [(one["text"], one["file_name"], one["location"]) for one in texts] == [
        ("old words", None, None),
        ("old text", None, None),
        (None, "old file_name", "old location"),
    ]
    *_, last = await intake.told_about(CONTACTS, str(customer_id))
    assert isinstance(last.data, EncryptedContactRecorded)
    assert (last.sequence, last.data.version) == (2, 2)
    assert contact_in(last.data) == ContactDetails("Ann Old", "ann@old.example", None)


async def test_without_the_master_key_nothing_is_taken_in_from_a_known_customer_and_nothing_is_lost(
    intake: Intake,
) -> None:
    view = await submitted(intake)
    other = CustomerKeys(MasterKeys("other", {"other": bytes(32)}))
    client = intake.with_context(customer_keys=other)
    refused = await client.post("/v1/requests", json=SUBMISSION | {"customer": view["customer"]}, headers=write())
    assert refused.status_code == 503
    assert (await client.get(f"/v1/requests/{view['reference']}/texts")).status_code == 503
    assert (
        await intake.app.post("/v1/requests", json=SUBMISSION | {"customer": view["customer"]}, headers=write())
    ).is_success
