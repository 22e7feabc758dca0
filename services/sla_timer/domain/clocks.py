"""A clock is read, not kept: its state follows from the request's history and the instant up to which it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.sla_timer.domain.history import Pauses, RequestEvent, find_pauses, first_stop
from services.sla_timer.domain.rules import Objective, Rung, RungKey, RungKind
from shared.worktime import ALWAYS_OPEN, WorkingTime

_ELAPSED = WorkingTime(ALWAYS_OPEN)


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    BREACHED = "breached"  # and running on, or paused
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a history says about a clock.

    Attributes:
        due_at: None while the clock stands still before its deadline.
        ended_at: the stop or the cancellation.
        is_paused: it stands still; a breached clock can.
        rung_ats: when each rung of the ladder comes, in the ladder's order; None while a pause is in the way.
        read_at: everything that came true until then is in here.
    """

    state: ClockState
    started_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    is_paused: bool
    rung_ats: tuple[datetime | None, ...]
    read_at: datetime

    @property
    def is_kept(self) -> bool | None:
        """Whether the promise was kept; None while it is open, or when it was cancelled before its deadline."""
        if self.ended_at is None or self.due_at is None:
            return None
        if self.state is ClockState.CANCELLED:
            return False if self.due_at < self.ended_at else None
        return self.state is ClockState.MET

    def holds(self, index: int) -> bool:
        """Whether the rung came true: it came before the end, and not after the instant of reading."""
        at = self.rung_ats[index]
        return at is not None and at <= self.read_at and (self.ended_at is None or at < self.ended_at)

    def is_pending(self, index: int) -> bool:
        """Whether the rung still needs a timer."""
        at = self.rung_ats[index]
        return at is not None and self.ended_at is None and at > self.read_at


@dataclass(frozen=True, slots=True)
class Timer:
    """A rung that will come.

    Attributes:
        generation: of the clock when the timer was set; a timer of an older one is void.
    """

    clock_id: UUID
    request_id: UUID
    cycle: int
    key: RungKey
    generation: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """One objective on one request.

    Attributes:
        cycle: 1, then one more for each reopening.
        generation: rises whenever the rungs move, so that older timers are void.
    """

    clock_id: UUID
    request_id: UUID
    objective: str
    cycle: int
    generation: int
    reading: Reading

    def timers(self, ladder: Sequence[Rung]) -> list[Timer]:
        """The rungs that are still to come."""
        return [
            Timer(self.clock_id, self.request_id, self.cycle, rung.key, self.generation, at)
            for index, (rung, at) in enumerate(zip(ladder, self.reading.rung_ats, strict=True))
            if at is not None and self.reading.is_pending(index)
        ]


def clock_id(request_id: UUID, objective: str) -> UUID:
    """The same for the same request and objective, whoever computes it; sorts beside the request's id (UUIDv7)."""
    digest = hashlib.sha256(request_id.bytes + objective.encode()).digest()
    value = int.from_bytes(request_id.bytes[:6] + digest[:10], "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def read_clock(
    objective: Objective,
    working: WorkingTime,
    cancelled_by: frozenset[str],
    history: Sequence[RequestEvent],
    read_at: datetime,
) -> Reading:
    """Fold a history, the submission first, in the order in which it was said, up to ``read_at``.

    A stop at the very instant of the deadline is in time; a rung at the very instant of the end did not come.
    """
    started_at = history[0].occurred_at
    ending = first_stop(history, objective.stops, cancelled_by)
    ended_at = max(started_at, ending[0].occurred_at) if ending is not None else None
    pauses = find_pauses(history, objective.paused_by)
    if ended_at is not None:
        pauses = pauses.until(ended_at)
    due_at = _not_in_pause(working.due(started_at, objective.budget, pauses.closed), pauses)
    rung_ats = tuple(_rung_at(rung, objective, working, started_at, due_at, pauses) for rung in objective.ladder)
    is_paused = pauses.open_since is not None
    if ended_at is not None and due_at is not None:
        is_cancelled = ending is not None and ending[1]
        state = ClockState.CANCELLED if is_cancelled else ClockState.MET if ended_at <= due_at else ClockState.MISSED
    elif due_at is not None and due_at <= read_at:
        state = ClockState.BREACHED
    else:
        state = ClockState.PAUSED if is_paused else ClockState.RUNNING
    return Reading(state, started_at, due_at, ended_at, is_paused, rung_ats, read_at)


def _rung_at(
    rung: Rung,
    objective: Objective,
    working: WorkingTime,
    started_at: datetime,
    due_at: datetime | None,
    pauses: Pauses,
) -> datetime | None:
    if rung.fraction is not None:
        return _not_in_pause(working.due(started_at, objective.budget * rung.fraction, pauses.closed), pauses)
    if due_at is None or rung.kind is RungKind.BREACH:
        return due_at
    if rung.after < timedelta(0):
        return max(started_at, due_at + rung.after)
    return _not_in_pause(_ELAPSED.due(due_at, rung.after, pauses.closed), pauses)


def _not_in_pause(at: datetime, pauses: Pauses) -> datetime | None:
    """None when the clock stands still before ``at``: the instant depends on when it goes on."""
    return at if pauses.open_since is None or at <= pauses.open_since else None
