"""Intake over ASGI on a real Postgres, with a manual clock and a broker in memory; and the calls tests make."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.intake.api.context import Context
from services.intake.handlers.acting import Acting
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.moving import Moving
from shared.clock import ManualClock
from shared.contracts.contacts import EncryptedContactRecorded
from shared.contracts.envelope import Event, decode
from shared.contracts.payload import Payload
from shared.contracts.topics import Topic
from shared.encryption import ContactDetails
from shared.http import KeyRing, hash_key
from shared.http.keys import ApiKey
from shared.ids import new_id
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.testing.broker import InMemoryBroker
from tests.access.issuing import token_of
from tests.unit.intake.shipped import MASTER_KEYS

START = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)

UNHURRIED = timedelta(minutes=1)
"""Of calls: a machine with other work to do must not fail what is not about time."""

SUBMISSION: dict[str, Any] = {
    "kind": "claim",
    "market": "HK",
    "product_line": "marine",
    "description": "後保險桿被撞",
    "attributes": {"amount": 12800, "has_photos": True, "workshop": "HK-017"},
    "customer": {
        "id": "C-1",
        "name": "陳美玲",
        "email": "meiling@example.com",
        "phone": "+852 2345 6789",
        "language": "zh-Hant",
        "tier": "gold",
    },
}


@dataclass(frozen=True)
class Intake:
    """Attributes:
    app, web: clients of two channels; staff: of a staff tool; nobody: without a key.
    """

    database: Database
    broker: InMemoryBroker
    outbox: Outbox
    clock: ManualClock
    context: Context
    connect: Callable[[Context, str | None], httpx.AsyncClient]
    call_with: Callable[[Context, str | None], httpx.AsyncClient]
    app: httpx.AsyncClient
    web: httpx.AsyncClient
    staff: httpx.AsyncClient
    nobody: httpx.AsyncClient

    async def submit(self, **changes: Any) -> dict[str, Any]:
        """A request of channel ``app``."""
        answer = await self.app.post("/v1/requests", json=SUBMISSION | changes, headers=write())
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()
        return view

    def person(self, name: str, *roles: str, teams: Collection[str] = ()) -> httpx.AsyncClient:
        """A client of a member of staff who signed in."""
        token = token_of(*roles, sub=f"subject-of-{name}", preferred_username=name, teams=list(teams))
        return self.call_with(self.context, token)

    async def move(self, reference: str, name: str, **body: Any) -> httpx.Response:
        return await self.app.post(f"/v1/requests/{reference}/{name}", json=body, headers=write())

    async def told(self, topic: Topic) -> list[Event[Payload]]:
        """Every event of the topic, after the relay has published what waits."""
        while await self.outbox.run_once():
            pass
        events = [decode(record.key, record.value, record.headers) for record in self.broker.log(topic.name)]
        return [event for event in events if isinstance(event, Event)]

    async def told_about(self, topic: Topic, subject: str) -> list[Event[Payload]]:
        return [event for event in await self.told(topic) if str(event.subject) == subject]

    def with_context(
        self, *, queue_limit: int = 4_000, queue_patience: timedelta = UNHURRIED, **changes: Any
    ) -> httpx.AsyncClient:
        """A client of channel ``app`` on a front door that differs in some settings."""
        context = replace(self.context, **changes)
        submissions = GroupCommit(
            context.database,
            context.outbox,
            customer_keys=context.customer_keys,
            key_patience=context.key_patience,
            queue_limit=queue_limit,
            queue_patience=queue_patience,
            call_patience=context.call_patience,
            validation=context.validation,
        )
        return self.connect(replace(context, submissions=submissions), "app")

    def web_with(self, **changes: Any) -> httpx.AsyncClient:
        """A client of channel ``web`` whose front door has another context."""
        return self.connect(replace(self.context, **changes), "web")

    def with_database(self, database: Database, **changes: Any) -> httpx.AsyncClient:
        """The same on another way to the database."""
        outbox = Outbox(database, self.broker.publisher(), "intake")
        of = self.context
        acting = Acting(database, of.automations, outbox, of.processes, of.customer_keys)
        moving = Moving(database, outbox, self.clock, of.processes, acting, of.customer_keys, of.validation)
        return self.with_context(database=database, outbox=outbox, moving=moving, **changes)


class Gated(Database):
    """Nothing is read and no transaction begins before the gate is open. ``begun`` is set when one is about to."""

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        await self.gate.wait()
        async with super().connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        self.begun.set()
        await self.gate.wait()
        async with super().transaction() as connection:
            yield connection


def contact_in(told: EncryptedContactRecorded) -> ContactDetails:
    """What an event says of a customer, to who has the master key."""
    key = MASTER_KEYS.unwrap(told.customer_id, b64decode(told.wrapped_key))
    return ContactDetails.decrypt(key, b64decode(told.details))


def write(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or new_id().hex}


KEYS = KeyRing(
    [
        ApiKey(name=name, role="staff" if name == "staff" else "channel", sha256=hash_key(f"key of {name}"))
        for name in ("app", "web", "staff")
    ]
)


async def until_taken(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], key: dict[str, str]
) -> httpx.Response:
    """Repeat it as a channel does; what was begun may still be on its way."""
    async with asyncio.timeout(30):
        while True:
            answer = await client.post(path, json=body, headers=key)
            if answer.status_code not in {409, 503}:
                return answer
            await asyncio.sleep(0.02)  # a refusal at the door waits for nothing, so nothing else would have its turn
