"""Compares two readings of a clock: what was decided in between, and what turned out not to have come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.sla_timer.domain.announcements import Announcement, announce
from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Clock, clock_id, read_clock
from services.sla_timer.domain.rules import Objective, RungKey


@dataclass(frozen=True, slots=True)
class Decision:
    """A rung that was decided; its key is unique among the standing ones."""

    clock_id: UUID
    cycle: int
    key: RungKey
    true_at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A rung that turned out not to have come."""

    clock_id: UUID
    cycle: int
    key: RungKey


@dataclass(frozen=True, slots=True)
class Step:
    """What one event or tick did to one clock.

    Attributes:
        clock: as it is now.
        is_rearmed: its timers have to be set anew.
        is_changed: it has to be stored.
    """

    clock: Clock
    is_rearmed: bool
    is_changed: bool
    announcements: tuple[Announcement, ...]
    decisions: tuple[Decision, ...]
    withdrawals: tuple[Withdrawal, ...]


def start_clocks(case: Case, read_at: datetime) -> list[Step]:
    """The first cycle of every objective of the case's policy."""
    return [_step(case, objective, None, read_at) for objective in case.policy.objectives]


def advance(case: Case, clock: Clock, read_at: datetime) -> Step:
    """Read a clock again, up to ``read_at`` or the instant it was read to before, whichever is later."""
    return _step(case, case.policy.objective(clock.objective), clock, max(read_at, clock.reading.read_at))


def _step(case: Case, objective: Objective, clock: Clock | None, read_at: datetime) -> Step:
    working = case.rulebook.working_time(objective, case.facts.market)
    after = read_clock(objective, working, case.policy.cancelled_by, case.history, read_at)
    before = clock.reading if clock is not None else None
    is_rearmed = before is None or after.rung_ats != before.rung_ats or after.ended_at != before.ended_at
    if clock is None:
        clock = Clock(clock_id(case.request_id, objective.code), case.request_id, objective.code, 1, 1, after)
    else:
        clock = replace(clock, generation=clock.generation + is_rearmed, reading=after)
    held = {rung.key for i, rung in enumerate(objective.ladder) if before is not None and before.holds(i)}
    holding = [(rung, after.rung_ats[i]) for i, rung in enumerate(objective.ladder) if after.holds(i)]
    news = sorted(((at, rung) for rung, at in holding if at is not None and rung.key not in held), key=lambda n: n[0])
    withdrawn = held - {rung.key for rung, _ in holding}
    if before is not None and not news and not withdrawn and replace(before, read_at=read_at) == after:
        return Step(clock, is_rearmed=False, is_changed=False, announcements=(), decisions=(), withdrawals=())
    return Step(
        clock=clock,
        is_rearmed=is_rearmed,
        is_changed=True,
        announcements=tuple(announce(case, objective, clock, before, news, withdrawn)),
        decisions=tuple(Decision(clock.clock_id, clock.cycle, rung.key, at) for at, rung in news),
        withdrawals=tuple(Withdrawal(clock.clock_id, clock.cycle, key) for key in sorted(withdrawn)),
    )
