"""What the service keeps in Postgres and what lies in Kafka, as dicts; a commit is all or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.sla_timer.domain.case import insert_entry
from services.sla_timer.domain.clocks import Clock, Timer
from services.sla_timer.domain.history import ENDINGS, Happening, RequestEvent
from services.sla_timer.domain.modes import Activation
from services.sla_timer.domain.rules import RungKey
from services.sla_timer.store.changes import Changes
from services.sla_timer.store.tracked import ClockKey, TrackedRequest
from shared.outbox import EncodedRecord
from tests.model.intake import Message

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Place = tuple[UUID, int, RungKey]
"""Clock, cycle, rung."""


class Crash(Exception):
    """A process died, or its connection did."""


class Fenced(Exception):
    """Another process owns the partition."""


@dataclass
class Rollout:
    """Attributes:
    version: None when a mode changed.
    """

    number: int
    ordered_at: datetime
    version: int | None


@dataclass
class Progress:
    reached: UUID | None = None
    is_done: bool = False


@dataclass
class Row:
    """A request with its history and clocks."""

    request: TrackedRequest
    history: list[RequestEvent] = field(default_factory=list)
    clocks: dict[ClockKey, Clock] = field(default_factory=dict)


@dataclass
class Decided:
    """Attributes:
    is_withdrawn: late news proved it wrong.
    """

    true_at: datetime
    recorded_at: datetime
    is_withdrawn: bool


class Store:
    """Attributes:
    topic: the records of each partition.
    decisions: all that were ever made for a rung.
    told: by request: when each event about its clocks is said to have occurred, its type and its data.
    dead: messages in the dead letters.
    """

    def __init__(self, partitions: int) -> None:
        self.topic: dict[int, list[Message]] = {partition: [] for partition in range(partitions)}
        self.epochs = dict.fromkeys(range(partitions), 0)
        self.positions = dict.fromkeys(range(partitions), 0)
        self.rows: dict[UUID, Row] = {}
        self.decisions: dict[Place, list[Decided]] = defaultdict(list)
        self.told: dict[str, list[tuple[datetime, str, bytes]]] = defaultdict(list)
        self.dead: list[Message] = []
        self.activations: list[Activation] = []
        self.rollouts: list[Rollout] = []
        self.progress: dict[tuple[int, int], Progress] = defaultdict(Progress)

    def check(self, partition: int, epoch: int | None) -> None:
        """Raises:
        Fenced: the epoch is not the newest.
        """
        if self.epochs[partition] != epoch:
            raise Fenced

    def standing(self, place: Place) -> bool:
        return any(not decided.is_withdrawn for decided in self.decisions.get(place, ()))

    def load(self, request_ids: Sequence[UUID]) -> dict[UUID, TrackedRequest]:
        """Fresh copies, as the service reads them."""
        found: dict[UUID, TrackedRequest] = {}
        for request_id in request_ids:
            row = self.rows.get(request_id)
            if row is not None:
                said = max([clock.said for clock in row.clocks.values()], default=0)
                found[request_id] = replace(
                    row.request, said=said, history=list(row.history), clocks=dict(row.clocks), case=None
                )
        return found

    def timers(self, partition: int, until: datetime, count: int, since: datetime | None) -> list[Timer]:
        """Earliest first, after ``since`` and up to ``until``."""
        timers = [
            clock.timer
            for row in self.rows.values()
            if row.request.partition == partition
            for clock in row.clocks.values()
        ]
        found = [t for t in timers if t is not None and t.due_at <= until and (since is None or t.due_at > since)]
        return sorted(found, key=lambda timer: timer.due_at)[:count]

    def open_rollouts(self, partition: int) -> list[Rollout]:
        return [rollout for rollout in self.rollouts if not self.progress[rollout.number, partition].is_done]

    def running_requests(self, partition: int, reached: UUID | None, count: int) -> list[UUID]:
        found = [
            request_id
            for request_id, row in self.rows.items()
            if row.request.partition == partition
            and (reached is None or request_id > reached)
            and (_is_running(row.request.history) or any(c.reading.ended_at is None for c in row.clocks.values()))
        ]
        return sorted(found)[:count]

    def commit(self, changes: Changes, records: Sequence[EncodedRecord], now: datetime) -> None:
        """Raises:
        AssertionError: what the schema would refuse.
        """
        for request in changes.new_requests:
            assert request.request_id not in self.rows, "a request is tracked twice"
            self.rows[request.request_id] = Row(replace(request, history=[], clocks={}, case=None))
        for request in changes.moved_requests.values():
            row = self.rows[request.request_id]
            row.request = replace(request, history=[], clocks={}, case=None)
        for request_id, event in changes.events:
            row = self.rows[request_id]
            key = event.origin, event.sequence
            assert key not in {(known.origin, known.sequence) for known in row.history}, f"told twice: {event}"
            row.history = insert_entry(row.history, event)
        for (request_id, code, cycle), (clock, _) in changes.new_clocks.items():
            assert (code, cycle) not in self.rows[request_id].clocks, f"a clock starts twice: {code} {cycle}"
            self.rows[request_id].clocks[code, cycle] = clock
        for (request_id, code, cycle), (clock, _) in changes.clocks.items():
            clocks = self.rows[request_id].clocks
            assert (code, cycle) in clocks, f"a clock moves that never was: {code} {cycle}"
            assert clocks[code, cycle].generation <= clock.generation, f"a generation went back: {code} {cycle}"
            clocks[code, cycle] = clock
        for withdrawal in changes.withdrawals:
            standing = [
                d for d in self.decisions[withdrawal.clock_id, withdrawal.cycle, withdrawal.key] if not d.is_withdrawn
            ]
            assert standing, f"withdrawn, but never decided: {withdrawal}"
            standing[0].is_withdrawn = True
        for made in changes.decisions:
            place = made.decision.clock_id, made.decision.cycle, made.decision.key
            assert made.withdrawn_at is not None or not self.standing(place), f"decided twice: {made.decision}"
            assert max(now, made.decision.true_at) == made.recorded_at, f"recorded at another time: {made}"
            decided = Decided(made.decision.true_at, made.recorded_at, made.withdrawn_at is not None)
            self.decisions[place].append(decided)
        for subject, data, headers in records:
            named = dict(headers)
            told = self.told[subject.decode()]
            sequence = int(named["ce_sequence"])
            assert sequence == len(told) + 1, f"announcement {sequence} follows {len(told)}"
            told.append((datetime.fromisoformat(named["ce_time"].decode()), named["ce_type"].decode(), data or b""))


def _is_running(history: Sequence[RequestEvent]) -> bool:
    """Whether what was said last about its life, by when it occurred, leaves a request running."""
    lives = [entry for entry in history if entry.happening in ENDINGS or entry.happening is Happening.REOPENED]
    last = max(lives, key=lambda entry: (entry.occurred_at, entry.sequence), default=None)
    return last is None or last.happening is Happening.REOPENED
