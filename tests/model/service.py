"""A process of the real parts: inbox, ownership, handlers, modes, ticker and rollouts, as the service wires them.

`tests.model.process` does step by step what these do; here they do it themselves, over the same store, so that the two
cannot drift apart. Only what speaks SQL is replaced (`standing_in`), and Kafka.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from unittest.mock import Mock, patch
from uuid import UUID

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import ENDINGS, RequestEvent
from services.sla_timer.domain.modes import mode_at
from services.sla_timer.domain.rules import Rulebook
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.handlers.evolving import evolve
from services.sla_timer.handlers.loading import HistorySequences, Loading
from services.sla_timer.handlers.modes import Modes
from services.sla_timer.handlers.requests import RequestHandler
from services.sla_timer.handlers.rollouts import RolloutHandler
from services.sla_timer.handlers.timers import TimerHandler
from services.sla_timer.store import rollouts as stored
from services.sla_timer.store.changes import Changes
from services.sla_timer.store.modes import DeclaredMode
from services.sla_timer.store.shelf import Shelf
from services.sla_timer.store.tracked import TrackedRequest
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import TimerBook
from services.sla_timer.ticker.firing import Ticker
from services.sla_timer.ticker.rollouts import Rollouts
from shared.clock import ManualClock
from shared.contracts.envelope import Event
from shared.contracts.payload import CustomerTier, Language, Market, Payload, Priority, RequestKind
from shared.contracts.requests import RequestResponded, RequestSubmitted
from shared.contracts.topics import CLOCKS, REQUESTS, Topic
from shared.errors import DatabaseUnavailable, Fenced
from shared.inbox import Ownership, Received, ownership
from shared.inbox.sequences import sort_out
from shared.kafka import TopicPartition
from shared.kafka.records import Record
from shared.outbox import EncodedRecord
from tests.model.intake import Message, Told
from tests.model.process import Watch, result_of
from tests.model.store import TRACEPARENT, Crash, Store
from tests.model.world import World

T = TypeVar("T")

_OWNER = "model"
_NOTHING = timedelta(0)
_WARMED_SHARE = 0.3


class Transaction:
    """What will be written when it commits; the store is read as it was before.

    No handler reads again what it has written in the same transaction, positions apart.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.positions = dict(store.positions)
        self.epochs = dict(store.epochs)
        self.writes: list[Callable[[], None]] = []
        self.callbacks: list[Callable[[], None]] = []
        self.saved: tuple[Changes, datetime] | None = None
        self.records: Sequence[EncodedRecord] = ()

    async def fetch(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """The plumbing's own statements."""
        if sql is ownership._TAKE:
            for partition in args[1]:
                self.epochs[partition] += 1
        elif sql not in (ownership._CHECK, ownership._LOOK):
            raise AssertionError(sql)
        return [
            {"topic": topic, "partition": p, "epoch": self.epochs[p], "next_offset": self.positions[p]}
            for topic, p in zip(args[0], args[1], strict=True)
        ]

    def commit(self) -> None:
        if self.saved is not None:
            self.store.commit(self.saved[0], self.records, self.saved[1])
        for write in self.writes:
            write()
        self.store.positions.update(self.positions)
        self.store.epochs.update(self.epochs)


class MemoryDatabase:
    """A process's way to the store.

    Attributes:
        fault: what goes wrong at the next commit: ``before`` or ``after`` it; None: nothing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: Transaction | None = None
        self.fault: str | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Transaction]:
        yield Transaction(self._store)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        yield Transaction(self._store)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        assert self._open is None, "a transaction inside another"
        self._open = transaction = Transaction(self._store)
        try:
            yield transaction
        finally:
            self._open = None
        fault, self.fault = self.fault, None
        if fault == "before":
            raise DatabaseUnavailable(fault)
        transaction.commit()
        if fault == "after":
            raise DatabaseUnavailable(fault)
        for callback in transaction.callbacks:
            callback()

    def after_commit(self, connection: Transaction, callback: Callable[[], None]) -> None:
        assert connection is self._open
        connection.callbacks.append(callback)


class MemoryOutbox:
    """Puts what is said into the transaction."""

    async def append_encoded(self, connection: Transaction, topic: Topic, records: Sequence[EncodedRecord]) -> None:
        assert topic is CLOCKS
        connection.records = records


class MemoryRulebooks:
    """Knows the versions it was told of, as ``Rulebooks`` does."""

    def __init__(self, versions: Mapping[int, Rulebook]) -> None:
        self._versions = versions
        self._known: dict[int, Rulebook] = {}
        result_of(self.follow())

    @property
    def current(self) -> Rulebook:
        return self._known[max(self._known)]

    async def at(self, _connection: object, version: int) -> Rulebook:
        return self._known.setdefault(version, self._versions[version])

    def known(self, version: int) -> Rulebook:
        return self._known[version]

    async def follow(self) -> None:
        newest = max(self._versions)
        self._known[newest] = self._versions[newest]


class Service:
    """One process; it may die at any time. The same to look at as ``Process``."""

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
                events = [one.event for one in received if isinstance(one.event, Event)]
                fresh = sort_out(received, await self._sequences.load_last(connection, events)).fresh
                if fresh:
                    rejections = await self._handler.handle(connection, fresh)
                    refused = {rejection.record.offset for rejection in rejections}
                    again = [message for offset, message in news if offset in refused]
                    connection.writes.append(lambda: self._store.dead.extend(again))
            connection.positions[partition] = max(position, reached)
        self._reading[partition] = max(position, reached)

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
        data=RequestResponded(request_id=request_id) if message.facts is None else _submission(message, message.facts),
    )
    event.entry = entry
    record = Record(REQUESTS.name, partition, offset, None, None, ())
    return Received(event, record, "replayed" if message.is_replay else None)


def _submission(message: Message, facts: Facts) -> Payload:
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


@contextmanager
def standing_in(watch: Watch, seconds: Callable[[], float]) -> Iterator[None]:
    """Have the store asked where the service asks Postgres, and ``watch`` told of each thing done to a request."""

    async def load_requests(connection: Transaction, request_ids: Collection[UUID]) -> dict[UUID, TrackedRequest]:
        return connection.store.load(list(request_ids))

    async def save(connection: Transaction, changes: Changes, now: datetime) -> None:
        connection.saved = changes, now

    async def load_timers(
        connection: Transaction, partition: int, until: datetime, count: int, since: datetime | None = None
    ) -> list[Timer]:
        return connection.store.timers(partition, until, count, since)

    async def open_rollouts(connection: Transaction, partitions: Collection[int]) -> list[stored.Progress]:
        return [
            stored.Progress(
                stored.Rollout(rollout.number, rollout.version, rollout.ordered_at, "model"),
                partition,
                connection.store.progress[rollout.number, partition].reached,
            )
            for rollout in connection.store.rollouts
            for partition in sorted(partitions)
            if not connection.store.progress[rollout.number, partition].is_done
        ]

    async def running_requests(connection: Transaction, progress: stored.Progress, count: int) -> list[UUID]:
        return connection.store.running_requests(progress.partition, progress.reached, count)

    async def record_progress(
        connection: Transaction, progress: stored.Progress, reached: UUID | None, _: int, *, is_done: bool
    ) -> None:
        row = connection.store.progress[progress.rollout.rollout_id, progress.partition]

        def write() -> None:
            row.reached, row.is_done = reached or row.reached, is_done

        connection.writes.append(write)

    async def load_modes(connection: Transaction, since: datetime | None = None) -> list[DeclaredMode]:
        return [
            DeclaredMode(activation, "busy", "model", None, None, None)
            for activation in connection.store.activations
            if since is None or activation.left_at is None or activation.left_at >= since
        ]

    async def nothing(*_: object) -> None:
        """Nobody else is there."""

    def evolve_watched(case_of: Any, request: TrackedRequest, entry: RequestEvent, changes: Batch, trace: Any) -> None:
        before = len(changes._changes.decisions)
        evolve(case_of, request, entry, changes, trace)
        watch(request, changes, before)

    service = "services.sla_timer"
    replaced: dict[str, Any] = {
        f"{service}.store.shelf.load_requests": load_requests,
        f"{service}.handlers.loading.load_requests": load_requests,
        f"{service}.handlers.batch.save": save,
        f"{service}.handlers.requests.request_event": lambda event: event.entry,
        f"{service}.handlers.requests.evolve": evolve_watched,
        f"{service}.handlers.rollouts.evolve": evolve_watched,
        f"{service}.handlers.rollouts.running_requests": running_requests,
        f"{service}.handlers.rollouts.record_progress": record_progress,
        f"{service}.store.modes.load_modes": load_modes,
        f"{service}.ticker.firing.load_timers": load_timers,
        f"{service}.ticker.firing.monotonic": seconds,
        f"{service}.ticker.firing._log": Mock(),  # lost partitions are an everyday matter here
        f"{service}.ticker.rollouts.open_rollouts": open_rollouts,
        f"{service}.ticker.rollouts.close_rollouts": nothing,
    }
    with ExitStack() as stack:
        for name, stand_in in replaced.items():
            stack.enter_context(patch(name, stand_in))
        yield


_ACTIONS = (
    "pass_time",
    "wait_for_a_timer",
    "happen",
    "publish",
    "consume",
    "tick",
    "fail",
    "take_over",
    "restart",
    "jump",
    "replay",
    "change_rules",
    "change_mode",
    "roll_out",
    "drain",
    "compare",
)


class ServiceWorld(World):
    """The random program, run by the real parts.

    Attributes:
        diary: what was done, for people who look at a seed that failed.
    """

    processes: list[Service]  # type: ignore[assignment]  # the same to look at

    def __init__(self, seed: int) -> None:
        self.diary: list[str] = []
        super().__init__(seed)
        for name in _ACTIONS:
            setattr(self, name, self._noted(name, getattr(self, name)))

    def _process(self, offset: timedelta = _NOTHING) -> Service:  # type: ignore[override]
        return Service(self.store, self.rulebooks, self.watch, lambda: self.seconds, self.now + offset, self.ahead)

    def pass_time(self) -> None:
        super().pass_time()
        for process in self.processes:
            process.look()

    def tick(self) -> None:
        for process in self.processes:
            if self.random.random() < _WARMED_SHARE:
                process.warm()
        super().tick()

    def watch(self, request: TrackedRequest, changes: Batch, before: int) -> None:
        early = [made for made in changes._changes.decisions[before:] if made.decision.true_at > self.latest]
        assert not early, f"decided before any clock had come there: {early}"
        super().watch(request, changes, before)

    def compare(self) -> None:
        """What was ordered has reached whoever it concerns: rules what ran all along, modes what runs now."""
        super().compare()
        ordered = max((rollout.version or 1 for rollout in self.store.rollouts), default=1)
        for row in self.store.load([told.request_id for told in self.requests]).values():
            still_open = {clock.cycle for clock in row.clocks.values() if clock.reading.ended_at is None}
            now = self.processes[0].case(row).now
            if ENDINGS.isdisjoint(entry.happening for entry in row.history):
                assert now.rulebook.version >= ordered, f"version {ordered} never reached {row.request_id}"
            mode = mode_at(self.store.activations, now.facts.market, self.now)
            if still_open and not now.rulebook.modes.isdisjoint({mode, now.mode}):
                assert now.mode is mode, f"mode {mode} never reached {row.request_id}: {now.mode}"

    def drain(self) -> None:
        for process in self.processes:
            process.fault = None
            process.look()
        super().drain()

    def _noted(self, name: str, act: Callable[[], None]) -> Callable[[], None]:
        def noted() -> None:
            before = self._facts()
            outcome = ""
            try:
                act()
            except BaseException as error:
                outcome = type(error).__name__
                raise
            finally:
                news = [f"{what} {value}" for what, value in self._facts().items() if before.get(what) != value]
                self.diary.append(f"{self.now:%d %H:%M} {name}: {', '.join([*news, outcome]).strip(', ')}")

        return noted

    def _facts(self) -> dict[str, str]:
        store = self.store
        facts = {f"{told.request_id.int % 16} says": _last(told) for told in self.requests}
        facts |= {f"position {p}": f"{at} of {len(store.topic[p])}" for p, at in sorted(store.positions.items())}
        facts |= {f"process {n} owns": str(dict(one.epochs)) for n, one in enumerate(self.processes)}
        facts |= {f"clock {n} is off by": str(offset) for n, offset in enumerate(self.offsets)}
        facts |= {f"process {n} has fault": str(one.fault) for n, one in enumerate(self.processes)}
        facts["decisions"] = str(sum(map(len, store.decisions.values())))
        facts["dead letters"] = str(len(store.dead))
        facts["rollouts"] = str(len(store.rollouts))
        facts["versions"] = str(max(self.rulebooks))
        facts["modes"] = ", ".join(str(activation) for activation in store.activations)
        return facts


def _last(told: Told) -> str:
    entry = told.said[-1]
    words = f"{entry.sequence} {entry.happening.value} {entry.value or ''} {dict(entry.details or {}) or ''}".strip()
    return f"{words} of {entry.occurred_at:%d %H:%M}, {len(told.waiting)} unpublished"


def play(seed: int) -> ServiceWorld:
    """Run a program with the real parts; the same seed does always the same.

    Raises:
        Failure: the engine and the reference differ, or the engine contradicts itself.
    """
    world = ServiceWorld.__new__(ServiceWorld)
    world.seconds = 0.0
    with standing_in(lambda *what: world.watch(*what), lambda: world.seconds):  # noqa: PLW0108  # it is not whole yet
        try:
            world.__init__(seed)  # type: ignore[misc]  # the stand-ins have to know it before it builds its processes
            world.run()
        except Exception as error:
            raise Failure(seed, world.diary, error) from error
    return world


class Failure(AssertionError):
    """Attributes:
    seed: that shows it.
    diary: the program up to there.
    """

    def __init__(self, seed: int, diary: Sequence[str], error: Exception) -> None:
        super().__init__(f"seed {seed}: {type(error).__name__}: {error}")
        self.seed = seed
        self.diary = list(diary)
