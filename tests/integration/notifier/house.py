"""The notifier's parts on a real database, told what happened without Kafka."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from services.notifier.consumer import NewsHandler
from services.notifier.delivery.gate import RelayGate
from services.notifier.delivery.options import RelayOptions
from services.notifier.delivery.session import RelaySession
from services.notifier.domain.attempts import RetryPolicy
from services.notifier.domain.wording.mail import Sender
from services.notifier.handlers.claiming import Claiming
from services.notifier.handlers.holding import Held, Holding, Reader
from services.notifier.handlers.journal import Journal
from services.notifier.handlers.planning import Planner
from services.notifier.handlers.writing import Writer
from services.notifier.store.data_files import load_roles, load_wording
from services.notifier.store.listing import NoticeListing
from services.notifier.ticker.connections import Connections
from services.notifier.ticker.dispatcher import Dispatcher
from shared.clock import ManualClock, monotonic
from shared.contracts.envelope import Event, Tombstone
from shared.contracts.payload import Payload
from shared.encryption import MasterKeys
from shared.inbox import Rejection
from shared.outbox import Outbox
from shared.postgres import Database
from shared.postgres import Record as Row
from shared.testing.broker import InMemoryBroker
from shared.testing.outbox import waiting_records
from tests.integration.notifier.cases import MASTER_KEYS, NOW, Case, received

SENDER = Sender("Insurer Service", "service@insurer.example")


class House:
    """One process's worth of notifier; several may share a database."""

    def __init__(
        self,
        database: Database,
        *,
        port: int = 1,
        in_doubt_wait: float = 1800,
        claim_lease: float = 30,
        body_lease: float = 30,
        patience: float = 0.3,
        connections: int = 4,
        master_keys: MasterKeys = MASTER_KEYS,
    ) -> None:
        self.database = database
        self.clock = ManualClock(NOW)
        self.broker = InMemoryBroker()
        self.outbox = Outbox(database, self.broker.publisher(), "notifier")
        self.listing = NoticeListing(database)
        self.holding = Holding(database, self.clock, master_keys)
        self.options = RelayOptions(
            "127.0.0.1", port, "notifier.test", envelope_timeout=patience, reply_timeout=patience, mails_per_session=50
        )
        delays = [timedelta(seconds=seconds) for seconds in (0.01, 0.02)]
        policy = RetryPolicy(delays, timedelta(hours=72), timedelta(seconds=in_doubt_wait))
        lease = timedelta(seconds=claim_lease)
        self.claiming = Claiming(
            database=database,
            outbox=self.outbox,
            master_keys=master_keys,
            clock=self.clock,
            policy=policy,
            lease=lease,
        )
        self.journal = Journal(
            database=database,
            outbox=self.outbox,
            clock=self.clock,
            policy=policy,
            body_lease=timedelta(seconds=body_lease),
        )
        gate = RelayGate(delays, monotonic)
        self.dispatcher = Dispatcher(
            claiming=self.claiming,
            journal=self.journal,
            connections=Connections(
                count=connections,
                journal=self.journal,
                gate=gate,
                new_session=lambda: RelaySession(self.options),
                sender=SENDER.address,
                claim_lease=lease,
            ),
            gate=gate,
            listing=self.listing,
            poll_seconds=0.02,
        )
        roles = load_roles(None)
        writer = Writer(load_wording("https://status.insurer.example"), SENDER, roles)
        planner = Planner(
            clock=self.clock,
            outbox=self.outbox,
            master_keys=master_keys,
            roles=roles,
            writer=writer,
            wake=self.dispatcher.wake,
        )
        self.handler = NewsHandler(planner, master_keys)

    async def hear(self, *events: Event[Payload] | Tombstone) -> Sequence[Rejection]:
        """One batch in one transaction."""
        async with self.database.transaction() as connection:
            return await self.handler.handle(connection, [received(event) for event in events])

    async def notices(self, case: Case | None = None) -> list[Row]:
        """In the order they were planned."""
        async with self.database.connection() as connection:
            return list(
                await connection.fetch(
                    "SELECT * FROM notice WHERE $1::uuid IS NULL OR request_id = $1 ORDER BY number",
                    case.request_id if case else None,
                )
            )

    async def notice(self, case: Case, kind: str) -> Row:
        (found,) = [row for row in await self.notices(case) if row["kind"] == kind]
        return found

    async def states(self, case: Case | None = None) -> list[tuple[str, str]]:
        return [(row["kind"], row["state"]) for row in await self.notices(case)]

    async def said(self) -> list[dict[str, Any]]:
        """Payloads in the outbox with their type and sequence, oldest first."""
        async with self.database.connection() as connection:
            records = await waiting_records(connection)
        said = []
        for record in records:
            headers = {name: text.decode() for name, text in record.headers}
            said.append(
                {
                    **json.loads(record.value or b""),
                    "type": headers["ce_type"].removeprefix("punctual.notice."),
                    "key": (record.key or b"").decode(),
                    "sequence": int(headers["ce_sequence"]),
                    "correlation_id": headers["ce_correlationid"],
                }
            )
        return said

    async def held_on(self, case: Case) -> Held:
        """As an auditor gets it."""
        return await self.holding.of_customer(case.customer_id, Reader("Ann", "key-1", ["auditor"], "corr-42"))

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        task = asyncio.create_task(self.dispatcher.run(stopping))
        try:
            yield
        finally:
            stopping.set()
            await task

    async def send_until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with self.sending():
            await eventually(condition)

    async def send_all(self) -> None:
        """Send until every notice has ended."""

        async def is_done() -> bool:
            ends = {"sent", "failed", "suppressed", "withdrawn"}
            return all(row["state"] in ends for row in await self.notices())

        await self.send_until(is_done)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """The journal alone, for tests that make an attempt step by step."""
        task = asyncio.create_task(self.journal.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def eventually(condition: Callable[[], Awaitable[bool]], timeout_seconds: float = 20.0) -> None:
    """Ask again until it is true; what happens in Postgres gives no signal to wait for."""
    async with asyncio.timeout(timeout_seconds):
        while not await condition():
            await asyncio.sleep(0.01)
