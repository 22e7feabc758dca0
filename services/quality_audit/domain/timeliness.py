"""What became of each clock. Every clock of every request is counted; nothing here is sampled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


@dataclass(frozen=True, slots=True)
class KnownClock:
    """Attributes:
    started_at: None when its start was not heard of.
    """

    fate: Fate
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """When a unit was worked on, as clocks count it: what is said to happen later happened when it was said.

    Attributes:
        began_at: the reopening that began its cycle; None in the first one.
        ended_at: its closing.
    """

    began_at: datetime | None
    ended_at: datetime

    def fates_of(self, clocks: Iterable[KnownClock]) -> list[Fate]:
        """Of the clocks that started in it, for a closing ends all and the next cycle has its own.

        What starts at the instant of the closing is the next cycle's, unless the unit began at that instant, too.
        """
        known = list(clocks)
        within = [clock.fate for clock in known if self._has(clock.started_at)]
        if within or self.began_at is not None:
            return within
        return [clock.fate for clock in known if clock.started_at == self.ended_at]  # closed as it was submitted

    def _has(self, started_at: datetime | None) -> bool:
        if started_at is None or started_at == self.began_at:
            return True
        return (self.began_at is None or self.began_at < started_at) and started_at < self.ended_at


def is_timely(fates: Sequence[Fate]) -> bool | None:
    """Of a unit with these clocks: False when one was missed, True when all were settled in time, else not known."""
    if Fate.MISSED in fates:
        return False
    settled = [fate for fate in fates if fate is not Fate.CANCELLED]
    return True if settled and Fate.RUNNING not in settled else None
