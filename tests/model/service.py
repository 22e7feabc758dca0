"""A process of the real parts: inbox, ownership, handlers, modes, ticker and rollouts, as the service wires them.

Only what speaks SQL is replaced (`standing_in`), and Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from unittest.mock import patch
from uuid import UUID

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.domain.rules import Rulebook
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.handlers.loading import HistorySequences, Loading
from services.sla_timer.handlers.modes import Modes
from services.sla_timer.handlers.requests import RequestHandler
from services.sla_timer.handlers.rollouts import RolloutHandler
from services.sla_timer.handlers.timers import TimerHandler
from services.sla_timer.store.shelf import Shelf
from services.sla_timer.store.tracked import TrackedRequest
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import TimerBook
from services.sla_timer.ticker.firing import Ticker
from services.sla_timer.ticker.rollouts import Rollouts
from shared.clock import ManualClock
from shared.contracts.casework import RequestNoted
from shared.contracts.envelope import Event
from shared.contracts.payload import CustomerTier, Language, Market, Payload, Priority, RequestKind
from shared.contracts.requests import RequestResponded, RequestSubmitted
from shared.contracts.topics import REQUESTS
from shared.errors import DatabaseUnavailable, Fenced
from shared.inbox import Ownership, Received
from shared.inbox.sequences import sort_out
from shared.kafka import TopicPartition
from shared.kafka.records import Record
from tests.model.intake import Message
from tests.model.memory import MemoryDatabase, MemoryOutbox, MemoryRulebooks, result_of
from tests.model.store import TRACEPARENT, Crash, Store

_OWNER = "model"

Watch = Callable[[TrackedRequest, Batch, int], None]
"""Told after each thing that was done to a request, with how many decisions of the batch were there before."""


class Service:
    """One process; it may die at any time.

    Attributes:
        fault: what goes wrong at its next commit: ``before`` or ``after`` it; None: nothing.
    """

    def __init__(
        self,
        store: Store,
        rulebooks: Mapping[int, Rulebook],
        watch: Watch,
        seconds: Callable[[], float],
        now: datetime,
        ahead: timedelta,
    ) -> None:
        self._store, self._watch = store, watch
        self._clock = ManualClock(now)
        self._memory = MemoryDatabase(store)
        database, outbox = cast("Any", self._memory), cast("Any", MemoryOutbox())
        books = self._rulebooks = cast("Any", MemoryRulebooks(rulebooks))
        self._ownership = Ownership(database, "sla_timer", _OWNER)
        self._shelf = Shelf(2, lambda: self._ownership.epochs_of(REQUESTS.name))
        self._loading = Loading(self._shelf, books)
        self._modes = Modes(database, self._clock)
        result_of(self._modes.refresh())
        self._book = TimerBook()
        self._ticker = Ticker(
            database,
            TimerHandler(database, self._loading, self._shelf, self._clock, outbox),
            self._ownership,
            self._clock,
            self._book,
            Backlog(lambda partition, position: len(store.topic[partition]) - position, seconds),
            ahead.total_seconds(),
        )
        self._sequences = HistorySequences(self._loading)
        loading, shelf, clock = self._loading, self._shelf, self._clock
        self._handler = RequestHandler(
            database, books, self._modes, loading, shelf, clock, outbox, self._ticker.armed, self._ownership
        )
        self._rollouts = Rollouts(
            database,
            RolloutHandler(database, books, self._modes, loading, shelf, clock, outbox),
            self._ownership,
            self._clock,
            self._ticker,
        )
        self._reading: dict[int, int] = {}

    @property
    def now(self) -> datetime:
        return self._clock.now()

    @now.setter
    def now(self, at: datetime) -> None:
        self._clock.set(at)

    @property
    def fault(self) -> str | None:
        return self._memory.fault

    @fault.setter
    def fault(self, fault: str | None) -> None:
        self._memory.fault = fault

    @property
    def epochs(self) -> Epochs:
        return Epochs(self._ownership)

    @property
    def next_at(self) -> datetime | None:
        return self._book.next_at

    def own(self, partition: int) -> None:
        """Take a partition, whoever had it."""
        fault, self._memory.fault = self._memory.fault, None  # what befalls this is nobody's concern here
        self._reading.update(
            {where.partition: at for where, at in result_of(self._ownership.take([_where(partition)])).items()}
        )
        self._memory.fault = fault

    def case(self, request: TrackedRequest) -> Case:
        for version in self._rulebooks._versions:
            result_of(self._rulebooks.at(None, version))
        return self._loading.case(request)

    def look(self) -> None:
        """What the watch does every second or two."""
        result_of(self._rulebooks.follow())
        result_of(self._modes.refresh())

    def consume(self, partition: int, most: int) -> None:
        """One poll of one partition."""
        if partition in self.epochs:
            begin = self._reading[partition]
            records = self._store.topic[partition][begin : begin + most]
            self._guard(self._transact(partition, begin, records))

    async def _transact(self, partition: int, begin: int, messages: Sequence[Message]) -> None:
        """As the inbox does it, with messages that need not be read."""
        where = _where(partition)
        async with self._ownership.exclusive([where]), cast("Any", self._memory).transaction() as connection:
            position = (await self._ownership.check_all(connection, [where]))[where]
            reached = begin + len(messages)
            news = [(begin + n, message) for n, message in enumerate(messages) if begin + n >= position]
            received = [
                _received(partition, offset, message)
                for offset, message in news
                if message.is_replay or not message.is_dead
            ]
            dead = [message for _, message in news if message.is_dead and not message.is_replay]
            connection.writes.append(lambda: self._store.dead.extend(dead))
            if received:
                events = [one.event for one in received if isinstance(one.event, Event) and one.replay_of is None]
                sorted_out = sort_out(received, await self._sequences.load_last(connection, events))
                fresh = sorted_out.fresh
                if fresh:
                    rejections = await self._handler.handle(connection, fresh)
                    refused = {rejection.record.offset for rejection in rejections}
                    again = [message for offset, message in news if offset in refused]
                    connection.writes.append(lambda: self._store.dead.extend(again))
                await self._sequences.store_last(connection, sorted_out.last)
                for record in sorted_out.gaps:
                    self._check_gap(partition, record.offset)
            connection.positions[partition] = max(position, reached)
        self._reading[partition] = max(position, reached)

    def _check_gap(self, partition: int, offset: int) -> None:
        """Raises:
        AssertionError: a gap is told although the message before came and could be read.
        """
        topic = self._store.topic[partition]
        message = topic[offset]
        before = message.request_id, message.entry.sequence - 1
        dead = {(other.request_id, other.entry.sequence) for other in topic[:offset] if other.is_dead}
        assert before in dead, f"no gap: {message}"

    def tick(self, most: int, *, is_sweep: bool) -> int:
        """What the ticker does when it wakes; gives how many timers it looked at."""
        if is_sweep:
            self._ticker._swept_at = None
        looked: list[int] = []

        def take_due(now: datetime, _most: int) -> Any:
            entries = real(now, most)
            looked.append(len(entries))
            return entries

        real = self._book.take_due
        with patch.object(self._book, "take_due", take_due):
            self._guard(self._ticker.run_once())
            while not sum(looked) and not self._ticker._seconds_to_wait():  # something overdue is not read yet
                self._guard(self._ticker.run_once())
        return sum(looked)

    def warm(self) -> None:
        self._guard(self._ticker.warm())

    def roll_out(self, _partition: int, count: int) -> None:
        """Tell the next requests of every partition of the earliest change."""
        with patch("services.sla_timer.handlers.rollouts._AT_ONCE", count):
            self._guard(self._rollouts.run_once())

    def _guard(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Raises:
        Crash: the database was not there.
        """
        try:
            result_of(coroutine)
        except Fenced as fenced:
            self._ownership.drop([TopicPartition(fenced.topic, fenced.partition)])
        except DatabaseUnavailable as error:
            raise Crash from error


class Epochs(dict[int, int]):
    """Those a process believes in; taking one out makes it forget the partition."""

    def __init__(self, held: Ownership) -> None:
        super().__init__(held.epochs_of(REQUESTS.name))
        self._held = held

    def pop(self, partition: int, default: Any = None) -> Any:
        self._held.drop([_where(partition)])
        return super().pop(partition, default)


def _where(partition: int) -> TopicPartition:
    return TopicPartition(REQUESTS.name, partition)


class Said(Event[Payload]):
    """An event whose entry in the history is known already; that entries are read rightly is for unit tests to show."""

    entry: RequestEvent


def _received(partition: int, offset: int, message: Message) -> Received:
    entry, request_id = message.entry, message.request_id
    event = Said(
        id=UUID(int=offset),
        source="/punctual/intake",
        subject=request_id,
        sequence=entry.sequence,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        correlation_id="model",
        traceparent=TRACEPARENT,
        data=_data(message),
    )
    event.entry = entry
    record = Record(REQUESTS.name, partition, offset, None, None, ())
    return Received(event, record, "replayed" if message.is_replay else None)


def _data(message: Message) -> Payload:
    if message.is_noise:
        return RequestNoted(request_id=message.request_id)
    facts = message.facts
    if facts is None:
        return RequestResponded(request_id=message.request_id)
    return RequestSubmitted(
        request_id=message.request_id,
        reference="K7M4Q-2XD9C",
        kind=RequestKind(facts.kind),
        priority=Priority(facts.priority),
        channel=facts.channel,
        market=Market(facts.market),
        language=Language.ENGLISH,
        customer_id=UUID(int=1),
        customer_tier=CustomerTier(facts.customer_tier),
        stage=str(message.entry.value),
        status_path="/t/model",
    )
