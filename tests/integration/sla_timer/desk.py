"""A process of the service on real Postgres, moved by hand: broker in memory, manual clock, no loops of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import services.sla_timer
from services.sla_timer.consumer import TOPICS, create_consumer
from services.sla_timer.handlers.loading import HistorySequences, Loading
from services.sla_timer.handlers.modes import Modes
from services.sla_timer.handlers.requests import RequestHandler
from services.sla_timer.handlers.rollouts import RolloutHandler
from services.sla_timer.handlers.rulebooks import Rulebooks, RuleFiles
from services.sla_timer.handlers.timers import TimerHandler
from services.sla_timer.store.shelf import Shelf
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import TimerBook
from services.sla_timer.ticker.firing import Ticker
from services.sla_timer.ticker.rollouts import Rollouts
from shared.clock import ManualClock, monotonic
from shared.contracts.envelope import Event, decode, encode
from shared.contracts.operations import ModeEntered, ModeLeft
from shared.contracts.payload import Payload
from shared.contracts.topics import CLOCKS, OPERATIONS, REQUESTS
from shared.inbox import Ownership
from shared.kafka.records import OutgoingRecord, TopicPartition
from shared.outbox import Outbox
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer

__all__ = ["DATA", "HOUR", "MONDAY", "Customer", "Desk", "standing", "texts", "timers", "wrong_counts"]

DATA = Path(services.sla_timer.__file__).with_name("data")


class Desk:
    """One process. A second one on the same database and broker is another process."""

    def __init__(
        self, database: Database, broker: InMemoryBroker, clock: ManualClock, files: RuleFiles, shelved: int = 1000
    ) -> None:
        self.database = database
        self.broker = broker
        self.clock = clock
        self.rulebooks = Rulebooks(database, clock, files)
        self.modes = Modes(database, clock)
        self.outbox = Outbox(database, broker.publisher(), "sla_timer")
        self.ownership = Ownership(database, "sla_timer", "test")
        self.subscription = broker.subscription([topic.name for topic in TOPICS], group="sla_timer")
        self.shelf = Shelf(shelved, lambda: self.ownership.epochs_of(REQUESTS.name))
        self.loading = Loading(self.shelf, self.rulebooks)
        self.book = TimerBook()
        self.timers = TimerHandler(database, self.loading, self.shelf, clock, self.outbox)
        self.ticker = Ticker(
            database, self.timers, self.ownership, clock, self.book, Backlog(self._lag, monotonic), 60.0
        )
        self.handler = RequestHandler(
            database,
            self.rulebooks,
            self.modes,
            self.loading,
            self.shelf,
            clock,
            self.outbox,
            self.ticker.armed,
            self.ownership,
        )
        self.consumer = create_consumer(
            database,
            self.subscription,
            self.handler,
            HistorySequences(self.loading),
            self.ownership,
            self.outbox,
            clock,
        )
        self.rollouts = Rollouts(
            database,
            RolloutHandler(database, self.rulebooks, self.modes, self.loading, self.shelf, clock, self.outbox),
            self.ownership,
            clock,
            self.ticker,
        )

    async def start(self) -> None:
        await self.rulebooks.start()
        await self.modes.refresh()
        await self.subscription.start(self.consumer._on_assigned, self.consumer._on_revoked)

    async def stop(self) -> None:
        """Leave the group as a process that ends does; memory is gone, Postgres stays."""
        await self.subscription.stop()

    async def send(self, *events: Event[Payload]) -> None:
        """Put events on the topic, as intake's relay does."""
        await self.broker.append(
            [
                OutgoingRecord(
                    OPERATIONS.name if isinstance(event.data, ModeEntered | ModeLeft) else REQUESTS.name, *encode(event)
                )
                for event in events
            ]
        )

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

    def forget(self) -> None:
        """Empty what is only kept in memory."""
        self.shelf._requests.clear()
        for partition in self.ownership.partitions(REQUESTS.name):
            self.book.drop(partition)

    async def roll_out(self) -> None:
        """Bring changed rules and modes to every request that has still to be told."""
        while await self.rollouts.run_once():
            pass

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


async def timers(desk: Desk) -> dict[str, int]:
    """The objectives that have a rung to come, with the generation of its timer."""
    rows = await desk.rows("SELECT objective, generation FROM clock WHERE next_at IS NOT NULL")
    return {row["objective"]: row["generation"] for row in rows}


async def wrong_counts(desk: Desk) -> list[tuple[str, ...]]:
    """Where the kept numbers of clocks are not those of the rows."""
    rows = await desk.rows(
        "SELECT partition, objective, state, k.clocks, c.clocks FROM clock_count AS k FULL JOIN"
        " (SELECT partition, objective, state, count(*) AS clocks FROM clock GROUP BY 1, 2, 3) AS c"
        " USING (partition, objective, state) WHERE coalesce(k.clocks, 0) <> coalesce(c.clocks, 0)"
    )
    return [tuple(row) for row in rows]
