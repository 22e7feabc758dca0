"""Compares stored clocks with what their history says: every clock is read anew, from the submission on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Clock, ClockState, Course, read_clocks
from services.sla_timer.domain.decisions import LATE_NEWS, by_objective
from services.sla_timer.domain.rules import RungKey
from shared.values import value


@value
class Difference:
    """Attributes:
    field: what is different; ``clock`` where one of the two has none.
    """

    objective: str
    cycle: int
    field: str
    stored: Any
    rebuilt: Any


def verify(case: Case, clocks: Mapping[tuple[str, int], Clock]) -> list[Difference]:
    """Rebuild a request's clocks and compare."""
    stored = by_objective(clocks)
    found: list[Difference] = []
    for code in dict.fromkeys([*case.objectives(), *stored]):
        mine = {clock.cycle: clock for clock in stored.get(code, ())}
        courses = {c.cycle.number: c for c in read_clocks(case, code, _read_until(case, stored.get(code, ())))}
        for cycle in sorted({*mine, *courses}):
            found += _compare(code, cycle, mine.get(cycle), courses.get(cycle))
    return found


def verify_decisions(clock: Clock, standing: Collection[str]) -> list[Difference]:
    """Compare the rungs that held with the decisions that stand, both as ``kind:level``."""
    held = set(_words(clock.reading.held))
    if held == set(standing):
        return []
    return [Difference(clock.objective, clock.cycle, "decisions", sorted(standing), sorted(held))]


def _read_until(case: Case, clocks: Sequence[Clock]) -> datetime:
    """As far as the clocks were read: to the last timer or the last entry, whichever came later.

    An entry that changed nothing left the instant of the reading as it was.
    """
    told = max(entry.recorded_at for entry in case.history)
    return max([told, *(clock.reading.read_at for clock in clocks if clock.reading.ended_at is None)])


def _compare(code: str, cycle: int, clock: Clock | None, course: Course | None) -> list[Difference]:
    if clock is None:
        assert course is not None
        return [Difference(code, cycle, "clock", None, course.reading.state.value)]
    if course is None:
        reading = clock.reading
        is_void = reading.state is ClockState.CANCELLED and reading.cause == LATE_NEWS
        return [] if is_void else [Difference(code, cycle, "clock", reading.state.value, None)]
    stored, rebuilt = _columns(clock), _columns_of(course)
    return [
        Difference(code, cycle, name, stored[name], rebuilt[name]) for name in stored if stored[name] != rebuilt[name]
    ]


def _columns(clock: Clock) -> dict[str, Any]:
    reading = clock.reading
    return {
        "state": reading.state.value,
        "started_at": reading.started_at,
        "due_at": reading.due_at,
        "ended_at": reading.ended_at,
        "is_paused": reading.is_paused,
        "held": _words(reading.held),
        "next_at": reading.next_at,
        "next_rung": None if reading.next_rung is None else _words([reading.next_rung])[0],
        "cause": reading.cause,
        "policy": clock.policy,
        "policy_version": clock.policy_version,
        "mode": clock.mode.value,
        "party": clock.party,
    }


def _columns_of(course: Course) -> dict[str, Any]:
    reading, target = course.reading, course.target
    return {
        "state": reading.state.value,
        "started_at": reading.started_at,
        "due_at": reading.due_at,
        "ended_at": reading.ended_at,
        "is_paused": reading.is_paused,
        "held": _words(reading.held),
        "next_at": reading.next_at,
        "next_rung": None if reading.next_rung is None else _words([reading.next_rung])[0],
        "cause": reading.cause,
        "policy": target.terms.policy.code,
        "policy_version": target.terms.rulebook.version,
        "mode": target.mode.value,
        "party": target.objective.party.value,
    }


def _words(rungs: Collection[RungKey]) -> list[str]:
    return [f"{kind.value}:{level}" for kind, level in rungs]
