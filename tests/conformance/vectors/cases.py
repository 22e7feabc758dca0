"""Behaviour cases: ticket events go through the clock fold as request events.

The clocks of today are a first response and a resolution, each started once by the submission. A vector that needs a
clock which is armed again (next response, periodic update, a reply clock after a second message) or an agreement
between teams is reported as not covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.sla_timer.domain.clocks import ClockState, Reading, read_clock
from services.sla_timer.domain.history import Happening, RequestEvent, find_pauses
from services.sla_timer.domain.rules import BudgetKind, Objective, Rung, RungKind
from shared.worktime import WorkingTime
from tests.conformance.vectors.operations import Answers, Calendars
from tests.conformance.vectors.outcome import NotCovered, Vector, instant

_REPLY_CLOCKS = ("first_response", "response")
_CLOCKS = (*_REPLY_CLOCKS, "resolution")
_STARTS = ("created", "customer_message")
_BREACHED = (ClockState.BREACHED, ClockState.MISSED)


@dataclass(frozen=True, slots=True)
class _Clock:
    objective: Objective
    reading: Reading
    spent: timedelta

    @property
    def is_open(self) -> bool:
        return self.reading.ended_at is None

    @property
    def running_due(self) -> datetime | None:
        return self.reading.due_at if self.is_open else None


def case(vector: Vector, calendars: Calendars) -> Answers:
    objectives = _objectives(vector["policy"])
    evaluate_at = instant(vector["evaluate_at"])
    clocks = {
        o.code: _read(o, calendars[vector["calendar"]], _history(vector, evaluate_at), evaluate_at) for o in objectives
    }
    expected = {key: _comparable(value) for key, value in vector["expected"].items()}
    got = {key: _answer(key, value, clocks) for key, value in vector["expected"].items()}
    return got, expected


def _objectives(policy: Vector) -> list[Objective]:
    rungs = tuple(
        Rung(RungKind.ESCALATION, rung["level"], after=timedelta(seconds=rung["offset_seconds"]))
        for rung in policy.get("escalations", ())
    )
    objectives = []
    for name, seconds in policy.items():
        if name in ("pause_states", "escalations"):
            continue
        if name not in _CLOCKS:
            raise NotCovered(f"no {name} clock yet")
        objectives.append(
            Objective(
                code=name,
                budget=timedelta(seconds=seconds),
                budget_kind=BudgetKind.WORKING,
                stops=frozenset({"responded", "closed"} if name in _REPLY_CLOCKS else {"closed"}),
                paused_by=frozenset(policy.get("pause_states", {}).get(name, ())),
                ladder=(Rung(RungKind.BREACH, 1), *rungs),
            )
        )
    return objectives


def _history(vector: Vector, until: datetime) -> list[RequestEvent]:
    history: list[RequestEvent] = []
    state: str | None = None

    def add(at: datetime, happening: Happening, value: str | None = None) -> None:
        history.append(RequestEvent(len(history) + 1, happening, at, at, value))

    for event in vector["events"]:
        at = instant(event["at"])
        if at > until:
            continue
        match event["type"]:
            case "created" | "customer_message" if not history:
                add(at, Happening.SUBMITTED)
            case "customer_message" if "response" in vector["policy"]:
                raise NotCovered("no reply clock that a second message arms again yet")
            case "customer_message":
                continue
            case "agent_reply":
                add(at, Happening.RESPONDED)
            case "resolved" | "closed":
                add(at, Happening.CLOSED, event["type"])
            case "state":
                if state is not None:
                    add(at, Happening.RESUMED, state)
                state = event["value"]
                add(at, Happening.PAUSED, state)
            case other:
                raise NotCovered(f"no {other} event yet")
    return history


def _read(objective: Objective, working: WorkingTime, history: Sequence[RequestEvent], at: datetime) -> _Clock:
    reading = read_clock(objective, working, frozenset(), history, at)
    end = reading.ended_at or at
    pauses = find_pauses(history, objective.paused_by).until(end)
    return _Clock(objective, reading, working.elapsed(reading.started_at, end, pauses.closed))


def _answer(key: str, expected: Any, clocks: dict[str, _Clock]) -> Any:
    if key in clocks:
        state = clocks[key].reading.state
        return expected if state is ClockState.MISSED and expected in _BREACHED else str(state)
    name = key.removesuffix("_due")
    if name in clocks:
        return clocks[name].running_due
    name = key.removesuffix("_elapsed_seconds")
    if name in clocks:
        return clocks[name].spent.total_seconds()
    match key:
        case "breaches":
            return [(n, c.reading.due_at) for n, c in clocks.items() if c.reading.state in _BREACHED]
        case "breach_count":
            return {name: int(clocks[name].reading.state in _BREACHED) for name in expected}
        case "next_due":
            return min((due for c in clocks.values() if (due := c.running_due) is not None), default=None)
        case "fired_levels":
            return sorted((level, at) for level, at, fired in _levels(clocks) if fired)
        case "next_level_at":
            return min((at for _, at, fired in _levels(clocks) if not fired), default=None)
        case _:
            raise NotCovered(f"{key} is not answered yet")


def _levels(clocks: dict[str, _Clock]) -> list[tuple[int, datetime, bool]]:
    clock = clocks.get("resolution") or next(iter(clocks.values()))
    return [
        (rung.level, at, clock.reading.holds(index))
        for index, rung in enumerate(clock.objective.ladder)
        if rung.kind is RungKind.ESCALATION and (at := clock.reading.rung_ats[index]) is not None
        if clock.reading.holds(index) or clock.reading.is_pending(index)
    ]


def _comparable(value: Any) -> Any:
    """JSON as Python values: instants as datetimes, pairs as tuples."""
    if isinstance(value, list):
        return [tuple(_comparable(part) for part in pair) for pair in value]
    if isinstance(value, str) and value[:1].isdigit():
        return instant(value)
    return value
