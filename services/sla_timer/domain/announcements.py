"""Puts what became true on a clock into the words of the contracts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Clock, ClockState, Course, Reading
from services.sla_timer.domain.deadlines import RESET, RungInstant, spent_at, spent_but_for_pause
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.pauses import NO_PAUSES, Pauses
from services.sla_timer.domain.rules import BudgetKind, Objective, RungKey, RungKind
from shared.contracts.clocks import (
    ClockBreached,
    ClockBreachWithdrawn,
    ClockCancelled,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockPaused,
    ClockPauseOverrun,
    ClockPayload,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockWarned,
)
from shared.values import value

LATE_NEWS = "late_news"
"""Why a deadline moved that nothing of now has moved: something was told out of its order."""

_MOVERS = frozenset({Happening.CHANGED, Happening.EXTENDED, Happening.POLICY_APPLIED, Happening.MODE_CHANGED})


@value
class Announcement:
    """Attributes:
    occurred_at: when it became true.
    kind: which event of the contracts it is.
    fields: its data, every field of it, in values that the contract would take as they are.
    """

    occurred_at: datetime
    kind: type[ClockPayload]
    fields: dict[str, Any]

    @property
    def data(self) -> ClockPayload:
        """The event's payload, checked."""
        return self.kind(**self.fields)


def announce(
    case: Case,
    clock: Clock,
    course: Course | None,
    before: Reading | None,
    news: Sequence[RungInstant],
    withdrawn: Collection[RungKey],
    event: RequestEvent | None,
) -> list[Announcement]:
    """What became true between ``before`` and the clock's reading now, in the order in which it is told.

    Args:
        course: None for a clock that turned out never to have begun.
        before: None for a clock that starts.
        news: the rungs that came, with their instants, in order.
        withdrawn: the rungs that turned out not to have come.
        event: what was told; None when only time has passed.
    """
    after = clock.reading
    common: dict[str, Any] = {
        "clock_id": clock.clock_id,
        "request_id": clock.request_id,
        "reference": case.reference,
        "objective": clock.objective,
        "cycle": clock.cycle,
        "policy": clock.policy,
        "policy_version": clock.policy_version,
        "party": clock.party,
        "mode": clock.mode.value,
    }
    pauses = course.pauses if course is not None else NO_PAUSES
    unwarned = tuple(sorted(key.level for key in withdrawn if key.kind is RungKind.WARNING))
    told: list[Announcement] = []
    if before is None and course is not None:
        told.append(_started(course, common))
    is_lifted = before is not None and (RungKind.BREACH, 1) in withdrawn
    if before is not None and is_lifted:
        told.append(_withdrawn(before, after, pauses, common))
    if course is not None and before is not None:
        if is_lifted and before.is_paused and after.is_paused:
            told += _paused(pauses, unwarned, common)  # it was told to be late, so what it is now has to be told
        told += _movement(before, after, pauses, _why(event, course.target.objective), unwarned, common)
    elif before is None and after.is_paused:
        told += _paused(pauses, unwarned, common)
    told += [_came(key, at, rung.roles, course, after, common) for key, at, rung in news if course is not None]
    has_breached = any(key.kind is RungKind.BREACH for key, _, _ in news)
    if after.ended_at is not None and (is_lifted or has_breached or before is None or _ends_otherwise(before, after)):
        told.append(_ending(after, common))
    return told


def _ends_otherwise(before: Reading, after: Reading) -> bool:
    return (before.state, before.ended_at) != (after.state, after.ended_at)


def _why(event: RequestEvent | None, objective: Objective) -> str:
    if event is None:
        return LATE_NEWS
    if event.happening in _MOVERS:
        return event.happening.value
    return LATE_NEWS if event.words.isdisjoint(objective.resets) else RESET


def _started(course: Course, common: dict[str, Any]) -> Announcement:
    target, after = course.target, course.reading
    budget, working = target.budget, target.working
    due_at = after.due_at or spent_at(target.anchor_at, budget, target.extension, working, NO_PAUSES)
    assert due_at is not None  # without pauses every budget is spent some time
    span = working.elapsed(after.started_at, due_at) if budget.kind is BudgetKind.DAYS else budget.span
    calendar = "always_open" if budget.kind is BudgetKind.ELAPSED else working.calendar.name
    started = {
        **common,
        "started_at": after.started_at,
        "due_at": due_at,
        "budget_seconds": span.total_seconds(),
        "budget_kind": budget.kind.value,
        "calendar": calendar,
    }
    return Announcement(after.started_at, ClockStarted, started)


def _withdrawn(before: Reading, after: Reading, pauses: Pauses, common: dict[str, Any]) -> Announcement:
    """The clock had ended or stood still when it was due, or had more time, which became known afterwards."""
    last_pause = max((start for start, _ in pauses.closed), default=after.started_at)
    stopped_at = after.ended_at or pauses.open_since or last_pause
    due_at = after.due_at or before.due_at or stopped_at
    return Announcement(stopped_at, ClockBreachWithdrawn, {**common, "due_at": due_at, "stopped_at": stopped_at})


def _movement(
    before: Reading, after: Reading, pauses: Pauses, why: str, unwarned: tuple[int, ...], common: dict[str, Any]
) -> list[Announcement]:
    if after.ended_at is not None:
        return []
    goes_on = before.ended_at is not None  # it was told to have ended, and late news shows that it has not
    if before.is_paused and not after.is_paused and not goes_on and after.due_at is not None:
        resumed_at = max((end for _, end in pauses.closed if end <= after.read_at), default=after.started_at)
        resumed = {**common, "resumed_at": resumed_at, "due_at": after.due_at, "withdrawn_warnings": unwarned}
        return [Announcement(resumed_at, ClockResumed, resumed)]
    told: list[Announcement] = []
    if after.due_at is not None and (goes_on or (before.due_at is not None and before.due_at != after.due_at)):
        moved = {**common, "due_at": after.due_at, "previous_due_at": before.due_at, "reason": why}
        moved["withdrawn_warnings"] = unwarned
        told.append(Announcement(after.read_at, ClockRetargeted, moved))
    if after.is_paused and (goes_on or not before.is_paused):
        told += _paused(pauses, unwarned, common)
    return told


def _paused(pauses: Pauses, unwarned: tuple[int, ...], common: dict[str, Any]) -> list[Announcement]:
    since = pauses.open_since or max((start for start, _ in pauses.closed), default=None)
    if since is None:
        return []
    paused = {**common, "paused_at": since, "reason": pauses.reason or "pause", "withdrawn_warnings": unwarned}
    return [Announcement(since, ClockPaused, paused)]


def _came(
    key: RungKey,
    at: datetime,
    roles: tuple[str, ...],
    course: Course,
    after: Reading,
    common: dict[str, Any],
) -> Announcement:
    # A warning may be decided when a later pause is known: it names the deadline that held when it came.
    due_at = after.due_at or max(at, spent_but_for_pause(course.target))
    told = {**common, "level": key.level, "due_at": due_at, "notify_roles": roles}
    match key.kind:
        case RungKind.WARNING:
            return Announcement(at, ClockWarned, told)
        case RungKind.BREACH:
            del told["level"]
            return Announcement(at, ClockBreached, told)
        case RungKind.ESCALATION:
            return Announcement(at, ClockEscalated, told)
        case RungKind.PAUSE_ALARM:
            since = course.pauses.overrun_ats[key.level - 1][1]
            paused = {"paused_at": since, "reason": course.pauses.reason or "pause", "notify_roles": roles}
            return Announcement(at, ClockPauseOverrun, {**common, "level": key.level, **paused})


def _ending(after: Reading, common: dict[str, Any]) -> Announcement:
    assert after.ended_at is not None
    assert after.due_at is not None  # every pause ends with the cycle
    if after.state is ClockState.MET:
        return Announcement(after.ended_at, ClockMet, {**common, "due_at": after.due_at, "stopped_at": after.ended_at})
    if after.state is ClockState.MISSED:
        return Announcement(
            after.ended_at, ClockMissed, {**common, "due_at": after.due_at, "stopped_at": after.ended_at}
        )
    cancelled = {**common, "cancelled_at": after.ended_at, "reason": after.cause or "cancelled"}
    return Announcement(after.ended_at, ClockCancelled, cancelled)
