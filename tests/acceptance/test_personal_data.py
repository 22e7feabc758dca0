"""Canaries sing in every field that people fill in. They are heard in mails only, and after an erasure not at all."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from punctual.local.system import LocalSystem
from shared.contracts.topics import CONTACTS, REQUESTS, TOPICS
from shared.ids import new_id
from shared.kafka import read_topic
from tests.acceptance.evidence import mails_of, rows_of
from tests.acceptance.journal import Channel, submission
from tests.acceptance.waiting import wait_until

NAME, EMAIL, PHONE = "金絲雀小姐 Canary", "canary.of.norwich@nest.example", "+852 9876 5432"
DESCRIPTION, NOTE, MESSAGE = "canary fell off her perch", "canary sings in minor", "canary asks for seeds"
FILE, PLACE, COMMENT = "canary-passport.pdf", "s3://nest/canary/1", "canary is content"
CANARIES = (NAME, EMAIL, PHONE, DESCRIPTION, NOTE, MESSAGE, FILE, PLACE, COMMENT)
CUSTOMER = {"id": "", "name": NAME, "email": EMAIL, "phone": PHONE, "language": "en"}


@dataclass
class Singing:
    """A request with canaries in it, and its customer."""

    reference: str
    customer_id: str


@pytest.fixture(scope="module")
def staff(system: LocalSystem) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {system.keys['staff']}"}
    with httpx.Client(base_url=system.addresses["intake"], headers=headers, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def singing(system: LocalSystem, staff: httpx.Client) -> Singing:
    channel = Channel(system.addresses["intake"], system.keys["app"])
    external_id = new_id().hex
    customer = CUSTOMER | {"id": external_id}
    answer = channel.post("/v1/requests", submission(customer=customer, description=DESCRIPTION))
    assert answer.status_code == 201, answer.text
    reference = answer.json()["reference"]
    path = f"/v1/requests/{reference}"
    attachment = {"file_name": FILE, "location": PLACE, "media_type": "application/pdf", "size": 7, "sha256": "0" * 64}
    for verb, body in (
        ("note", {"text": NOTE}),
        ("message", {"text": MESSAGE}),
        ("attachment", attachment),
        ("close", {"outcome": "withdrawn"}),
        ("feedback", {"score": 5, "text": COMMENT}),
    ):
        moved = channel.post(f"{path}/{verb}", body)
        assert moved.status_code == 200, f"{verb}: {moved.text}"
    _send_nonsense(channel, system)
    wait_until(lambda: len(_mails(system, reference)) >= 2, 30, "the confirmation and the news of the closing")
    channel.close()
    found = staff.get("/v1/customers", params={"channel": "app", "external_id": external_id})
    return Singing(reference, found.json()["customer_id"])


def _send_nonsense(channel: Channel, system: LocalSystem) -> None:
    """What is refused repeats nothing: wrong fields, wrong JSON, an event that nobody can read."""
    wrong = submission(customer=CUSTOMER | {"id": "x", "language": NAME, "market": EMAIL}, description=DESCRIPTION)
    assert channel.post("/v1/requests", wrong).status_code == 422
    assert channel.post("/v1/requests", submission(customer=NAME, kind=PHONE)).status_code == 422
    url = f"{system.addresses['intake']}/v1/requests"
    headers = {"Authorization": f"Bearer {system.keys['app']}", "Idempotency-Key": "broken"}
    assert httpx.post(url, content=f'{{"description": "{DESCRIPTION}"', headers=headers).status_code in {400, 422}

    async def send() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=system.kafka_bootstrap)
        await producer.start()
        try:
            for topic in (CONTACTS, REQUESTS):
                await producer.send_and_wait(topic.name, b"no event at all", key=str(new_id()).encode())
        finally:
            await producer.stop()

    asyncio.run(send())


def _mails(system: LocalSystem, reference: str) -> list[dict[str, Any]]:
    return [mail for mail in mails_of(system, EMAIL) if reference in str(mail["subject"]) + str(mail["text"])]


def everything(system: LocalSystem) -> dict[str, str]:
    """Where it was found -> its text: logs, metrics, every record of every topic, every row of every table."""
    found = {str(path.name): path.read_text(errors="replace") for path in sorted(system.folders.logs.iterdir())}
    for service, address in system.addresses.items():
        found[f"metrics of {service}"] = httpx.get(f"{address}/metrics", timeout=10).text
    found |= asyncio.run(_topics(system))
    found |= asyncio.run(_tables(system))
    return found


async def _topics(system: LocalSystem) -> dict[str, str]:
    found: dict[str, str] = {}
    for topic in TOPICS:
        records = [record async for record in read_topic(system.kafka_bootstrap, topic.name)]
        parts = [
            part for record in records for part in (record.key, record.value, *(text for _, text in record.headers))
        ]
        found[topic.name] = "\n".join(_shown(part) for part in parts if part is not None)
    return found


async def _tables(system: LocalSystem) -> dict[str, str]:
    connection = await asyncpg.connect(system.admin_database_url)
    found: dict[str, str] = {}
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for schema, table in tables:
            rows = await connection.fetch(f'SELECT * FROM "{schema}"."{table}"')
            found[f"{schema}.{table}"] = "\n".join(_shown(value) for row in rows for value in row.values())
    finally:
        await connection.close()
    return found


def _shown(value: Any) -> str:
    """Bytes as the text they may be; a mail has its names in Base64 or quoted."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _forms(word: str) -> set[str]:
    """As it stands, and as it would stand inside Base64 at each of the three offsets, or escaped in JSON."""
    raw = word.encode()
    inside = {b64encode(b"x" * offset + raw)[4 if offset else 0 : -4].decode() for offset in range(3)}
    return {word, word.encode("unicode_escape").decode(), *inside}


def _in_base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def sung_in(found: dict[str, str]) -> set[tuple[str, str]]:
    return {
        (word, place) for word in CANARIES for form in _forms(word) for place, text in found.items() if form in text
    }


def test_a_canary_in_any_encoding_would_be_heard() -> None:
    planted = [
        NAME,
        f"x{PHONE}x",
        b64encode(f"to: {EMAIL}, hello".encode()).decode(),
        b64encode(NOTE.encode()).decode(),
    ]
    heard = sung_in({str(number): text for number, text in enumerate(planted)})
    assert {place for _, place in heard} == {"0", "1", "2", "3"}


def test_canaries_are_heard_in_mails_and_nowhere_else(system: LocalSystem, singing: Singing) -> None:
    assert any(NAME in str(mail["text"]) for mail in _mails(system, singing.reference))
    found = everything(system)
    assert singing.reference in found["intake.request"]
    assert singing.customer_id in found["punctual.contacts"]
    assert "punctual_intake_requests_accepted_total" in found["metrics of intake"]
    assert sung_in(found) == set()


def test_an_erasure_is_proved_and_reaches_every_service(
    system: LocalSystem, singing: Singing, staff: httpx.Client
) -> None:
    path = f"/v1/customers/{singing.customer_id}"
    texts = staff.get(f"/v1/requests/{singing.reference}/texts").text
    for word in (DESCRIPTION, NOTE, MESSAGE, FILE, PLACE, COMMENT):
        assert word in texts
    erased = staff.post(f"{path}:erase", json={"reason": "a test"}, headers={"Idempotency-Key": "erase-the-canary"})
    assert erased.status_code == 200, erased.text
    wait_until(lambda: staff.get(f"{path}/erasure").json()["is_proved"], 20, "notifier's confirmation")
    assert staff.get(f"{path}/erasure").json()["confirmed"]["notifier"]["messages"] >= 2
    assert staff.get(f"/v1/requests/{singing.reference}/verification").json()["problems"] == []
    for table in ("intake.customer_key", "notifier.customer_key"):
        assert (
            rows_of(system, f"SELECT true FROM {table} WHERE customer_id = $1::text::uuid", singing.customer_id) == []
        )
    assert asyncio.run(_last_contact(system, singing.customer_id)) is None
    assert sung_in(everything(system)) == set()


async def _last_contact(system: LocalSystem, customer_id: str) -> bytes | None:
    values = [
        record.value
        async for record in read_topic(system.kafka_bootstrap, CONTACTS.name)
        if record.key == customer_id.encode()
    ]
    assert values  # compaction leaves the last one
    return values[-1]
