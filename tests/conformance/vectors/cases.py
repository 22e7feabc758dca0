"""Behaviour cases: ticket events go through the clock fold as request events, one by one, as the service does it.

What the words of a vector mean here:

* ``created``, or the customer's message when that comes first, submits the request.
* ``first_response`` runs from there to the first reply. ``response`` is owed again after each unanswered message, a run
  of messages being one. ``next_response`` is owed likewise, but not for what a first response answers.
* ``periodic_update`` is owed since the last reply.
* ``resolution`` and every clock of another name run until the request is resolved or closed; ``ola...`` from
  ``ola_attached`` on.
* A state is a pause until the next state; the clocks whose ``pause_states`` name it stand still.
* ``breached`` is a clock past its deadline, whether it runs on or was stopped late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.sla_timer.domain.case import Case, open_case
from services.sla_timer.domain.clocks import Clock, ClockState, read_clocks
from services.sla_timer.domain.decisions import Decision, advance, by_objective, concerns
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.rules import Budget, BudgetKind, Objective, Policy, Rulebook, Rung, RungKey, RungKind
from shared.contracts.payload import Market
from shared.rules.conditions import ALWAYS
from shared.worktime import WorkingTime
from tests.conformance.vectors.operations import Answers, Calendars
from tests.conformance.vectors.outcome import NotCovered, Vector, instant

_REQUEST_ID = UUID("01977c00-0000-7000-8000-000000000001")
_FACTS = Facts(kind="claim", market="HK", channel="app", priority="normal", customer_tier="standard")
_NO_CLOCKS = ("pause_states", "escalations")
_BREACHED = (ClockState.BREACHED, ClockState.MISSED)
_OVER = ("resolved", "closed")
_LEVELS = (RungKind.WARNING, RungKind.ESCALATION)

_SUBMITTED, _MESSAGE, _OPENED = frozenset({"submitted"}), frozenset({"message_received"}), {"submitted", "reopened"}
_CLOSED, _ANSWERED = frozenset({"closed"}), frozenset({"responded", "closed"})
_SHAPES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "first_response": (_SUBMITTED, _ANSWERED),
    "response": (_SUBMITTED | _MESSAGE, _ANSWERED),
    "next_response": (_MESSAGE, _ANSWERED),
    "periodic_update": (frozenset({"responded", "customer_informed"}), _ANSWERED | {"customer_informed"}),
}
_HAPPENINGS: Mapping[str, Happening] = {
    "agent_reply": Happening.RESPONDED,
    "customer_message": Happening.MESSAGE_RECEIVED,
    "customer_informed": Happening.CUSTOMER_INFORMED,
    "resolved": Happening.CLOSED,
    "closed": Happening.CLOSED,
    "reopened": Happening.REOPENED,
    "cancelled": Happening.CANCELLED,
    "merged": Happening.MERGED,
}


@dataclass
class Fold:
    """A request and its clocks after the events told so far."""

    rulebook: Rulebook
    history: list[RequestEvent] = field(default_factory=list)
    clocks: dict[tuple[str, int], Clock] = field(default_factory=dict)
    standing: dict[tuple[str, int, RungKey], Decision] = field(default_factory=dict)

    def tell(self, event: RequestEvent) -> None:
        self.history.append(event)
        case, clocks = self.case(), by_objective(self.clocks)
        for code in case.objectives():
            if concerns(case, code, clocks.get(code, []), event):
                self._read(code, event.recorded_at, event)

    def tick(self, now: datetime) -> None:
        for code in by_objective(self.clocks):
            self._read(code, now, None)

    def _read(self, code: str, read_at: datetime, event: RequestEvent | None) -> None:
        mine = by_objective(self.clocks).get(code, [])
        for step in advance(self.case(), code, mine, read_at, event):
            place = (code, step.clock.cycle)
            self.clocks[place] = step.clock
            for withdrawal in step.withdrawals:
                del self.standing[(*place, withdrawal.key)]
            for decision in step.decisions:
                self.standing[(*place, decision.key)] = decision

    def case(self) -> Case:
        return open_case(_REQUEST_ID, "vector", self.history, _FACTS, 1, lambda _: self.rulebook)


@dataclass(frozen=True, slots=True)
class _Answered:
    """One cycle of a clock as it stands.

    Attributes:
        levels: what is told before and after the deadline, with its instant, and whether it has come.
    """

    code: str
    state: ClockState
    due_at: datetime | None
    is_open: bool
    spent: timedelta
    levels: tuple[tuple[int, datetime, bool], ...]

    @property
    def running_due(self) -> datetime | None:
        return self.due_at if self.is_open else None


def case(vector: Vector, calendars: Calendars) -> Answers:
    names = [name for name in vector["policy"] if name not in _NO_CLOCKS]
    evaluate_at = instant(vector["evaluate_at"])
    policy = Policy("vector", ALWAYS, tuple(_objective(name, vector["policy"]) for name in names))
    rulebook = Rulebook(1, (policy,), {"given": calendars[vector["calendar"]]}, dict.fromkeys(Market, "given"))
    fold = Fold(rulebook)
    for event in _history(vector, evaluate_at):
        fold.tell(event)
    fold.tick(evaluate_at)
    cycles = {name: _cycles(fold, name, calendars[vector["calendar"]], evaluate_at) for name in names}
    expected = {key: _comparable(key, value) for key, value in vector["expected"].items()}
    got = {key: _answer(key, value, cycles) for key, value in vector["expected"].items()}
    return got, expected


def _objective(name: str, policy: Vector) -> Objective:
    starts, stops = _SHAPES.get(name, (_OPENED, _CLOSED))
    if name.startswith("ola"):
        starts = frozenset({"signalled:ola_attached"})
        stops = _ANSWERED if "response" in name or "own" in name else _CLOSED
    pause_states = policy.get("pause_states", {})
    rungs = tuple(
        _rung(rung["level"], timedelta(seconds=rung["offset_seconds"])) for rung in policy.get("escalations", ())
    )
    return Objective(
        code=name,
        budget=Budget(BudgetKind.WORKING, timedelta(seconds=policy[name])),
        starts=frozenset(starts),
        stops=stops,
        paused_by=frozenset(pause_states.get(name, ()) if isinstance(pause_states, Mapping) else pause_states),
        ladder=(Rung(RungKind.BREACH, 1), *rungs),
    )


def _rung(level: int, offset: timedelta) -> Rung:
    """In open seconds, as all of a vector; what lies before the deadline is a warning."""
    kind = RungKind.WARNING if offset < timedelta(0) else RungKind.ESCALATION
    return Rung(kind, level, after=offset, counts=BudgetKind.WORKING)


def _history(vector: Vector, until: datetime) -> list[RequestEvent]:
    told = [(happening, at, value) for at, happening, value in _told(vector) if at <= until]
    return [RequestEvent(number, what, at, at, value) for number, (what, at, value) in enumerate(told, start=1)]


def _told(vector: Vector) -> Iterator[tuple[datetime, Happening, str | None]]:
    state: str | None = None
    is_first, is_over = True, False
    is_answered = "first_response" not in vector["policy"]  # until then messages are its affair, not the next one's
    for event in vector["events"]:
        at, kind, value = instant(event["at"]), event["type"], event.get("value")
        if is_first:
            is_first = False
            yield at, Happening.SUBMITTED, None
        if kind == "agent_reply":
            is_answered = True
        if kind == "customer_message" and not is_answered:
            continue
        if kind == "state" and value in _OVER:
            kind = value
        if kind in (*_OVER, "cancelled", "merged"):
            is_over = True
        elif kind == "reopened" or (kind == "state" and is_over):
            if kind == "state":
                yield at, Happening.REOPENED, None
            is_over = False
        if kind == "state":
            if state is not None:
                yield at, Happening.RESUMED, state
            state = value
            yield at, Happening.PAUSED, state
        elif kind in _HAPPENINGS:
            yield at, _HAPPENINGS[kind], value if kind not in _OVER else kind
        elif kind != "created":
            yield at, Happening.SIGNALLED, kind


def _cycles(fold: Fold, name: str, working: WorkingTime, at: datetime) -> list[_Answered]:
    if not fold.history:
        return []
    found: list[_Answered] = []
    for course in read_clocks(fold.case(), name, at):
        number = course.cycle.number
        reading = fold.clocks[name, number].reading
        assert reading.says_the_same(course.reading), f"{name}: told one by one and read at once differ"
        end = min(reading.ended_at or at, at)
        spent = working.elapsed(reading.started_at, end, course.pauses.until(end).closed)
        came = [(key.level, at, True) for key, at, _ in course.came if key.kind in _LEVELS]
        assert all((name, number, key) in fold.standing for key in reading.held), f"{name}: not decided"
        to_come = [(key.level, at, False) for key, at, _ in course.to_come if key.kind in _LEVELS]
        is_open = reading.ended_at is None
        found.append(_Answered(name, reading.state, reading.due_at, is_open, spent, (*came, *to_come)))
    return found


def _answer(key: str, expected: Any, cycles: Mapping[str, Sequence[_Answered]]) -> Any:
    last = {name: found[-1] if found else None for name, found in cycles.items()}
    if key in last:
        return _state(last[key], expected)
    name = key.removesuffix("_elapsed_seconds")
    if name != key and name in last:
        clock = last[name]
        return clock.spent.total_seconds() if clock is not None else 0.0
    name = key.removesuffix("_due")
    if name != key and name in last:
        clock = last[name]
        return clock.running_due if clock is not None else None
    every = [cycle for found in cycles.values() for cycle in found]
    match key:
        case "breaches":
            return sorted((cycle.code, cycle.due_at) for cycle in every if cycle.state in _BREACHED)
        case "breach_count":
            counts = {name: sum(cycle.state in _BREACHED for cycle in found) for name, found in cycles.items()}
            return {name: counts[name] for name in expected} if isinstance(expected, Mapping) else sum(counts.values())
        case "next_due":
            return min((due for cycle in every if (due := cycle.running_due) is not None), default=None)
        case "fired_levels":
            return sorted((level, at) for level, at, has_come in _levels(last) if has_come)
        case "next_level_at":
            return min((at for _, at, has_come in _levels(last) if not has_come), default=None)
        case _:
            raise NotCovered(f"{key} is not answered yet")


def _state(clock: _Answered | None, expected: Any) -> Any:
    if clock is None:
        return None
    return expected if clock.state is ClockState.MISSED and expected in _BREACHED else clock.state.value


def _levels(last: Mapping[str, _Answered | None]) -> tuple[tuple[int, datetime, bool], ...]:
    """Of the resolution, or of the only clock there is."""
    clock = last.get("resolution") or next((clock for clock in last.values() if clock is not None), None)
    return clock.levels if clock is not None else ()


def _comparable(key: str, value: Any) -> Any:
    """JSON as Python values: instants as datetimes, pairs as tuples; lists in order, whatever the file's."""
    if isinstance(value, list):
        pairs = [tuple(_comparable(key, part) for part in pair) for pair in value]
        return sorted(pairs)
    if isinstance(value, str) and value[:1].isdigit():
        return instant(value)
    return value
