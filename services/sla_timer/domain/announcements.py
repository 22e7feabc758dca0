"""Puts what became true on a clock into the words of the contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Clock, ClockState, Reading
from services.sla_timer.domain.history import Happening, Pauses, find_pauses
from services.sla_timer.domain.rules import Objective, Rung, RungKey, RungKind
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

ENDINGS = (ClockMet, ClockMissed, ClockCancelled)
"""What is said when a clock has ended."""

LATE_NEWS = "late_news"
"""Why a deadline moved that neither a pause nor a resumption moved: something was told out of its order."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Attributes:
    occurred_at: when it became true.
    data: what is told.
    """

    occurred_at: datetime
    data: ClockPayload


def announce(
    case: Case,
    objective: Objective,
    clock: Clock,
    before: Reading | None,
    news: Sequence[tuple[datetime, Rung]],
    withdrawn: set[RungKey],
) -> list[Announcement]:
    """What became true between ``before`` and the clock's reading now, in the order in which it is told.

    Args:
        before: None for a clock that starts.
        news: the rungs that came, with their instants, in order.
        withdrawn: the rungs that turned out not to have come.
    """
    after = clock.reading
    common: dict[str, Any] = {
        "clock_id": clock.clock_id,
        "request_id": case.request_id,
        "reference": case.reference,
        "objective": objective.code,
        "cycle": clock.cycle,
        "policy": case.policy.code,
        "policy_version": case.rulebook.version,
    }
    pauses = find_pauses(case.history, objective.paused_by)
    told: list[Announcement] = []
    if before is None:
        told.append(_started(case, objective, after, common))
    if (RungKind.BREACH, 1) in withdrawn and before is not None:
        told.append(_withdrawn(before, after, pauses, common))
    told += _movement(before, after, pauses, common)
    told += [_came(at, rung, after, common) for at, rung in news]
    if after.state is not (before.state if before is not None else None):
        told += _ending(case, after, common)
    return told


def _started(case: Case, objective: Objective, after: Reading, common: dict[str, Any]) -> Announcement:
    working = case.rulebook.working_time(objective, case.facts.market)
    due_at = after.due_at or working.due(after.started_at, objective.budget)
    return Announcement(
        after.started_at,
        ClockStarted(
            **common,
            started_at=after.started_at,
            due_at=due_at,
            budget_seconds=objective.budget.total_seconds(),
            budget_kind=objective.budget_kind,
            calendar=working.calendar.name,
        ),
    )


def _withdrawn(before: Reading, after: Reading, pauses: Pauses, common: dict[str, Any]) -> Announcement:
    """A stop in time, or a pause before the deadline, became known after it: the clock stood still when it was due."""
    last_pause = max((start for start, _ in pauses.closed), default=after.started_at)
    stopped_at = after.ended_at or pauses.open_since or last_pause
    due_at = after.due_at or before.due_at or stopped_at
    return Announcement(stopped_at, ClockBreachWithdrawn(**common, due_at=due_at, stopped_at=stopped_at))


def _movement(before: Reading | None, after: Reading, pauses: Pauses, common: dict[str, Any]) -> list[Announcement]:
    if after.ended_at is not None:
        return []
    was_paused = before is not None and before.is_paused
    if after.is_paused and not was_paused and pauses.open_since is not None and pauses.reason is not None:
        paused = ClockPaused(**common, paused_at=pauses.open_since, reason=pauses.reason)
        return [Announcement(pauses.open_since, paused)]
    if after.due_at is None:
        return []
    if was_paused and not after.is_paused:
        resumed_at = max((end for _, end in pauses.closed), default=after.started_at)
        return [Announcement(resumed_at, ClockResumed(**common, resumed_at=resumed_at, due_at=after.due_at))]
    if before is not None and before.due_at is not None and before.due_at != after.due_at:
        moved = ClockRetargeted(**common, due_at=after.due_at, previous_due_at=before.due_at, reason=LATE_NEWS)
        return [Announcement(after.read_at, moved)]
    return []


def _came(at: datetime, rung: Rung, after: Reading, common: dict[str, Any]) -> Announcement:
    due_at = after.due_at or at
    match rung.kind:
        case RungKind.WARNING:
            return Announcement(at, ClockWarned(**common, level=rung.level, due_at=due_at, notify_roles=rung.roles))
        case RungKind.BREACH:
            return Announcement(at, ClockBreached(**common, due_at=due_at, notify_roles=rung.roles))
        case RungKind.ESCALATION:
            return Announcement(at, ClockEscalated(**common, level=rung.level, due_at=due_at, notify_roles=rung.roles))


def _ending(case: Case, after: Reading, common: dict[str, Any]) -> list[Announcement]:
    if after.ended_at is None or after.due_at is None:
        return []
    if after.state is ClockState.MET:
        return [Announcement(after.ended_at, ClockMet(**common, due_at=after.due_at, stopped_at=after.ended_at))]
    if after.state is ClockState.MISSED:
        return [Announcement(after.ended_at, ClockMissed(**common, due_at=after.due_at, stopped_at=after.ended_at))]
    outcome = next((event.value for event in reversed(case.history) if event.happening is Happening.CLOSED), None)
    cancelled = ClockCancelled(**common, cancelled_at=after.ended_at, reason=outcome or "cancelled")
    return [Announcement(after.ended_at, cancelled)]
