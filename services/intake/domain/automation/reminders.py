"""Rules of automation that remind: after how much waiting, how often, and whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.contracts.payload import Market
from shared.errors import ConfigurationError
from shared.rules.conditions import Condition
from shared.worktime import ALWAYS_OPEN, Calendar, Segment, WorkingTime

OWNER = "owner"
"""Instead of a role: the role whose work the stage is."""


@dataclass(frozen=True, slots=True)
class CountedSpan:
    """Attributes:
    is_working: only time inside the working hours of the request's market counts.
    """

    length: timedelta
    is_working: bool = False


@dataclass(frozen=True, slots=True)
class ReminderRule:
    """One rule.

    Attributes:
        code: its name; it stands in the history of every request that it reminded of.
        when: must hold when the reminder comes.
        after: how long the stage has waited for the house when the first one comes.
        every: how much later each of the others comes; None is no others.
        at_most: how many come while a request is at a stage.
        to: roles, or ``OWNER``.
        is_on: a rule that is off is only tried.
    """

    code: str
    when: Condition
    after: CountedSpan
    every: CountedSpan | None = None
    at_most: int = 1
    to: tuple[str, ...] = (OWNER,)
    is_on: bool = True


@dataclass(frozen=True)
class Hours:
    """How time counts. The answers are remembered inside, so one thread uses an object at a time.

    Attributes:
        calendars: of every market that has one; its working hours.
    """

    calendars: Mapping[Market, Calendar] = field(default_factory=dict)
    _elapsed: WorkingTime = field(
        default_factory=lambda: WorkingTime(ALWAYS_OPEN), init=False, repr=False, compare=False
    )
    _working: Mapping[Market, WorkingTime] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = {calendar.name: WorkingTime(calendar) for calendar in self.calendars.values()}
        object.__setattr__(self, "_working", {market: known[c.name] for market, c in self.calendars.items()})

    def due(
        self, start: datetime, span: CountedSpan, market: Market, pauses: Iterable[Segment[datetime]]
    ) -> datetime | None:
        """When ``span`` has passed since ``start``, pauses left out; None when the calendar has too little open time.

        Raises:
            KeyError: working time, and the market has no calendar.
        """
        hours = self._working[market] if span.is_working else self._elapsed
        try:
            return hours.due(start, span.length, tuple(pauses))
        except ConfigurationError:
            return None
