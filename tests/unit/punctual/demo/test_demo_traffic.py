"""The planned traffic: reproducible, plausible, and never refused by the process definitions."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punctual.demo.handling import plan_moves
from punctual.demo.office_hours import after_work, busyness
from punctual.demo.traffic import PlannedRequest, Traffic
from services.intake.api.bodies import SubmitBody
from services.intake.api.moves import MOVES
from services.intake.domain.changes import Submitted
from services.intake.domain.deciding import decide
from services.intake.domain.life import begin, evolve
from shared.contracts.payload import RequestKind
from tests.unit.intake.shipped import process_of

MONDAY = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
BODIES = {verb: body for verb, body, _ in MOVES}
LINES = ("motor", "health", "life", "property", "travel")
FACTS = {"amount": 12_000}


def stream(seed: int, count: int, per_second: float = 1 / 900) -> list[PlannedRequest]:
    traffic = Traffic(seed, per_second)
    at = MONDAY
    found = []
    for number in range(1, count + 1):
        at = traffic.arrival(number, at)
        found.append(traffic.request(number, at))
    return found


def test_the_same_seed_gives_the_same_stream() -> None:
    assert stream(7, 40) == stream(7, 40)
    assert stream(7, 40) != stream(8, 40)


def test_every_kind_market_language_and_channel_comes() -> None:
    requests = stream(1, 600)
    submissions = [request.submission for request in requests]
    assert {body["kind"] for body in submissions} == set(RequestKind)
    assert {body["market"] for body in submissions} == {"HK", "TW", "CN"}
    assert {body["customer"]["language"] for body in submissions} == {"zh-Hant", "zh-Hans", "en"}
    assert {request.channel for request in requests} == {"app", "web", "hotline", "branch", "agent", "partner"}
    claimed = {body["product_line"] for body in submissions if body["kind"] == "claim"}
    assert claimed == {"motor", "health", "life", "property", "travel"}


def test_every_submission_is_one_that_intake_takes() -> None:
    for request in stream(2, 300):
        body = SubmitBody.model_validate(request.submission)
        assert body.customer.email is not None
        assert body.customer.email.endswith("@customer.example")
        assert body.description


def test_a_customer_writes_in_his_own_language_and_keeps_his_name() -> None:
    seen: dict[str, object] = {}
    for request in stream(3, 400):
        customer = request.submission["customer"]
        assert seen.setdefault(customer["id"], customer) == customer
    assert len(seen) < 400  # some come back


def test_requests_come_as_fast_as_asked_for_and_mostly_in_office_hours() -> None:
    requests = stream(4, 1500, per_second=1 / 600)
    took = requests[-1].at - requests[0].at
    assert 0.85 < took / timedelta(seconds=600 * 1500) < 1.15
    hours = Counter((request.at + timedelta(hours=8)).hour for request in requests)
    assert sum(hours[hour] for hour in range(9, 18)) > 0.5 * len(requests)
    assert busyness(MONDAY + timedelta(hours=2)) > 4 * busyness(MONDAY - timedelta(hours=6))


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("kind", RequestKind)
def test_no_planned_move_is_forbidden_by_the_process(kind: RequestKind, line: str) -> None:
    process = process_of(kind, line)
    for seed in range(100):
        life = begin(Submitted(kind, 1, process.start, process=process.code, attributes=FACTS), MONDAY)
        moves = plan_moves(Random(seed), kind, line, FACTS, MONDAY)
        for move in moves:
            asked = BODIES[move.verb].model_validate(move.body).move()
            for change in decide(process, life, asked, move.at):
                life = evolve(life, change, move.at)
        assert life.outcome is not None
        assert life.pause_reasons == ()
        assert all(earlier.at <= later.at for earlier, later in pairwise(moves))
        assert moves[0].at >= MONDAY


def test_some_requests_are_paused_some_withdrawn_and_some_very_late() -> None:
    plans = [plan_moves(Random(seed), RequestKind.CLAIM, "motor", FACTS, MONDAY) for seed in range(400)]
    paused = sum(any(move.verb == "pause" for move in plan) for plan in plans)
    endings = [next(move for move in plan if move.verb == "close") for plan in plans]
    withdrawn = sum(ending.body["outcome"] == "withdrawn" for ending in endings)
    late = sum(ending.at - MONDAY > timedelta(days=21) for ending in endings)
    assert 80 < paused < 180
    assert 2 < withdrawn < 40
    assert 4 < late < 80


WITHIN_A_WEEK = st.integers(0, 7 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes))
SPANS = st.integers(1, 60 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(WITHIN_A_WEEK, SPANS, SPANS)
def test_work_in_two_parts_ends_when_work_in_one_does(at: datetime, first: timedelta, second: timedelta) -> None:
    assert after_work(after_work(at, first), second) == after_work(at, first + second)


@given(WITHIN_A_WEEK, SPANS)
def test_work_ends_in_office_hours(at: datetime, span: timedelta) -> None:
    local = after_work(at, span) + timedelta(hours=8)
    assert local.weekday() < 5
    assert timedelta(hours=9) < timedelta(hours=local.hour, minutes=local.minute) <= timedelta(hours=18)


@pytest.mark.parametrize(
    ("begins", "hours", "ends"),
    [
        ("2026-03-02T01:00", 1, "2026-03-02T02:00"),  # Monday nine o'clock
        ("2026-03-02T09:30", 1, "2026-03-03T01:30"),  # half an hour before closing
        ("2026-03-06T10:00", 1, "2026-03-09T02:00"),  # Friday evening
        ("2026-03-02T01:00", 9, "2026-03-02T10:00"),  # exactly at closing
    ],
)
def test_work_goes_on_when_the_office_opens(begins: str, hours: int, ends: str) -> None:
    begin_at, end_at = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begins, ends))
    assert after_work(begin_at, timedelta(hours=hours)) == end_at
