"""The near timers of this process's partitions, in memory, earliest first. Postgres has all of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from services.sla_timer.domain.clocks import Timer

MISSING_SECONDS = 2.0
"""How long a timer that Postgres does not show is asked for again: its transaction may be about to commit."""


@dataclass(order=True, slots=True)
class Entry:
    """Attributes:
    wake_at: business instant; later than the timer's when it was asked for in vain.
    noted_at: real monotonic seconds; when the timer came into memory.
    """

    wake_at: datetime
    order: int
    partition: int = field(compare=False)
    timer: Timer = field(compare=False)
    noted_at: float = field(compare=False)


class TimerBook:
    """Timers are added by whoever sets them and read ahead from Postgres; a timer may be in here twice."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._heap: list[Entry] = []
        self._order = count()
        self._read_until: dict[int, datetime] = {}

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_at(self) -> datetime | None:
        """When the earliest one is to be looked at."""
        return self._heap[0].wake_at if self._heap else None

    def add(self, partition: int, timers: Iterable[Timer]) -> None:
        noted_at = self._monotonic()
        for timer in timers:
            heapq.heappush(self._heap, Entry(timer.due_at, next(self._order), partition, timer, noted_at))

    def read_until(self, partition: int) -> datetime | None:
        """Up to when Postgres was read ahead; None for a partition not read yet."""
        return self._read_until.get(partition)

    def mark_read(self, partition: int, until: datetime) -> None:
        self._read_until[partition] = until

    def take_due(self, now: datetime, most: int) -> dict[int, list[Entry]]:
        """Remove what is due, earliest first, by partition; never anything early, each timer once."""
        taken: dict[int, list[Entry]] = {}
        seen: set[Timer] = set()
        while self._heap and self._heap[0].wake_at <= now and len(seen) < most:
            entry = heapq.heappop(self._heap)
            if entry.timer not in seen:
                seen.add(entry.timer)
                taken.setdefault(entry.partition, []).append(entry)
        return taken

    def put_back(self, entries: Sequence[Entry], wake_at: datetime) -> None:
        """Look at these again, not before ``wake_at``."""
        for entry in entries:
            heapq.heappush(self._heap, Entry(wake_at, next(self._order), entry.partition, entry.timer, entry.noted_at))

    def put_back_missing(self, entries: Sequence[Entry], wake_at: datetime) -> None:
        """Ask again for timers that Postgres did not show, unless that has gone on for too long."""
        now = self._monotonic()
        self.put_back([entry for entry in entries if now - entry.noted_at < MISSING_SECONDS], wake_at)

    def drop(self, partition: int) -> None:
        """Forget a partition that is no longer ours."""
        self._read_until.pop(partition, None)
        self._heap = [entry for entry in self._heap if entry.partition != partition]
        heapq.heapify(self._heap)


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far ahead timers are in memory.

    Attributes:
        ahead: business span read ahead.
    """

    ahead: timedelta

    def is_near(self, due_at: datetime, now: datetime) -> bool:
        """Within two spans: what is set between two readings must not fall between them."""
        return due_at <= now + 2 * self.ahead

    def needs_reading(self, read_until: datetime | None, now: datetime) -> bool:
        return read_until is None or read_until < now + self.ahead / 2
