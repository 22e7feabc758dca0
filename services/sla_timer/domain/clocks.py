"""A clock is read, not kept: its state follows from the request's history and the instant up to which it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.cycles import Cycle, find_cycles
from services.sla_timer.domain.deadlines import RungInstant, Target, find_target, pauses_under, rungs_of
from services.sla_timer.domain.pauses import NO_PAUSES, Pauses
from services.sla_timer.domain.rules import Mode, RungKey
from shared.values import value


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    BREACHED = "breached"  # and running on, or paused
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"


@value
class Reading:
    """What a history says about a clock.

    Attributes:
        due_at: None while the clock stands still before its deadline.
        ended_at: the stop or the cancellation.
        is_paused: it stands still; a breached clock can.
        held: the rungs that came true, in the order of their keys.
        next_at, next_rung: the rung that comes next; None when none is known to come.
        cause: why it was cancelled; None otherwise.
        read_at: everything that came true until then is in here.
    """

    state: ClockState
    started_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    is_paused: bool
    held: tuple[RungKey, ...]
    next_at: datetime | None
    next_rung: RungKey | None
    cause: str | None
    read_at: datetime

    def says_the_same(self, other: Reading) -> bool:
        """Whether only the instant of reading differs."""
        return (
            self.state is other.state
            and self.due_at == other.due_at
            and self.next_at == other.next_at
            and self.ended_at == other.ended_at
            and self.started_at == other.started_at
            and self.is_paused is other.is_paused
            and self.next_rung == other.next_rung
            and self.held == other.held
            and self.cause == other.cause
        )

    @property
    def is_kept(self) -> bool | None:
        """Whether the promise was kept; None while it is open, or when it was cancelled before its deadline."""
        if self.ended_at is None or self.due_at is None:
            return None
        if self.state is ClockState.CANCELLED:
            return False if self.due_at < self.ended_at else None
        return self.state is ClockState.MET


@value
class Course:
    """A cycle as it was read, with everything that explains it.

    Attributes:
        came: the rungs that came true, with their instants, in the order of these.
        to_come: those known to come.
        resets: how often the count had begun anew.
    """

    cycle: Cycle
    target: Target
    pauses: Pauses
    came: tuple[RungInstant, ...]
    to_come: tuple[RungInstant, ...]
    reading: Reading
    resets: int


@value
class Timer:
    """The rung of a clock that comes next.

    Attributes:
        generation: of the clock when the timer was set; a timer of an older one is void.
    """

    request_id: UUID
    objective: str
    cycle: int
    key: RungKey
    generation: int
    due_at: datetime


@value
class Clock:
    """One cycle of one objective on one request, as it was last read.

    Attributes:
        generation: rises whenever the next rung is another, so that older timers are void.
        said: the number of the last announcement made about it, in the request's numbering; 0 before the first.
        policy, policy_version, mode, party: what it is promised under.
    """

    clock_id: UUID
    request_id: UUID
    objective: str
    cycle: int
    generation: int
    said: int
    policy: str
    policy_version: int
    mode: Mode
    party: str
    reading: Reading

    @property
    def timer(self) -> Timer | None:
        """None when no rung is known to come."""
        reading = self.reading
        if reading.next_at is None or reading.next_rung is None:
            return None
        key = reading.next_rung
        return Timer(self.request_id, self.objective, self.cycle, key, self.generation, reading.next_at)

    def having_said(self, said: int) -> Clock:
        """The same after another announcement."""
        return Clock(
            self.clock_id,
            self.request_id,
            self.objective,
            self.cycle,
            self.generation,
            said,
            self.policy,
            self.policy_version,
            self.mode,
            self.party,
            self.reading,
        )


@lru_cache(maxsize=65536)
def clock_id(request_id: UUID, objective: str) -> UUID:
    """The same for the same request and objective, whoever computes it; sorts beside the request's id (UUIDv7)."""
    digest = hashlib.sha256(request_id.bytes + objective.encode()).digest()
    value = int.from_bytes(request_id.bytes[:6] + digest[:10], "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def read_clocks(case: Case, code: str, read_at: datetime) -> list[Course]:
    """Read every cycle of an objective up to ``read_at``, one that has ended to its end.

    A stop at the very instant of the deadline is in time; a rung at the very instant of the end did not come.
    """
    cycles = find_cycles(case, code)
    courses: dict[int, Course] = case.remembered.setdefault(f"{code}/courses", {})
    read: list[Course] = []
    for cycle in cycles:
        course = courses.get(cycle.number)
        if course is None or course.reading.ended_at is None:  # what has ended is frozen
            course = courses[cycle.number] = _read(case, code, cycle, read_at, course)
        read.append(course)
    return read


def _read(case: Case, code: str, cycle: Cycle, read_at: datetime, before: Course | None) -> Course:
    if before is not None and _still_serves(before, case, cycle):
        target = before.target
        rungs: Iterable[RungInstant] = (*before.came, *before.to_come)
    else:
        target = find_target(case, code, cycle)
        rungs = rungs_of(target, cycle, read_at if cycle.ended_at is None else cycle.ended_at)
    if cycle.ended_at is not None:
        return _ended(cycle, cycle.ended_at, target, rungs, read_at)
    due_at, pauses = target.due_at, target.pauses
    came: list[RungInstant] = []
    to_come: list[RungInstant] = []
    for rung in rungs:
        (came if rung[1] <= read_at else to_come).append(rung)
    next_rung = min(to_come, key=_instant) if to_come else None
    is_paused = pauses is not NO_PAUSES and pauses.cover(read_at)
    if due_at is not None and due_at <= read_at:
        state = ClockState.BREACHED
    else:
        state = ClockState.PAUSED if is_paused else ClockState.RUNNING
    reading = Reading(
        state,
        cycle.started_at,
        due_at,
        None,
        is_paused,
        _keys(came),
        next_rung[1] if next_rung is not None else None,
        next_rung[0] if next_rung is not None else None,
        None,
        read_at,
    )
    return Course(cycle, target, pauses, _in_order(came), tuple(to_come), reading, len(cycle.reset_ats))


def _ended(cycle: Cycle, ended_at: datetime, target: Target, rungs: Iterable[RungInstant], read_at: datetime) -> Course:
    due_at = target.due_at
    came = [rung for rung in rungs if rung[1] < ended_at]
    if cycle.is_cancelled:
        state = ClockState.CANCELLED
    else:
        assert due_at is not None  # every pause ends with the cycle
        state = ClockState.MET if ended_at <= due_at else ClockState.MISSED
    cause = cycle.cause if cycle.is_cancelled else None
    reading = Reading(state, cycle.started_at, due_at, ended_at, False, _keys(came), None, None, cause, read_at)
    return Course(cycle, target, target.pauses, _in_order(came), (), reading, len(cycle.reset_ats))


def _still_serves(before: Course, case: Case, cycle: Cycle) -> bool:
    """Whether a target and its rungs, read before, hold for a history that has grown."""
    target = before.target
    if (
        len(case.terms) > 1
        or case.has_extensions
        or len(cycle.reset_ats) != before.resets
        or target.objective.has_repetitions
    ):
        return False
    pauses = pauses_under(case, target.objective, target.working, cycle)
    return pauses is before.pauses or pauses == before.pauses


def _keys(rungs: list[RungInstant]) -> tuple[RungKey, ...]:
    return tuple(sorted([rung[0] for rung in rungs])) if len(rungs) > 1 else tuple([rung[0] for rung in rungs])


def _in_order(rungs: list[RungInstant]) -> tuple[RungInstant, ...]:
    if len(rungs) > 1:
        rungs.sort(key=_instant)
    return tuple(rungs)


def _instant(rung: RungInstant) -> datetime:
    return rung[1]
