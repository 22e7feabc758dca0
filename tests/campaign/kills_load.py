"""Tells random lives straight into Kafka, as intake's relay would, while everything is killed."""

from __future__ import annotations

import asyncio
import heapq
import threading
from contextlib import suppress
from itertools import count
from random import Random

from shared.clock import Clock, monotonic
from shared.errors import BrokerUnavailable
from shared.kafka import KafkaPublisher, OutgoingRecord
from tests.campaign.kills_lives import Life, Step, draw_life

_TICK_SECONDS = 0.05
_LATEST_REPEAT_SECONDS = 8.0


class Load(threading.Thread):
    """Begins lives at a rate and tells them on, until it is stopped; then everything told is acknowledged.

    Attributes:
        lives: all that were begun. Read them when it has finished.
        round_number: given to the lives begun from now on.
        error: what ended it.
    """

    def __init__(self, bootstrap: str, clock: Clock, rng: Random, lives_a_second: float) -> None:
        super().__init__(name="load", daemon=True)
        self.lives: list[Life] = []
        self.repeated = 0
        self.round_number = 1
        self.error: BaseException | None = None
        self._kafka = bootstrap
        self._clock = clock
        self._rng = rng
        self._gap_seconds = 1 / lives_a_second
        self._stopping = threading.Event()
        self._due: list[tuple[float, int, Life, Step | OutgoingRecord]] = []
        self._order = count()

    def run(self) -> None:
        try:
            asyncio.run(self._work())
        except BaseException as error:
            self.error = error
            raise

    def finish(self) -> None:
        """Stop where every life is, and return when what was told is in Kafka."""
        self._stopping.set()
        self.join(timeout=120)
        assert not self.is_alive(), "the load does not end"
        assert self.error is None, self.error

    async def _work(self) -> None:
        publisher = KafkaPublisher(self._kafka, "kills-load")
        begin_at = monotonic()
        try:
            while not self._stopping.is_set():
                while begin_at <= monotonic():
                    begin_at += self._gap_seconds
                    self._begin()
                records = self._take_due()
                if records:
                    await _publish(publisher, records)
                await asyncio.sleep(_TICK_SECONDS)
        finally:
            await publisher.close()

    def _begin(self) -> None:
        life = Life(draw_life(Random(self._rng.getrandbits(64))), self.round_number)
        self.lives.append(life)
        heapq.heappush(self._due, (monotonic(), next(self._order), life, next(life.steps)))

    def _take_due(self) -> list[OutgoingRecord]:
        """What is to be told now; a life goes on from when its last step was told, however long Kafka was away."""
        now = monotonic()
        records: list[OutgoingRecord] = []
        while self._due and self._due[0][0] <= now:
            _, _, life, what = heapq.heappop(self._due)
            if isinstance(what, OutgoingRecord):
                records.append(what)
                self.repeated += 1
                continue
            record = life.tell(what, self._clock)
            records.append(record)
            if what.is_twice:
                self._push(now + self._rng.uniform(0, _LATEST_REPEAT_SECONDS), life, record)
            following = next(life.steps, None)
            if following is not None:
                self._push(now + following.gap.total_seconds() / self._clock.speed, life, following)
        return records

    def _push(self, at: float, life: Life, what: Step | OutgoingRecord) -> None:
        heapq.heappush(self._due, (at, next(self._order), life, what))


async def _publish(publisher: KafkaPublisher, records: list[OutgoingRecord]) -> None:
    """Again and again until all are acknowledged, as the relay of an outbox does: some may then be there twice."""
    while True:
        with suppress(BrokerUnavailable):
            await publisher.publish(records)
            return
        await asyncio.sleep(0.3)
