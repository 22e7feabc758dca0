"""A lane handles the records of some partitions, one transaction after the other.

Two lanes keep Python busy while Postgres works. A partition stays in one lane, so its records keep their order: what
failed is repeated before anything behind it is looked at.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from shared.clock import monotonic
from shared.errors import Fenced, Retryable
from shared.inbox.batch import BatchHandling
from shared.inbox.ownership import Ownership
from shared.kafka.records import Record, TopicPartition
from shared.telemetry import metrics
from shared.telemetry.logs import get_logger
from shared.waiting import backoff_seconds, first_of

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Polled:
    """Records of one partition, in order.

    Attributes:
        epoch: under which they were read. They are handled under no other: when the partition was lost and taken again
            meanwhile, it is read again from the stored position, and these may lie behind a hole.
    """

    where: TopicPartition
    epoch: int
    records: Sequence[Record]


@dataclass(slots=True)
class Share:
    """What one transaction handles."""

    batches: dict[TopicPartition, Sequence[Record]] = field(default_factory=dict)
    epochs: dict[TopicPartition, int] = field(default_factory=dict)

    def drop(self, where: TopicPartition) -> None:
        del self.batches[where]
        del self.epochs[where]


class Lane:
    """Attributes:
    trouble: why nothing is handled right now.
    """

    def __init__(
        self,
        service: str,
        handling: BatchHandling,
        ownership: Ownership,
        *,
        most_records: int,
        progressed: asyncio.Event,
        reached: Callable[[TopicPartition, int], None],
        lost: Callable[[TopicPartition], None],
    ) -> None:
        """Args:
        most_records: of a transaction.
        progressed: set whenever there is room for more.
        reached: told the offset at which a partition goes on, after the commit.
        lost: told of a partition that another process has taken.
        """
        self._service = service
        self._handling = handling
        self._ownership = ownership
        self._most_records = most_records
        self._progressed = progressed
        self._reached = reached
        self._lost = lost
        self._waiting: deque[Polled] = deque()
        self._has_news = asyncio.Event()
        self.trouble: str | None = None

    @property
    def waiting(self) -> int:
        """Records not yet begun."""
        return sum(len(polled.records) for polled in self._waiting)

    def put(self, polled: Polled) -> None:
        self._waiting.append(polled)
        self.wake()

    def wake(self) -> None:
        """Look for work, or see that it is time to stop."""
        self._has_news.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Handle what is put here until asked to stop; whoever asks calls ``wake`` too."""
        while not stopping.is_set():
            await self._has_news.wait()
            self._has_news.clear()
            await self.drain(stopping)
        self._progressed.set()

    async def drain(self, stopping: asyncio.Event) -> None:
        """Handle all that waits; what is left at a stop is read again after the start."""
        while self._waiting and not stopping.is_set():
            await self._handle(self._next_share(), stopping)
            self._progressed.set()

    def _next_share(self) -> Share:
        share = Share()
        room = self._most_records
        while self._waiting and room:
            polled = self._waiting[0]
            if share.epochs.setdefault(polled.where, polled.epoch) != polled.epoch:
                break
            taken = polled.records[:room]
            share.batches[polled.where] = [*share.batches.get(polled.where, ()), *taken]
            room -= len(taken)
            if len(taken) == len(polled.records):
                self._waiting.popleft()
            else:
                self._waiting[0] = replace(polled, records=polled.records[len(taken) :])
        return share

    async def _handle(self, share: Share, stopping: asyncio.Event) -> None:
        failures = 0
        while self._keep_ours(share):
            try:
                await self._transact(share)
            except Fenced as lost:
                where = TopicPartition(lost.topic, lost.partition)
                _log.warning("partition lost", topic=where.topic, partition=where.partition)
                if self._ownership.epochs.get(where) == share.epochs[where]:  # else it was taken again meanwhile
                    self._lost(where)
            except Retryable as error:
                failures += 1
                self.trouble = str(error)
                for topic in {where.topic for where in share.batches}:
                    metrics.INBOX_RETRIES.labels(self._service, topic).inc()
                _log.warning("batch failed, will repeat", failures=failures, error=str(error))
                await first_of(backoff_seconds(failures), stopping)
                if stopping.is_set():
                    return
            else:
                self.trouble = None
                return

    def _keep_ours(self, share: Share) -> bool:
        """Leave out what was given away, or taken again and is read again from its position; is anything left?"""
        for where in [w for w, epoch in share.epochs.items() if self._ownership.epochs.get(w) != epoch]:
            share.drop(where)
        return bool(share.batches)

    async def _transact(self, share: Share) -> None:
        started_at = monotonic()
        reached = await self._handling.transact(share.batches, share.epochs)
        metrics.INBOX_BATCH_SECONDS.labels(self._service).observe(monotonic() - started_at)
        for where, position in reached.items():
            if self._ownership.epochs.get(where) == share.epochs[where]:
                self._reached(where, position)
