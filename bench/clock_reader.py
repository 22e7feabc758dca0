"""Reads the clocks topic, outside every service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from shared.clock import real_now
from shared.contracts.clocks import ClockPayload
from shared.contracts.envelope import Event, decode
from shared.contracts.topics import CLOCKS
from shared.ids import new_id
from shared.kafka import KafkaSubscription, Record, TopicPartition

_POLL_SECONDS = 0.25
_MAX_RECORDS = 2000
_SILENCE_SECONDS = 5.0  # many polls, also on a busy machine


@dataclass(frozen=True, slots=True)
class Heard:
    """A clock event and when it was here.

    Attributes:
        happened: the last word of its type, such as ``started``.
        heard_at: real time.
    """

    happened: str
    payload: ClockPayload
    occurred_at: datetime
    recorded_at: datetime
    heard_at: datetime

    @property
    def lateness_seconds(self) -> float:
        """From the instant it became true to the decision; real seconds when business time is real time."""
        return (self.recorded_at - self.occurred_at).total_seconds()

    @property
    def delay_seconds(self) -> float:
        """From the instant it became true until it was heard: committed, published and read."""
        return (self.heard_at - self.occurred_at).total_seconds()


class ClockReader:
    """Attributes:
    heard: in the order of arrival; an event that was published twice is here once.
    """

    def __init__(self, bootstrap: str) -> None:
        name = f"bench-{new_id()}"
        self._subscription = KafkaSubscription(bootstrap, [CLOCKS.name], group=name, member=name)
        self._ids: set[UUID] = set()
        self._has_news = asyncio.Event()
        self.heard: list[Heard] = []

    async def run(self, started: asyncio.Event, stopping: asyncio.Event) -> None:
        """Read from the first record on; sets ``started`` once it has its partitions."""

        async def begin(_: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
            started.set()
            return {}  # a group nobody knew begins with the first record

        async def forget(_: Sequence[TopicPartition]) -> None:
            return

        await self._subscription.start(begin, forget)
        try:
            while not stopping.is_set():
                polled = await self._subscription.poll(timeout_seconds=_POLL_SECONDS, max_records=_MAX_RECORDS)
                heard_at = real_now()
                for records in polled.values():
                    for record in records:
                        self._take(record, heard_at)
                self._has_news.set()
        finally:
            await self._subscription.stop()

    async def wait_until(self, condition: Callable[[], bool], limit_seconds: float) -> bool:
        """Wait for what must be heard; whether it came in time."""
        try:
            async with asyncio.timeout(limit_seconds):
                while not condition():
                    self._has_news.clear()
                    await self._has_news.wait()
        except TimeoutError:
            return False
        return True

    async def wait_until_silent(self) -> None:
        """Return when nothing more has come for a while."""
        has_come = True
        while has_come:
            has_come = await self._wait_for_more()

    async def _wait_for_more(self) -> bool:
        count = len(self.heard)
        return await self.wait_until(lambda: len(self.heard) > count, _SILENCE_SECONDS)

    def _take(self, record: Record, heard_at: datetime) -> None:
        event = _clock_event(record)
        if event is not None and event.id not in self._ids:
            self._ids.add(event.id)
            self.heard.append(_heard(event, heard_at))


@asynccontextmanager
async def listening(bootstrap: str) -> AsyncIterator[ClockReader]:
    """A reader that reads until the block ends."""
    reader = ClockReader(bootstrap)
    started, stopping = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(reader.run(started, stopping))
        try:
            async with asyncio.timeout(60):
                await started.wait()
            yield reader
        finally:
            stopping.set()


async def hear_all(bootstrap: str) -> list[Heard]:
    """Every event on the topic; call it when no more are written."""
    async with listening(bootstrap) as reader:
        await reader.wait_until_silent()
    return reader.heard


def _clock_event(record: Record) -> Event[ClockPayload] | None:
    event = decode(record.key, record.value, record.headers)
    return cast(Event[ClockPayload], event) if isinstance(event, Event) else None


def _heard(event: Event[ClockPayload], heard_at: datetime) -> Heard:
    happened = event.data.TYPE.rpartition(".")[2]
    return Heard(happened, event.data, event.occurred_at, event.recorded_at, heard_at)
