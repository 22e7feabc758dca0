"""A small service on the shared plumbing: it writes down what it handles, so that tests see what was done how often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from shared.clock import Clock, ManualClock
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestPaused
from shared.contracts.topics import REQUESTS
from shared.ids import new_id
from shared.inbox import InboxConsumer, Ownership, Received, Rejection
from shared.kafka.records import Publisher, Subscription
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.context import new_trace

SERVICE = "plumbing"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

_TABLE = """
CREATE TABLE IF NOT EXISTS plumbing.handled (
    number bigint GENERATED ALWAYS AS IDENTITY, subject uuid, sequence bigint CHECK (sequence > 0), topic text,
    replayed boolean
)
"""


async def make_handled_table(admin: Connection) -> None:
    await admin.execute(_TABLE)
    await admin.execute("GRANT ALL ON plumbing.handled TO punctual_plumbing")


def pause_event(subject: UUID, sequence: int, reason: str = "third_party") -> Event[Payload]:
    trace = new_trace()
    return Event(
        id=new_id(),
        source="/punctual/intake",
        subject=subject,
        sequence=sequence,
        occurred_at=NOW,
        recorded_at=NOW,
        correlation_id=trace.correlation_id,
        traceparent=trace.traceparent,
        data=RequestPaused(request_id=subject, reason=reason),
    )


class RecordingHandler:
    """Writes every event into ``handled``; rejects the reason ``refuse_me``; ``before`` may raise.

    Attributes:
        refused_sequence: written as a number that the table's constraint refuses.
    """

    def __init__(self) -> None:
        self.refused_sequence: int | None = None
        self.before: Callable[[Sequence[Received]], Awaitable[None]] | None = None

    async def handle(self, connection: Connection, batch: Sequence[Received]) -> Sequence[Rejection]:
        if self.before is not None:
            await self.before(batch)
        rejections = []
        for received in batch:
            event = received.event
            if not isinstance(event, Event):
                continue
            if isinstance(event.data, RequestPaused) and event.data.reason == "refuse_me":
                rejections.append(Rejection(received.record, "refused", "the test wants it so"))
                continue
            await connection.execute(
                "INSERT INTO handled (subject, sequence, topic, replayed) VALUES ($1, $2, $3, $4)",
                event.subject,
                -1 if event.sequence == self.refused_sequence else event.sequence,
                received.topic,
                received.replay_of is not None,
            )
        return rejections


class Member:
    """One process's worth of plumbing: ownership, consumer, outbox."""

    def __init__(
        self,
        database: Database,
        subscription: Subscription,
        publisher: Publisher,
        handler: RecordingHandler | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.database = database
        self.handler = handler or RecordingHandler()
        self.ownership = Ownership(database, SERVICE, "test")
        self.outbox = Outbox(database, publisher, SERVICE)
        self.consumer = InboxConsumer(
            service=SERVICE,
            database=database,
            subscription=subscription,
            handler=self.handler,
            ownership=self.ownership,
            outbox=self.outbox,
            clock=clock or ManualClock(NOW),
        )
        self.stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self.consumer.run(self.stopping))

    async def stop(self) -> None:
        self.stopping.set()
        await self.join()

    async def join(self) -> None:
        """Wait until the consumer ended; raises what ended it."""
        if self._task is not None:
            await self._task

    async def send(self, events: Sequence[Event[Payload]]) -> None:
        """Publish through the outbox, as a service would."""
        async with self.database.transaction() as connection:
            await self.outbox.append(connection, REQUESTS, events)
        while await self.outbox.run_once():
            pass


async def handled(database: Database) -> list[tuple[UUID, int]]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT subject, sequence FROM handled ORDER BY number")
    return [(row["subject"], row["sequence"]) for row in rows]


async def wait_until(condition: Callable[[], Awaitable[bool]], timeout_seconds: float = 30.0) -> None:
    """Ask again and again; events of another process give no signal to wait for.

    Raises:
        TimeoutError: it did not become true.
    """
    async with asyncio.timeout(timeout_seconds):
        while not await condition():  # noqa: ASYNC110  the condition lies in another process or a database
            await asyncio.sleep(0.02)
