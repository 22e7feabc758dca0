"""What a batch holds of answers that nobody takes, and for how long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.types import Message

from services.intake.api import batch_stream
from services.intake.api.batch_stream import BatchStream
from services.intake.api.examples import SUBMISSION
from services.intake.api.rate_limits import RateLimits
from shared.clock import ManualClock
from shared.http.access import Principal
from shared.telemetry.context import new_trace
from tests.unit.intake.shipped import new_validation

APP = Principal("app", "app", "channel")
WRONG: dict[str, Any] = {f"k{number:03}{'x' * 3_000}": None for number in range(64)}
LINE = json.dumps(SUBMISSION | {"idempotency_key": "k", "attributes": WRONG}).encode() + b"\n"


def batch() -> BatchStream:
    """One that refuses every line, so that it needs no database."""
    submissions = SimpleNamespace(is_crowded=False, stopping=asyncio.Event())
    context = SimpleNamespace(
        line_limit=262_144,
        clock=ManualClock(datetime(2026, 11, 24, tzinfo=UTC)),
        limits=RateLimits(),
        is_outbox_full=False,
        submissions=submissions,
        validation=new_validation(),
        retry_after_seconds=5,
        batch_patience=timedelta(seconds=30),
    )

    async def recognise() -> Principal:
        return APP

    return BatchStream("/v1/requests:batch", "app", APP, cast("Any", context), new_trace(), recognise)


class Client:
    """Sends the same line over and over.

    Attributes:
        sent: lines.
        taken: bytes of answers.
    """

    def __init__(self, line: bytes, count: int) -> None:
        self._line = line
        self._count = count
        self.sent = 0
        self.taken = 0
        self.taking = asyncio.Event()
        self.taking.set()

    async def receive(self) -> Message:
        await asyncio.sleep(0)
        self.sent += 1
        return {"type": "http.request", "body": self._line, "more_body": self.sent < self._count}

    async def take(self, message: Message) -> None:
        await self.taking.wait()
        self.taken += len(message.get("body", b""))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0)


async def test_long_refusals_that_nobody_takes_are_held_up_to_some_bytes() -> None:
    stream, client = batch(), Client(LINE, 400)
    client.taking.clear()
    call = asyncio.create_task(stream({}, client.receive, client.take))
    seen = -1
    while client.sent > seen:  # until it reads no more
        seen = client.sent
        for _ in range(200):
            await asyncio.sleep(0)
    held = sum(len(answer.line) for answer in stream._answers._waiting if isinstance(answer.line, bytes))
    assert 1_000_000 <= held < 1_100_000
    client.taking.set()
    await call
    assert (client.sent, stream._answers._untaken_bytes) == (400, 0)
    assert client.taken > 400 * 5_000


async def test_a_batch_whose_answers_are_not_taken_is_cut_off_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_stream, "_IDLE_SECONDS", 0.1)
    client, aborted = Client(LINE, 400), asyncio.Event()
    client.taking.clear()
    async with asyncio.timeout(30):
        await batch()({"state": {"abort_connection": aborted.set}}, client.receive, client.take)
    assert aborted.is_set()
    assert client.taken == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
