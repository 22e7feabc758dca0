"""Compares two readings of a clock: what was decided in between, and what turned out not to have come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.sla_timer.domain.announcements import Announcement, announce
from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Clock, ClockState, Course, Reading, clock_id, read_clocks
from services.sla_timer.domain.deadlines import RungInstant, Target
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.rules import RungKey
from shared.values import value

LATE_NEWS = "late_news"
"""Why a clock is cancelled that, as is known now, never began."""


@value
class Decision:
    """A rung that was decided; its key is unique among the standing ones."""

    clock_id: UUID
    cycle: int
    key: RungKey
    true_at: datetime


@value
class Withdrawal:
    """A rung that turned out not to have come."""

    clock_id: UUID
    cycle: int
    key: RungKey


@value
class Step:
    """What one event or tick did to one clock.

    Attributes:
        before: as it was; None for a clock that starts.
        clock: as it is now; its ``said`` is still that of before.
        is_rearmed: its timer has to be set anew.
    """

    before: Clock | None
    clock: Clock
    is_rearmed: bool
    announcements: tuple[Announcement, ...]
    decisions: tuple[Decision, ...]
    withdrawals: tuple[Withdrawal, ...]


def objectives_of(case: Case, clocks: Mapping[str, Sequence[Clock]]) -> Sequence[str]:
    """Every objective that was ever promised or, as was believed before late news came, has clocks.

    Args:
        clocks: by objective.
    """
    codes = case.objectives()
    return codes if len(case.terms) == 1 else list(dict.fromkeys([*codes, *clocks]))


def concerns(case: Case, code: str, clocks: Sequence[Clock], entry: RequestEvent) -> bool:
    """Whether the clocks of an objective have to be read for an entry that has joined the history.

    When not, reading them would say nothing. They have to be read, whatever the entry says, when a rung came before
    the last of the history was recorded and its timer has not fired yet.

    Args:
        clocks: all cycles of the objective.
    """
    is_open, ended_at = not clocks, None
    for clock in clocks:
        reading = clock.reading
        if reading.next_at is not None and reading.next_at <= case.known_at:
            return True
        if reading.ended_at is None:
            is_open = True
        elif reading.cause != LATE_NEWS and (ended_at is None or ended_at < reading.ended_at):
            ended_at = reading.ended_at
    meaning = entry.meaning
    if not meaning.concerns_every_clock:
        if entry.happening is Happening.EXTENDED:
            return entry.value == code
        promised = [terms.policy.objective(code) for terms in case.terms]
        if all(objective is None or meaning.words.isdisjoint(objective.alphabet) for objective in promised):
            return False
    at, latest = case.timeline[-1]
    if is_open or ended_at is None or at <= ended_at:
        return True
    if latest is not entry or case.timeline[-2][0] == at:
        return True  # what occurred at the same instant or later may mean something else now
    objective = case.now.policy.objective(code)
    return objective is not None and not meaning.words.isdisjoint(objective.starts)  # what has ended is frozen


def advance(
    case: Case, code: str, clocks: Sequence[Clock], read_at: datetime, event: RequestEvent | None = None
) -> list[Step]:
    """Read an objective again, up to ``read_at``, as far as it was read before, or to the last that is known of the
    request, whichever is latest.

    Args:
        clocks: every cycle known before.
        event: the entry that is news; None when only time has passed.

    Returns:
        A step for each clock that changed.
    """
    known: dict[int, Clock] = {}
    read_at = max(read_at, case.known_at)
    for clock in clocks:
        known[clock.cycle] = clock
        read_at = max(read_at, clock.reading.read_at)
    steps: list[Step] = []
    for course in read_clocks(case, code, read_at):
        step = _step(case, code, known.pop(course.cycle.number, None), course, event)
        if step is not None:
            steps.append(step)
    for clock in known.values():
        step = _void(case, clock, read_at)
        if step is not None:
            steps.append(step)
    return steps


def start(case: Case, read_at: datetime) -> list[Step]:
    """The clocks that a request begins with."""
    return [step for code in case.objectives() for step in advance(case, code, (), read_at)]


def _step(case: Case, code: str, before: Clock | None, course: Course, event: RequestEvent | None) -> Step | None:
    after, target = course.reading, course.target
    old = before.reading if before is not None else None
    if before is not None and before.reading.says_the_same(after) and _is_promised_as_before(before, target):
        return None
    is_rearmed = old is None or (old.next_at, old.next_rung) != (after.next_at, after.next_rung)
    clock = Clock(
        clock_id=before.clock_id if before is not None else clock_id(case.request_id, code),
        request_id=case.request_id,
        objective=code,
        cycle=course.cycle.number,
        generation=1 if before is None else before.generation + is_rearmed,
        said=0 if before is None else before.said,
        policy=target.terms.policy.code,
        policy_version=target.terms.rulebook.version,
        mode=target.mode,
        party=target.objective.party.value,
        reading=after,
    )
    held = old.held if old is not None else ()
    news: Sequence[RungInstant] = ()
    withdrawn: Sequence[RungKey] = ()
    if held != after.held:
        known, standing = frozenset(held), frozenset(after.held)
        news = [came for came in course.came if came[0] not in known]
        withdrawn = [key for key in held if key not in standing]
    return Step(
        before=before,
        clock=clock,
        is_rearmed=is_rearmed,
        announcements=tuple(announce(case, clock, course, old, news, withdrawn, event)),
        decisions=tuple([Decision(clock.clock_id, clock.cycle, key, at) for key, at, _ in news]),
        withdrawals=tuple([Withdrawal(clock.clock_id, clock.cycle, key) for key in withdrawn]),
    )


def _is_promised_as_before(clock: Clock, target: Target) -> bool:
    """Other rules or another mode may leave the deadline where it was; the clock says nevertheless whose it is."""
    terms = target.terms
    return (
        clock.policy_version == terms.rulebook.version
        and clock.mode is target.mode
        and clock.policy == terms.policy.code
    )


def _void(case: Case, clock: Clock, read_at: datetime) -> Step | None:
    """Late news has shown that a cycle never began."""
    old = clock.reading
    if old.state is ClockState.CANCELLED and old.cause == LATE_NEWS:
        return None
    reading = Reading(
        state=ClockState.CANCELLED,
        started_at=old.started_at,
        due_at=old.due_at or old.started_at,
        ended_at=old.started_at,
        is_paused=False,
        held=(),
        next_at=None,
        next_rung=None,
        cause=LATE_NEWS,
        read_at=read_at,
    )
    voided = replace(clock, generation=clock.generation + (old.next_at is not None), reading=reading)
    return Step(
        before=clock,
        clock=voided,
        is_rearmed=old.next_at is not None,
        announcements=tuple(announce(case, voided, None, old, [], frozenset(old.held), None)),
        decisions=(),
        withdrawals=tuple(Withdrawal(clock.clock_id, clock.cycle, key) for key in old.held),
    )


def by_objective(clocks: Mapping[tuple[str, int], Clock]) -> dict[str, list[Clock]]:
    """Clocks by objective, each in the order of its cycles."""
    found: dict[str, list[Clock]] = {}
    for code, cycle in sorted(clocks):
        found.setdefault(code, []).append(clocks[code, cycle])
    return found
