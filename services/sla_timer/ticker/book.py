"""The near timers of this process's partitions, in memory, earliest first. Postgres has all of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from services.sla_timer.domain.clocks import Timer


class Entry(NamedTuple):
    """Compares by the first two.

    Attributes:
        wake_at: business instant; later than the timer's when it was looked at in vain.
        order: no other entry has it.
    """

    wake_at: datetime
    order: int
    partition: int
    timer: Timer


class TimerBook:
    """Timers are added by whoever sets them and read ahead from Postgres; a timer may be in here twice.

    Those that come soon are kept apart, so that they can be told from the many others when they draw near.
    """

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._soon: list[Entry] = []
        self._order = count()
        self._read_until: dict[int, datetime] = {}

    def __len__(self) -> int:
        return len(self._heap) + len(self._soon)

    @property
    def next_at(self) -> datetime | None:
        """When the earliest one is to be looked at."""
        firsts = [heap[0].wake_at for heap in (self._soon, self._heap) if heap]
        return min(firsts, default=None)

    def add(self, partition: int, timers: Iterable[Timer]) -> None:
        for timer in timers:
            heapq.heappush(self._heap, Entry(timer.due_at, next(self._order), partition, timer))

    def read_until(self, partition: int) -> datetime | None:
        """Up to when Postgres was read ahead; None for a partition not read yet."""
        return self._read_until.get(partition)

    def mark_read(self, partition: int, until: datetime) -> None:
        self._read_until[partition] = until

    def approach(self, until: datetime) -> list[Entry]:
        """Those that come until then and were not among the near ones before, earliest first."""
        near: list[Entry] = []
        while self._heap and self._heap[0].wake_at <= until:
            entry = heapq.heappop(self._heap)
            heapq.heappush(self._soon, entry)
            near.append(entry)
        return near

    def take_due(self, now: datetime, most: int) -> list[Entry]:
        """Remove what is due, earliest first; never anything early, each timer once."""
        self.approach(now)
        taken: list[Entry] = []
        seen: set[Timer] = set()
        while self._soon and self._soon[0].wake_at <= now and len(taken) < most:
            entry = heapq.heappop(self._soon)
            if entry.timer not in seen:
                seen.add(entry.timer)
                taken.append(entry)
        return taken

    def put_back(self, entries: Sequence[Entry], wake_at: datetime | None = None) -> None:
        """Look at these again, not before ``wake_at``; as they stood when it is None."""
        for entry in entries:
            at = entry.wake_at if wake_at is None else wake_at
            heapq.heappush(self._heap, Entry(at, next(self._order), entry.partition, entry.timer))

    def drop(self, partition: int) -> None:
        """Forget a partition that is no longer ours."""
        self._read_until.pop(partition, None)
        for heap in (self._heap, self._soon):
            heap[:] = [entry for entry in heap if entry.partition != partition]
            heapq.heapify(heap)


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
