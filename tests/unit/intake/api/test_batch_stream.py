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
from services.intake.handlers.offers import KeyReused, Outcome, Settled
from services.intake.store.answers import KeyInFlight
from services.intake.store.submissions import CustomerBusy
from shared.clock import ManualClock
from shared.errors import DatabaseUnavailable
from shared.http.access import Principal
from shared.telemetry.context import new_trace
from tests.unit.intake.shipped import new_validation

APP = Principal("app", "app", "channel")
WRONG: dict[str, Any] = {f"k{number:03}{'x' * 3_000}": None for number in range(64)}
LINE = json.dumps(SUBMISSION | {"idempotency_key": "k", "attributes": WRONG}).encode() + b"\n"


class Door:
    """Takes lines in when the test says so.

    Attributes:
        offered: what becomes of each, in order.
    """

    is_crowded = False

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.offered: list[asyncio.Future[Outcome]] = []

    def offer(self, *_: object, **__: object) -> asyncio.Future[Outcome]:
        self.offered.append(asyncio.get_running_loop().create_future())
        return self.offered[-1]


def batch(submissions: Door | None = None) -> BatchStream:
    """One that needs no database: what it does not refuse goes through a door of the test's."""
    submissions = submissions or Door()
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


STORED = Settled(201, '{"reference":"K7M4Q-2XD9C"}', None)


def line_of(key: str, customer: str) -> bytes:
    named = SUBMISSION | {"idempotency_key": key, "customer": SUBMISSION["customer"] | {"id": customer}}
    return json.dumps(named).encode() + b"\n"


async def answered(lines: list[bytes], *outcomes: tuple[int, Outcome]) -> tuple[list[int], list[dict[str, Any]]]:
    """How many lines were offered before each outcome, and the answers.

    Args:
        outcomes: which of those that were offered is settled next, and how.
    """
    door, client, taken = Door(), Client(b"".join(lines), 1), []

    async def take(message: Message) -> None:
        taken.append(message.get("body", b""))

    call = asyncio.create_task(batch(door)({}, client.receive, take))
    seen = []
    for number, outcome in outcomes:
        for _ in range(50):
            await asyncio.sleep(0)
        seen.append(len(door.offered))
        door.offered[number].set_result(outcome)
    async with asyncio.timeout(30):
        await call
    return seen, [json.loads(line) for line in b"".join(taken).splitlines()]


async def test_of_two_lines_with_one_key_the_second_waits_for_the_first() -> None:
    lines = [line_of("k", "A"), line_of("k", "B"), line_of("other", "C")]
    seen, told = await answered(lines, (0, STORED), (1, KeyReused("other call")), (2, STORED))
    assert seen == [1, 3, 3]
    assert [answer["status"] for answer in told] == [201, 422, 201]


async def test_nothing_waits_for_lines_of_the_same_customer_or_with_other_keys() -> None:
    lines = [line_of("k", "A"), line_of("k", "A"), line_of("l", "B"), line_of("m", "A")]
    seen, told = await answered(lines, *((number, STORED) for number in range(4)))
    assert seen == [4, 4, 4, 4]
    assert [answer["status"] for answer in told] == [201] * 4


@pytest.mark.parametrize("passing", [KeyInFlight("held"), CustomerBusy("held")])
async def test_a_line_does_not_take_the_key_of_an_earlier_one_that_is_to_be_sent_again(passing: Exception) -> None:
    seen, told = await answered([line_of("k", "A"), line_of("k", "B"), line_of("l", "B")], (0, passing), (1, STORED))
    assert seen == [1, 2]
    assert [answer["status"] for answer in told][1:] == [409, 201]


async def test_a_line_that_waits_for_its_key_is_not_taken_in_when_nobody_knows_what_became_of_the_first() -> None:
    seen, told = await answered([line_of("k", "A"), line_of("k", "B")], (0, DatabaseUnavailable("gone")))
    assert seen == [1]
    assert [answer.get("resume_from") for answer in told] == [None, 1]


async def test_a_line_that_waits_for_its_key_is_where_a_stop_ends_the_batch() -> None:
    door, client, taken = Door(), Client(line_of("k", "A") + line_of("k", "B"), 1), []

    async def take(message: Message) -> None:
        taken.append(message.get("body", b""))

    call = asyncio.create_task(batch(door)({}, client.receive, take))
    await until(lambda: len(door.offered) == 1)
    door.stopping.set()
    for _ in range(50):
        await asyncio.sleep(0)
    door.offered[0].set_result(STORED)
    await call
    assert len(door.offered) == 1
    assert [json.loads(line).get("resume_from") for line in b"".join(taken).splitlines()] == [None, 2]
