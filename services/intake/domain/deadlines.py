"""What intake knows of a request's clocks: enough to show deadlines and an expected time. Told by sla_timer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.contracts.clocks import (
    ClockBreached,
    ClockBreachWithdrawn,
    ClockCancelled,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockPaused,
    ClockPayload,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockWarned,
)
from shared.errors import PunctualError

RESOLUTION = "resolution"
"""The objective whose deadline is the expected time, until there is history to predict from (DESIGN, section 4)."""


class DeadlineState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    BREACHED = "breached"
    """Passed, and the work goes on."""
    MET = "met"
    MISSED = "missed"
    """Stopped, after the deadline."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Deadline:
    """One objective of one request.

    Attributes:
        due_at: None while paused: a paused clock has no deadline.
        escalation_level: 0 until the first escalation.
    """

    clock_id: UUID
    request_id: UUID
    objective: str
    cycle: int
    state: DeadlineState = DeadlineState.RUNNING
    due_at: datetime | None = None
    stopped_at: datetime | None = None
    is_warned: bool = False
    escalation_level: int = 0


class ObjectiveUnknown(PunctualError):
    """No clock of the request is for this objective.

    Attributes:
        known: those that have one.
    """

    def __init__(self, objective: str, known: Iterable[str]) -> None:
        self.known = tuple(known)
        super().__init__(f"the request has no clock {objective}; known are {', '.join(self.known)}")


def check_objective(deadlines: Iterable[Deadline], objective: str) -> None:
    """More time for an objective without a clock would be lost without a word. Before any clock is known, all may be.

    Raises:
        ObjectiveUnknown: others are known, and this one is not.
    """
    known = dict.fromkeys(deadline.objective for deadline in deadlines)
    if known and objective not in known:
        raise ObjectiveUnknown(objective, known)


def follow(deadline: Deadline | None, payload: ClockPayload, occurred_at: datetime) -> Deadline:
    """The deadline after an event of its clock.

    Every event says enough to stand alone, so one whose predecessors were lost is shown as far as it goes. Late news
    about a cycle that another one followed changes nothing that is shown.
    """
    if deadline is not None and payload.cycle < deadline.cycle:
        return deadline
    if deadline is None or isinstance(payload, ClockStarted) or payload.cycle > deadline.cycle:
        deadline = Deadline(payload.clock_id, payload.request_id, payload.objective, payload.cycle)
    if isinstance(payload, ClockPaused | ClockResumed | ClockRetargeted):
        return _moved(deadline, payload, occurred_at)
    return _marked(deadline, payload)


def _moved(
    deadline: Deadline, payload: ClockPaused | ClockResumed | ClockRetargeted, occurred_at: datetime
) -> Deadline:
    """A breach stays a breach over pauses; only a new deadline that lies ahead takes it back.

    Late news may tell of a clock that had ended that it goes on.
    """
    if deadline.stopped_at is not None:
        goes_on = isinstance(payload, ClockPaused) or payload.due_at > occurred_at
        state = DeadlineState.RUNNING if goes_on else DeadlineState.BREACHED
        deadline = replace(deadline, state=state, stopped_at=None)
    is_breached = deadline.state is DeadlineState.BREACHED
    match payload:
        case ClockPaused():
            return deadline if is_breached else replace(deadline, state=DeadlineState.PAUSED, due_at=None)
        case ClockResumed(due_at=due_at):
            return replace(deadline, state=deadline.state if is_breached else DeadlineState.RUNNING, due_at=due_at)
        case ClockRetargeted(due_at=due_at):
            if deadline.state is DeadlineState.PAUSED:
                return deadline
            if is_breached and due_at > occurred_at:
                return replace(deadline, state=DeadlineState.RUNNING, due_at=due_at)
            return replace(deadline, due_at=due_at)


def _marked(deadline: Deadline, payload: ClockPayload) -> Deadline:
    match payload:
        case ClockStarted(due_at=due_at):
            return replace(deadline, due_at=due_at)
        case ClockWarned(due_at=due_at):
            return replace(deadline, is_warned=True, due_at=due_at)
        case ClockBreached(due_at=due_at):
            return replace(deadline, state=DeadlineState.BREACHED, due_at=due_at)
        case ClockEscalated(level=level, due_at=due_at):
            return replace(deadline, escalation_level=max(level, deadline.escalation_level), due_at=due_at)
        case ClockBreachWithdrawn(due_at=due_at) if deadline.state in {DeadlineState.BREACHED, DeadlineState.MISSED}:
            return replace(deadline, state=DeadlineState.RUNNING, due_at=due_at, stopped_at=None)
        case ClockMet(due_at=due_at, stopped_at=at):
            return replace(deadline, state=DeadlineState.MET, due_at=due_at, stopped_at=at)
        case ClockMissed(due_at=due_at, stopped_at=at):
            return replace(deadline, state=DeadlineState.MISSED, due_at=due_at, stopped_at=at)
        case ClockCancelled(cancelled_at=at):
            return replace(deadline, state=DeadlineState.CANCELLED, due_at=None, stopped_at=at)
        case _:  # a clock event of a newer contract, which changes nothing that is shown here
            return deadline


def expected_at(deadlines: Iterable[Deadline]) -> datetime | None:
    """When the customer may expect the end; None when nobody can say: not known yet, paused, passed or over."""
    for deadline in deadlines:
        if deadline.objective == RESOLUTION and deadline.state is DeadlineState.RUNNING:
            return deadline.due_at
    return None


def stands_still(deadlines: Iterable[Deadline]) -> bool:
    """Whether the expected time waits with the request: not every pause stops the clock, as its policy says."""
    return any(each.objective == RESOLUTION and each.state is DeadlineState.PAUSED for each in deadlines)


def overdue_since(deadlines: Iterable[Deadline]) -> datetime | None:
    """The expected time that passed while the work goes on: an apology is due."""
    for deadline in deadlines:
        if deadline.objective == RESOLUTION and deadline.state is DeadlineState.BREACHED:
            return deadline.due_at
    return None
