"""Sending: in order per case, when the time has come, repeated when it must be, never twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import httpx
import pytest

from punctual.channel.answers import GaveUp, KeyRefused, Refused
from punctual.channel.business_clock import FollowedClock
from punctual.channel.courier import Courier
from punctual.replay.cases import Case, Step
from punctual.replay.mapping.actions import Action
from punctual.replay.sending import CaseLane
from punctual.replay.tally import Tally
from tests.unit.punctual.replay.replay_world import BEGIN, FakeIntake, problem


def case(name: str, *actions: Action, begin: int = 0) -> Case:
    moves = (Action(submit=None), *actions)
    steps = [
        Step(BEGIN + timedelta(minutes=begin + n), action, f"{n}.0", "s-1", n + 2) for n, action in enumerate(moves)
    ]
    return Case(name, {"external_id": name}, "app", steps)


async def send(
    intake: FakeIntake,
    *cases: Case,
    shift: timedelta = timedelta(0),
    concurrency: int = 4,
    staff_key: str | None = None,
    is_late: bool = False,
) -> Tally:
    tally = Tally(is_late=is_late)
    client = intake.client()
    clock = FollowedClock(client)
    await clock.read()
    courier = Courier(clock, concurrency)
    for each in cases:
        lane = CaseLane(
            each,
            log_name="log",
            api_key="k",
            shift=shift,
            intake=client,
            clock=clock,
            tally=tally,
            staff_key=staff_key,
        )
        courier.add(lane)
    courier.close()
    async with asyncio.timeout(20):
        await courier.run(asyncio.Event())
    return tally


MOVES = (Action(stage="assessment"), Action(respond=None), Action(pause="third_party"), Action(close="paid"))


async def test_a_case_becomes_one_submission_and_its_moves(intake: FakeIntake) -> None:
    tally = await send(intake, case("1", *MOVES))
    assert [path for path, _ in intake.calls] == [
        "/v1/requests",
        "/v1/requests/REF-1/stage",
        "/v1/requests/REF-1/response",
        "/v1/requests/REF-1/pause",
        "/v1/requests/REF-1/close",
    ]
    assert intake.calls[1][1] == {"stage": "assessment", "handler": "s-1", "occurred_at": "2026-03-02T01:01:00.000000Z"}
    assert intake.calls[3][1] == {"reason": "third_party", "occurred_at": "2026-03-02T01:03:00.000000Z"}
    assert (tally.sent, tally.accepted, tally.submitted, tally.closed) == (5, 5, 1, 1)
    assert tally.references == {"1": ("REF-1", "k")}


async def test_a_closing_gives_the_reason_that_the_map_gives(intake: FakeIntake) -> None:
    await send(intake, case("1", Action(close="declined", reason="not_covered")))
    assert {name: intake.calls[1][1][name] for name in ("outcome", "reason")} == {
        "outcome": "declined",
        "reason": "not_covered",
    }


async def test_instants_are_moved_with_the_log(intake: FakeIntake) -> None:
    await send(intake, case("1"), shift=timedelta(days=1))
    assert intake.calls[0][1]["occurred_at"] == "2026-03-03T01:00:00.000000Z"


async def test_each_case_keeps_its_order_while_many_are_sent_at_once(intake: FakeIntake) -> None:
    await send(intake, *(case(str(n), *MOVES) for n in range(30)), concurrency=8)
    for n in range(30):
        own = [
            body["occurred_at"]
            for path, body in intake.calls
            if body.get("external_id") == str(n) or f"REF-{n}/" in path
        ]
        assert len(own) == 5
        assert all(earlier < later for earlier, later in pairwise(own))


async def test_a_repeated_replay_doubles_nothing(intake: FakeIntake) -> None:
    await send(intake, case("1", *MOVES))
    again = await send(intake, case("1", *MOVES))
    assert len(intake.calls) == 5
    assert (again.accepted, again.repeated, again.submitted) == (5, 5, 1)


async def test_a_refused_move_is_counted_with_its_reason_and_the_case_goes_on(intake: FakeIntake) -> None:
    intake.before = lambda r: problem(409, "stage_forbidden") if r.url.path.endswith("/stage") else None
    tally = await send(intake, case("1", *MOVES))
    assert (tally.sent, tally.accepted, tally.refused) == (5, 4, {"stage_forbidden": 1})
    (refusal,) = tally.refusals
    assert (refusal.line, refusal.action, refusal.detail) == (3, "stage assessment", "because of stage_forbidden")


async def test_answers_are_counted_by_action(intake: FakeIntake) -> None:
    intake.before = lambda r: problem(409, "stage_forbidden") if r.url.path.endswith("REF-1/stage") else None
    tally = await send(intake, case("1", *MOVES), case("2", *MOVES))
    assert tally.accepted_actions["stage assessment"] == 1
    assert tally.refused_actions == {"stage assessment": {"stage_forbidden": 1}}
    assert tally.accepted_actions.total() + tally.refused.total() == tally.sent


async def test_what_is_doubted_is_dismissed_by_staff_at_the_instant_of_the_submission(intake: FakeIntake) -> None:
    intake.findings = {"amount_is_not_gigantic": "open"}
    tally = await send(intake, case("1", *MOVES), staff_key="s")
    assert (tally.doubted, tally.dismissed, tally.sent) == ({"amount_is_not_gigantic": 1}, 1, 5)
    assert intake.calls[1] == (
        "/v1/requests/REF-1/dismiss",
        {"rule": "amount_is_not_gigantic", "reason": "replayed_log", "occurred_at": "2026-03-02T01:00:00.000000Z"},
    )
    await send(intake, case("1", *MOVES), staff_key="s")
    assert len(intake.calls) == 6


async def test_a_doubt_that_cannot_be_dismissed_is_counted_and_the_case_goes_on(intake: FakeIntake) -> None:
    intake.findings = {"amount_is_not_gigantic": "open"}
    intake.before = lambda r: problem(403, "forbidden") if r.url.path.endswith("/dismiss") else None
    for staff_key in (None, "s"):
        tally = await send(intake, case(f"of {staff_key}", *MOVES), staff_key=staff_key)
        assert (tally.doubted.total(), tally.dismissed, tally.accepted) == (1, 0, 5)


async def test_a_log_that_lies_in_the_past_is_never_behind(intake: FakeIntake) -> None:
    assert (await send(intake, case("1"))).behind > timedelta(days=300)
    assert (await send(intake, case("2"), is_late=True)).behind == timedelta(0)


async def test_the_moves_of_a_refused_request_are_not_sent(intake: FakeIntake) -> None:
    intake.before = lambda r: problem(422, "invalid_fields") if r.url.path == "/v1/requests" else None
    tally = await send(intake, case("1", *MOVES))
    assert (tally.sent, tally.not_sent, tally.submitted) == (1, 4, 0)


@pytest.mark.parametrize("trouble", [503, 429, 502, 409, "connect", "read", "timeout"])
async def test_what_passes_is_tried_again_with_the_same_key(intake: FakeIntake, trouble: int | str) -> None:
    left = 3
    keys = []

    def stumble(request: httpx.Request) -> httpx.Response | None:
        nonlocal left
        if request.method == "GET":
            return None
        keys.append(request.headers["idempotency-key"])
        if left == 0:
            return None
        left -= 1
        errors = {"connect": httpx.ConnectError, "read": httpx.ReadError, "timeout": httpx.ReadTimeout}
        if isinstance(trouble, str):
            raise errors[trouble]("no")
        code = "idempotency_key_in_flight" if trouble == 409 else "try_again"
        return problem(trouble, code, {"Retry-After": "0"})

    intake.before = stumble
    tally = await send(intake, case("1"))
    assert (tally.accepted, len(keys), len(set(keys))) == (1, 4, 1)


async def test_retry_after_is_honoured(intake: FakeIntake, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    intake.before = lambda _: problem(503, "try_again", {"Retry-After": "3"}) if not slept else None
    monkeypatch.setattr("punctual.channel.retrying.asyncio.sleep", sleep)
    await intake.client().read_clock()
    assert len(slept) == 1
    assert 1.5 <= slept[0] <= 3


async def test_a_service_that_never_answers_ends_it_with_a_clear_message(intake: FakeIntake) -> None:
    intake.before = lambda _: problem(503, "try_again")
    with pytest.raises(GaveUp, match=r"GET /v1/clock: try_again \(503\).*given up after 0 s"):
        await intake.client(timedelta(seconds=0.2)).read_clock()


async def test_a_key_that_is_not_known_ends_it_at_once(intake: FakeIntake) -> None:
    intake.before = lambda r: problem(401, "credentials_required") if r.method == "POST" else None
    with pytest.raises(KeyRefused, match="because of credentials_required"):
        await send(intake, *(case(str(n), *MOVES) for n in range(50)), concurrency=2)


async def test_an_answer_that_is_no_problem_document_is_refused_all_the_same(intake: FakeIntake) -> None:
    intake.before = lambda _: httpx.Response(404, text="<h1>Not here</h1>")
    with pytest.raises(Refused, match="http_404"):
        await intake.client().read_clock()


async def test_nothing_is_sent_before_its_time() -> None:
    intake = FakeIntake(speed=1.0)
    intake.now = BEGIN
    client = intake.client()
    clock = FollowedClock(client)
    await clock.read()
    assert 59 < clock.real_seconds_until(BEGIN + timedelta(minutes=1)) <= 60
    courier = Courier(clock, 1)
    later = case("1", begin=60)
    courier.add(
        CaseLane(later, log_name="l", api_key="k", shift=timedelta(0), intake=client, clock=clock, tally=Tally())
    )
    stopping = asyncio.Event()
    running = asyncio.create_task(courier.run(stopping))
    for _ in range(20):
        await asyncio.sleep(0)
    stopping.set()
    await running
    assert (intake.calls, courier.waiting) == ([], 1)


async def test_a_fault_in_a_lane_ends_the_courier(intake: FakeIntake) -> None:
    def fail(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            raise RuntimeError("a fault of ours")
        return None

    intake.before = fail
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await send(intake, *(case(str(n)) for n in range(5)))
