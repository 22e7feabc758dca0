"""A process of the service on real Postgres, moved by hand: broker in memory, manual clock, no loops of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import services.sla_timer
from services.sla_timer.consumer import TOPICS, create_consumer
from services.sla_timer.handlers.requests import RequestHandler
from services.sla_timer.handlers.rulebooks import Rulebooks, RuleFiles
from services.sla_timer.handlers.timers import TimerHandler
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import TimerBook
from services.sla_timer.ticker.firing import Ticker
from shared.clock import ManualClock, monotonic
from shared.contracts.envelope import Event, decode, encode
from shared.contracts.payload import Language, Market, Payload, RequestKind
from shared.contracts.requests import (
    RequestClosed,
    RequestPaused,
    RequestResponded,
    RequestResumed,
    RequestSubmitted,
)
from shared.contracts.topics import CLOCKS, REQUESTS
from shared.ids import new_id, new_reference
from shared.inbox import Ownership
from shared.kafka.records import OutgoingRecord, TopicPartition
from shared.outbox import Outbox
from shared.postgres import Database
from shared.telemetry.context import new_trace
from shared.testing.broker import InMemoryBroker

DATA = Path(services.sla_timer.__file__).with_name("data")
MONDAY = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
"""Nine in the morning in Hong Kong."""

HOUR = timedelta(hours=1)


@dataclass
class Customer:
    """Intake's side of one request."""

    request_id: UUID = field(default_factory=new_id)
    reference: str = field(default_factory=new_reference)
    correlation_id: str = "corr-1"
    sequence: int = 0

    def submits(
        self,
        occurred_at: datetime = MONDAY,
        recorded_at: datetime | None = None,
        kind: RequestKind = RequestKind.CLAIM,
        **changes: Any,
    ) -> Event[Payload]:
        data = RequestSubmitted(
            **{
                "request_id": self.request_id,
                "reference": self.reference,
                "kind": kind,
                "channel": "app",
                "market": Market.HONG_KONG,
                "language": Language.ENGLISH,
                "customer_id": new_id(),
                "stage": "received",
                "status_path": "/t/x",
                **changes,
            }
        )
        return self._event(data, occurred_at, recorded_at)

    def responded(self, occurred_at: datetime, recorded_at: datetime | None = None) -> Event[Payload]:
        return self._event(RequestResponded(request_id=self.request_id), occurred_at, recorded_at)

    def paused(self, occurred_at: datetime, recorded_at: datetime | None = None) -> Event[Payload]:
        data = RequestPaused(request_id=self.request_id, reason="customer_documents")
        return self._event(data, occurred_at, recorded_at)

    def resumed(self, occurred_at: datetime, recorded_at: datetime | None = None) -> Event[Payload]:
        data = RequestResumed(request_id=self.request_id, reason="customer_documents")
        return self._event(data, occurred_at, recorded_at)

    def closed(
        self, occurred_at: datetime, recorded_at: datetime | None = None, outcome: str = "paid"
    ) -> Event[Payload]:
        return self._event(RequestClosed(request_id=self.request_id, outcome=outcome), occurred_at, recorded_at)

    def _event(self, data: Payload, occurred_at: datetime, recorded_at: datetime | None) -> Event[Payload]:
        self.sequence += 1
        trace = new_trace(self.correlation_id)
        return Event(
            id=new_id(),
            source="/punctual/intake",
            subject=self.request_id,
            sequence=self.sequence,
            occurred_at=occurred_at,
            recorded_at=recorded_at or occurred_at,
            correlation_id=trace.correlation_id,
            traceparent=trace.traceparent,
            data=data,
        )


class Desk:
    """One process. A second one on the same database and broker is another process."""

    def __init__(self, database: Database, broker: InMemoryBroker, clock: ManualClock, files: RuleFiles) -> None:
        self.database = database
        self.broker = broker
        self.clock = clock
        self.rulebooks = Rulebooks(database, clock, files)
        self.outbox = Outbox(database, broker.publisher(), "sla_timer")
        self.ownership = Ownership(database, "sla_timer", "test")
        self.subscription = broker.subscription([topic.name for topic in TOPICS], group="sla_timer")
        self.book = TimerBook(monotonic)
        self.timers = TimerHandler(self.rulebooks, clock, self.outbox)
        self.ticker = Ticker(
            database, self.timers, self.ownership, self.outbox, clock, self.book, Backlog(self._lag, monotonic), 60.0
        )
        self.handler = RequestHandler(self.rulebooks, clock, self.outbox, self.ticker.armed)
        self.consumer = create_consumer(database, self.subscription, self.handler, self.ownership, self.outbox, clock)

    async def start(self) -> None:
        await self.rulebooks.start()
        await self.subscription.start(self.consumer._on_assigned, self.consumer._on_revoked)

    async def stop(self) -> None:
        """Leave the group as a process that ends does; memory is gone, Postgres stays."""
        await self.subscription.stop()

    async def send(self, *events: Event[Payload]) -> None:
        """Put events on the topic, as intake's relay does."""
        await self.broker.append([OutgoingRecord(REQUESTS.name, *encode(event)) for event in events])

    async def consume(self) -> None:
        """Handle everything that waits."""
        while self.waiting():
            await self.consumer.run_once(asyncio.Event())

    async def deliver(self, *events: Event[Payload]) -> None:
        await self.send(*events)
        await self.consume()

    async def tick(self, now: datetime | None = None) -> int:
        """Let the ticker do everything that is due; gives the number of timers fired."""
        if now is not None:
            self.clock.set(now)
        fired = 0
        while count := await self.ticker.run_once():
            fired += count
        return fired

    def waiting(self) -> int:
        return sum(
            self.broker.end(where) - self.subscription._positions[where] for where in self.subscription._positions
        )

    async def told(self) -> list[Event[Payload]]:
        """Everything said on the clocks topic so far."""
        await self.outbox.run_once()
        events = [decode(record.key, record.value, record.headers) for record in self.broker.log(CLOCKS.name)]
        return [event for event in events if isinstance(event, Event)]

    async def words(self, customer: Customer) -> list[str]:
        """What was said about a request: the objective and the last word of the type."""
        return [
            f"{getattr(event.data, 'objective')} {event.data.TYPE.rpartition('.')[2]}"  # noqa: B009
            for event in await self.told()
            if event.subject == customer.request_id
        ]

    async def rows(self, query: str, *arguments: object) -> list[Any]:
        async with self.database.connection() as connection:
            found: list[Any] = await connection.fetch(query, *arguments)
            return found

    def _lag(self, partition: int, position: int) -> int | None:
        return self.subscription.lag(TopicPartition(REQUESTS.name, partition), position)


async def standing(desk: Desk) -> list[tuple[str, str, int]]:
    """Every standing decision as (reference and objective, kind, level)."""
    rows = await desk.rows(
        "SELECT t.reference || ' ' || c.objective AS clock, d.kind, d.level FROM decision AS d"
        " JOIN clock AS c USING (clock_id, cycle) JOIN tracked_request AS t USING (request_id)"
        " WHERE d.withdrawn_at IS NULL ORDER BY 1, d.true_at, 2, 3"
    )
    return [tuple(row) for row in rows]


def texts(words: Sequence[str], objective: str) -> list[str]:
    """The words about one objective."""
    return [word.partition(" ")[2] for word in words if word.startswith(objective)]
