"""Waiting for the clocks: bounded, and counted per objective."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from punctual.replay.settling import Deadlines, is_settled, settle
from tests.unit.punctual.replay.replay_world import BEGIN, FakeIntake


def view(state: str, *deadlines: tuple[str, str, timedelta | None]) -> dict[str, Any]:
    return {
        "state": state,
        "deadlines": [
            {
                "objective": objective,
                "state": clock,
                "due_at": None if due is None else (BEGIN + due).isoformat(),
                "warned": clock == "missed",
                "escalation_level": 1 if clock == "breached" else 0,
            }
            for objective, clock, due in deadlines
        ],
    }


LATER, PAST = timedelta(hours=1), timedelta(hours=-1)


@pytest.mark.parametrize(
    ("seen", "settled"),
    [
        (view("open"), False),
        (view("open", ("response", "met", PAST), ("resolution", "running", LATER)), True),
        (view("open", ("resolution", "running", PAST)), False),
        (view("open", ("resolution", "breached", PAST)), True),
        (view("paused", ("resolution", "paused", None)), True),
        (view("closed", ("response", "met", PAST), ("resolution", "running", LATER)), False),
        (view("closed", ("response", "met", PAST), ("resolution", "missed", PAST)), True),
        (view("closed", ("response", "cancelled", None)), True),
    ],
)
def test_settled_means_that_the_clocks_know_all_that_happened(seen: dict[str, Any], settled: bool) -> None:
    assert is_settled(seen, BEGIN) is settled


async def settled(intake: FakeIntake, patience: float) -> Deadlines:
    client = intake.client()
    return await settle(
        {name: (name, "key") for name in intake.views},
        client,
        concurrency=4,
        patience=timedelta(seconds=patience),
        settled=lambda _: None,
    )


async def test_deadlines_are_counted_per_objective(intake: FakeIntake) -> None:
    intake.now = BEGIN
    intake.views = {
        "A": view("closed", ("response", "met", PAST), ("resolution", "missed", PAST)),
        "B": view("open", ("response", "met", PAST), ("resolution", "breached", PAST)),
        "C": view("open", ("response", "met", PAST), ("resolution", "running", LATER)),
    }
    deadlines = await settled(intake, 5)
    assert deadlines.by_objective == {"response": {"met": 3}, "resolution": {"missed": 1, "breached": 1, "running": 1}}
    assert (deadlines.states, deadlines.unsettled) == ({"closed": 1, "open": 2}, 0)
    assert (deadlines.warned["resolution"], deadlines.escalated["resolution"]) == (1, 1)


async def test_clocks_that_are_behind_are_looked_at_again(intake: FakeIntake, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def catch_up(request: httpx.Request) -> httpx.Response | None:
        nonlocal looks
        looks += request.url.path.endswith("/A")
        intake.views["A"] = view("closed", ("response", "met" if looks > 2 else "running", PAST))
        return None

    intake.views = {"A": view("closed"), "B": view("closed", ("response", "met", PAST))}
    intake.before = catch_up
    monkeypatch.setattr("punctual.replay.settling._ROUND_PAUSE", 0)
    deadlines = await settled(intake, 5)
    assert (looks, deadlines.by_objective, deadlines.unsettled) == (3, {"response": {"met": 2}}, 0)


async def test_it_does_not_wait_for_ever(intake: FakeIntake) -> None:
    intake.views = {"A": view("closed", ("response", "running", PAST)), "B": view("open")}
    deadlines = await settled(intake, 0)
    assert (deadlines.unsettled, deadlines.states.total()) == (2, 2)
