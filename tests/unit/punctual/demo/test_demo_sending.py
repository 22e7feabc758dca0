"""The demo's lanes: from arrival to closing, over refusals, faults and a new start."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from punctual.channel.business_clock import FollowedClock
from punctual.channel.courier import Courier
from punctual.demo.journal import Journal
from punctual.demo.sender import Arrivals, Sent
from punctual.demo.traffic import Traffic
from tests.unit.punctual.replay.replay_world import BEGIN, FakeIntake, problem

KEYS = {name: name for name in ("app", "web", "hotline", "branch", "agent", "partner", "staff")}


class Stage:
    """A demo without a system."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.intake = FakeIntake()
        self.intake.now = BEGIN + timedelta(days=1)
        self.intake.speed = 1.0
        self.sent = Sent()

    async def play(self, until: int) -> Sent:
        """Run until so many calls were answered for the first time."""
        self.sent = Sent()
        stopping = asyncio.Event()
        client = self.intake.client()
        clock = FollowedClock(client)
        await clock.read()
        courier = Courier(clock, 4)
        journal = Journal(self._file)
        after = journal.last_at or BEGIN
        arrivals = Arrivals(Traffic(1, 1 / 3600), courier, KEYS, client, journal, self.sent, after)
        arrivals.take_up()
        courier.add(arrivals)
        running = asyncio.create_task(courier.run(stopping))
        async with asyncio.timeout(20):
            while len(self.intake.calls) < until and not running.done():
                await asyncio.sleep(0)
        stopping.set()
        await running
        journal.close()
        return self.sent


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "demo.jsonl")


def ends_of(calls: list[tuple[str, dict[str, object]]]) -> list[str]:
    return [path.rpartition("/")[2] for path, _ in calls]


async def test_requests_arrive_and_are_moved(stage: Stage) -> None:
    sent = await stage.play(until=20)
    assert sent.accepted >= 3
    assert sent.moves > 0
    assert sent.first_accepted_at is not None
    assert {"requests", "response"} <= set(ends_of(stage.intake.calls))
    assert len(sent.latest) == sent.latest.maxlen


async def test_doubts_are_looked_at_so_that_requests_can_be_closed(stage: Stage) -> None:
    stage.intake.findings = {"likely_duplicate": "open"}
    await stage.play(until=20)
    dismissed = [body for path, body in stage.intake.calls if path.endswith("/dismiss")]
    assert dismissed[0]["rule"] == "likely_duplicate"


async def test_a_new_start_goes_on_with_what_was_under_way_and_doubles_nothing(stage: Stage) -> None:
    await stage.play(until=12)
    stage.intake.now += timedelta(days=20)
    sent = await stage.play(until=120)
    submitted = [body["external_id"] for path, body in stage.intake.calls if path == "/v1/requests"]
    assert len(submitted) == len(set(submitted))
    assert sent.refused == {}
    assert "close" in ends_of(stage.intake.calls)


async def test_calls_that_were_sent_but_not_noted_are_answered_again(stage: Stage, tmp_path: Path) -> None:
    await stage.play(until=12)
    (tmp_path / "demo.jsonl").write_text(
        "".join(line for line in (tmp_path / "demo.jsonl").read_text().splitlines(keepends=True) if '"at"' in line)
    )
    sent = await stage.play(until=len(stage.intake.calls) + 6)
    assert sent.repeated > 0
    assert sent.refused == {}


async def test_a_refused_move_is_counted_and_the_request_goes_on(stage: Stage) -> None:
    stage.intake.before = lambda r: problem(409, "x_forbidden") if r.url.path.endswith("/response") else None
    sent = await stage.play(until=25)
    assert sent.refused["x_forbidden"] > 0
    assert "stage" in ends_of(stage.intake.calls)


async def test_a_service_that_is_away_for_a_while_loses_nothing(stage: Stage) -> None:
    failures = 0

    def away(request: httpx.Request) -> httpx.Response | None:
        nonlocal failures
        if request.method == "POST" and failures < 4:
            failures += 1
            raise httpx.ConnectError("away")
        return None

    stage.intake.before = away
    await stage.play(until=10)
    numbers = sorted(
        int(str(body["external_id"]).rpartition("-")[2]) for path, body in stage.intake.calls if path == "/v1/requests"
    )
    assert failures == 4
    assert numbers[0] == 1
