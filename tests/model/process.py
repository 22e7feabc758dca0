"""One process of the service: reads its partitions, fires their timers, tells of rollouts; may die at any time.

The domain, the batch, the shelf, the timer book and the backlog are the real ones. What handlers, inbox and ticker do
around them with connections is done here with the dicts of `tests.model.store`, step by step as there.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from services.sla_timer.domain.case import Case, open_case
from services.sla_timer.domain.clocks import Timer
from services.sla_timer.domain.decisions import advance, by_objective, start
from services.sla_timer.domain.history import Happening, Origin, RequestEvent
from services.sla_timer.domain.modes import mode_at, modes_since
from services.sla_timer.domain.rules import Mode, Rulebook
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.handlers.evolving import evolve
from services.sla_timer.store.shelf import Shelf
from services.sla_timer.store.tracked import TrackedRequest
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import Entry, Horizon, TimerBook
from shared.telemetry.context import Trace
from tests.model.intake import Message, hour_of
from tests.model.store import TRACEPARENT, Crash, Fenced, Rollout, Store

T = TypeVar("T")
TRACE = Trace("model", TRACEPARENT)
READ_AT_ONCE = 3

Watch = Callable[[TrackedRequest, Batch, int], None]
"""Told after each thing that was done to a request, with how many decisions of the batch were there before."""


def result_of(coroutine: Coroutine[Any, Any, T]) -> T:
    """Of one that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # what it returns is Any to the type checker
    raise AssertionError("it waited")


class Process:
    """Attributes:
    now: business time, as this process sees it.
    epochs: the partitions it believes to own.
    fault: what goes wrong at the next commit: ``before`` or ``after`` it; None: nothing.
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
        self.now = now
        self.epochs: dict[int, int] = {}
        self.fault: str | None = None
        self._store, self._rulebooks, self._watch = store, rulebooks, watch
        self._shelf = Shelf(2, lambda: self.epochs)
        self._book, self._horizon = TimerBook(), Horizon(ahead)
        self._backlog = Backlog(lambda partition, position: len(store.topic[partition]) - position, seconds)
        self._held: dict[int, int] = {}
        self._reading: dict[int, int] = {}

    def own(self, partition: int) -> None:
        """Take a partition, whoever had it."""
        self._store.epochs[partition] += 1
        self.epochs[partition] = self._store.epochs[partition]
        self._reading[partition] = self._store.positions[partition]

    @property
    def next_at(self) -> datetime | None:
        return self._book.next_at

    def case(self, request: TrackedRequest) -> Case:
        if request.case is None:
            known = self._rulebooks.__getitem__
            history = request.history
            request.case = open_case(
                request.request_id, request.reference, history, request.facts, request.policy_version, known
            )
        return request.case

    # Events

    def consume(self, partition: int, most: int) -> None:
        """One poll of one partition."""
        if partition not in self.epochs:
            return
        try:
            self._store.check(partition, self.epochs[partition])
        except Fenced:
            del self.epochs[partition]
            return
        begin, position = self._reading[partition], self._store.positions[partition]
        records = self._store.topic[partition][begin : begin + most]
        reached = begin + len(records)
        news = records[max(0, position - begin) :]
        if not news:
            self._reading[partition] = max(reached, begin)
            return
        live = [message for message in news if not message.is_dead or message.is_replay]
        mark, requests = self._shelf.mark(), self._take([message.request_id for message in live])
        changes = Batch(self.now, 1.0, by="event")
        last = {request_id: request.last_sequence for request_id, request in requests.items()}
        for message in live:
            if not message.is_replay:
                if message.entry.sequence <= last.get(message.request_id, 0):
                    continue
                last[message.request_id] = message.entry.sequence
            self._apply(message, partition, requests, changes)
        self._commit(changes)
        self._store.positions[partition] = max(reached, position)
        self._store.dead += [message for message in news if message.is_dead and not message.is_replay]
        self._survive_commit()
        self._reading[partition] = reached
        self._settle(requests, mark, changes)

    def _apply(self, message: Message, partition: int, requests: dict[UUID, TrackedRequest], changes: Batch) -> None:
        request, entry = requests.get(message.request_id), message.entry
        if message.facts is not None:
            assert request is None, "a repeated submission got through"
            requests[message.request_id] = self._submit(message, partition, changes)
        elif request is not None and (
            entry.sequence > request.last_sequence
            or all(known.sequence != entry.sequence or known.origin is not Origin.INTAKE for known in request.history)
        ):
            before = len(changes._changes.decisions)
            evolve(self.case, request, entry, changes, TRACE)
            self._watch(request, changes, before)

    def _submit(self, message: Message, partition: int, changes: Batch) -> TrackedRequest:
        assert message.facts is not None
        entry, version, before = message.entry, max(self._rulebooks), len(changes._changes.decisions)
        request = TrackedRequest(
            message.request_id, "K7M4Q-2XD9C", message.facts, version, partition, "model", TRACEPARENT
        )
        changes.track(request)
        changes.remember(request, entry)
        modes = modes_since(self._store.activations, message.facts.market, entry.occurred_at, self.now)
        for number, (at, mode) in enumerate(modes, start=1):
            told_at = max(at, entry.recorded_at)
            changes.remember(
                request, RequestEvent(number, Happening.MODE_CHANGED, at, told_at, mode.value, None, Origin.HOUSE)
            )
        case = self.case(request)
        for step in start(case, entry.recorded_at):
            changes.take(request, case, step, TRACE)
        self._watch(request, changes, before)
        return request

    # Timers

    def tick(self, most: int, *, is_sweep: bool) -> int:
        """What the ticker does when it wakes; gives how many timers it looked at."""
        self._follow_ownership()
        for partition in self._held:
            read_until = self._book.read_until(partition)
            if self._horizon.needs_reading(read_until, self.now):
                self._read(partition, read_until, self.now + self._horizon.ahead)
            elif is_sweep:
                overdue = self._store.timers(partition, self.now - timedelta(seconds=1), READ_AT_ONCE, None)
                self._book.add(partition, overdue)
        entries = self._book.take_due(self.now, most)
        if entries:
            self._fire(entries)
        return len(entries)

    def _follow_ownership(self) -> None:
        for partition, epoch in list(self._held.items()):
            if self.epochs.get(partition) != epoch:
                self._drop(partition)
        for partition, epoch in self.epochs.items():
            if self._held.get(partition) != epoch:
                self._held[partition] = epoch
                self._backlog.begin(partition)

    def _drop(self, partition: int) -> None:
        self._held.pop(partition, None)
        self._backlog.forget(partition)
        self._book.drop(partition)

    def _read(self, partition: int, since: datetime | None, until: datetime) -> None:
        most = READ_AT_ONCE
        timers = self._store.timers(partition, until, most, since)
        while len(timers) == most and timers[0].due_at == timers[-1].due_at:
            most *= 2
            timers = self._store.timers(partition, until, most, since)
        if len(timers) == most:
            until = timers[-1].due_at - timedelta.resolution
            timers = [timer for timer in timers if timer.due_at <= until]
        self._book.add(partition, timers)
        self._book.mark_read(partition, until)

    def _fire(self, entries: Sequence[Entry]) -> None:
        try:
            for partition in {entry.partition for entry in entries}:
                try:
                    self._store.check(partition, self.epochs.get(partition))
                except Fenced:
                    self.epochs.pop(partition, None)
                    self._drop(partition)
                    self._book.put_back([entry for entry in entries if entry.partition != partition])
                    return
            positions = self._store.positions
            ready = {e.partition for e in entries if self._backlog.is_read(e.partition, positions[e.partition])}
            due = [(entry.partition, entry.timer) for entry in entries if entry.partition in ready]
            if due:
                self._fire_due(due)
        except Crash:
            self._book.put_back(entries)
            raise
        waiting = [entry for entry in entries if entry.partition not in ready]
        if waiting:
            self._book.put_back(waiting, self.now + timedelta(milliseconds=20))

    def _fire_due(self, due: Sequence[tuple[int, Timer]]) -> None:
        mark, requests = self._shelf.mark(), self._take([timer.request_id for _, timer in due])
        changes = Batch(self.now, 1.0, by="timer")
        for partition, timer in due:
            assert timer.due_at <= self.now, "a timer fired early"
            request = requests.get(timer.request_id)
            if request is None or request.partition != partition:
                continue
            clock = request.clocks.get((timer.objective, timer.cycle))
            if clock is None or clock.timer != timer:
                continue
            before, case = len(changes._changes.decisions), self.case(request)
            for step in advance(case, timer.objective, by_objective(request.clocks)[timer.objective], timer.due_at):
                changes.take(request, case, step, TRACE)
            self._watch(request, changes, before)
        self._commit(changes)
        self._survive_commit()
        self._settle(requests, mark, changes)

    # Rollouts

    def roll_out(self, partition: int, count: int) -> None:
        """Tell the next requests of a partition of the earliest change."""
        rollouts = self._store.open_rollouts(partition)
        if not rollouts or self.epochs.get(partition) is None:
            return
        try:
            self._store.check(partition, self.epochs[partition])
        except Fenced:
            del self.epochs[partition]
            return
        rollout, progress = rollouts[0], self._store.progress[rollouts[0].number, partition]
        found = self._store.running_requests(partition, progress.reached, count)
        mark, requests = self._shelf.mark(), self._take(found)
        changes = Batch(self.now, 1.0, by="event")
        for request_id in found:
            request = requests[request_id]
            entry = self._entry_of(rollout, request)
            if entry is not None:
                before = len(changes._changes.decisions)
                evolve(self.case, request, entry, changes, TRACE)
                self._watch(request, changes, before)
        self._commit(changes)
        progress.reached = found[-1] if found else progress.reached
        progress.is_done = len(found) < count
        self._survive_commit()
        self._settle(requests, mark, changes)

    def _entry_of(self, rollout: Rollout, request: TrackedRequest) -> RequestEvent | None:
        now = self.case(request).now
        at = hour_of(min(max(rollout.ordered_at, request.history[0].occurred_at), self.now))
        number = request.next_own_sequence
        if rollout.version is not None:
            if now.rulebook.version == rollout.version:
                return None
            details = {"version": rollout.version}
            value = str(rollout.version)
            return RequestEvent(number, Happening.POLICY_APPLIED, at, self.now, value, details, Origin.HOUSE)
        mode = mode_at(self._store.activations, now.facts.market, self.now)
        if mode is now.mode or not _knows(mode, now.mode, self.case(request)):
            return None
        return RequestEvent(number, Happening.MODE_CHANGED, at, self.now, mode.value, None, Origin.HOUSE)

    # Transactions

    def _take(self, request_ids: Sequence[UUID]) -> dict[UUID, TrackedRequest]:
        connection: Any = self._store
        return result_of(self._shelf.take(connection, list(dict.fromkeys(request_ids))))

    def _commit(self, changes: Batch) -> None:
        """Raises:
        Crash: nothing was committed.
        """
        if self.fault == "before":
            self.fault = None
            raise Crash
        self._store.commit(changes._changes, changes._records, self.now)

    def _survive_commit(self) -> None:
        """Raises:
        Crash: it was committed, but the process does not know.
        """
        if self.fault == "after":
            self.fault = None
            raise Crash

    def _settle(self, requests: Mapping[UUID, TrackedRequest], mark: Mapping[int, int], changes: Batch) -> None:
        self._shelf.put_back(requests.values(), mark)
        for partition, timers in changes.armed.items():
            self._book.add(partition, [timer for timer in timers if self._horizon.is_near(timer.due_at, self.now)])


def _knows(mode: Mode, before: Mode, case: Case) -> bool:
    objectives = case.now.policy.objectives
    return any(mode in objective.modes or before in objective.modes for objective in objectives)
