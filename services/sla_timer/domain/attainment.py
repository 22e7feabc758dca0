"""Whether promises were kept, computed from instants, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.sla_timer.domain.clocks import ClockState


def was_kept(state: ClockState, due_at: datetime | None, ended_at: datetime | None, now: datetime) -> bool | None:
    """The verdict on a clock, as of now; None while there is none, or when it was cancelled before its deadline."""
    if state is ClockState.MET:
        return True
    if state is ClockState.MISSED:
        return False
    if state is ClockState.CANCELLED:
        return False if due_at is not None and ended_at is not None and due_at < ended_at else None
    return False if due_at is not None and due_at <= now else None


Group = tuple[str, str]
"""Request kind and objective."""


@dataclass(slots=True)
class Attainment:
    """Verdicts by request kind and objective."""

    kept: Counter[Group] = field(default_factory=Counter)
    missed: Counter[Group] = field(default_factory=Counter)

    def count(self, kind: str, verdicts: Iterable[tuple[str, bool | None]]) -> None:
        """Add a request's clocks: objective and verdict of each."""
        for objective, is_kept in verdicts:
            if is_kept is not None:
                (self.kept if is_kept else self.missed)[kind, objective] += 1

    def groups(self) -> set[Group]:
        return {*self.kept, *self.missed}
