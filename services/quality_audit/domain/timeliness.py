"""What became of each clock. Every clock of every request is counted; nothing here is sampled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.contracts.clocks import (
    ClockBreached,
    ClockBreachWithdrawn,
    ClockCancelled,
    ClockMet,
    ClockMissed,
    ClockPaused,
    ClockPayload,
    ClockRetargeted,
    ClockStarted,
)


class Fate(StrEnum):
    RUNNING = "running"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ClockFate:
    """Attributes:
    sealed_at: when the fate was settled, which decides the period it counts in: a met clock at its stop, a missed
        one at its deadline, however late anybody noticed.
    """

    fate: Fate = Fate.RUNNING
    sealed_at: datetime | None = None


def after(known: ClockFate | None, news: ClockPayload) -> ClockFate:
    """The fate once ``news`` is known too.

    A breach seals the fate before the stop: an open request with a passed deadline is late already. Only its withdrawal
    (the clock stopped in time, stood still or had more time, which was heard of late) lifts it; cancelling does not.
    What became of the clock instead is told next.
    """
    before = known or ClockFate()
    match news:
        case ClockStarted():
            return before if known else ClockFate()
        case ClockMet():
            return ClockFate(Fate.MET, news.stopped_at)
        case ClockBreachWithdrawn() if before.fate is Fate.MISSED:
            return ClockFate()
        case ClockRetargeted() | ClockPaused() if before.fate is not Fate.MISSED:
            return ClockFate()  # what was told to have ended goes on
        case ClockBreached() | ClockMissed():
            return before if before.fate is Fate.MISSED else ClockFate(Fate.MISSED, news.due_at)
        case ClockCancelled() if before.fate is not Fate.MISSED:
            return ClockFate(Fate.CANCELLED)
        case _:
            return before


def is_timely(fates: list[Fate]) -> bool | None:
    """Of a request with these clocks: False when one was missed, True when all were settled in time, else not known."""
    if Fate.MISSED in fates:
        return False
    settled = [fate for fate in fates if fate is not Fate.CANCELLED]
    return True if settled and Fate.RUNNING not in settled else None
