"""Why a deadline is where it is: the windows that were counted, the pauses that were left out, what moved it.

Everything is read from the history by the code that decides, so an explanation cannot tell another story than the
clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Course, read_clocks
from services.sla_timer.domain.deadlines import Target, spent_at
from services.sla_timer.domain.effects import Effect, find_effects
from services.sla_timer.domain.pauses import Pauses, name_pauses
from services.sla_timer.domain.rules import BudgetKind
from shared.values import value
from shared.worktime import difference


@value
class CountedWindow:
    """Attributes:
    counted: the time between start and end.
    total: everything counted up to the end of this window.
    """

    start: datetime
    end: datetime
    counted: timedelta
    total: timedelta


@value
class LeftOut:
    """A pause, or several that overlap.

    Attributes:
        end: None while it goes on.
        reasons: what caused it, in the order in which it began.
    """

    start: datetime
    end: datetime | None
    reasons: tuple[str, ...]


@value
class Explanation:
    """One cycle of one objective, explained.

    Attributes:
        windows: from where the count begins to the deadline; while there is none, to where the clock stands still.
        left_out: the pauses of the cycle.
        effects: what each entry of the history did to it, in the order in which it was said.
        is_due_at_once: a change left less time than was spent already, so the deadline is the instant of the change.
        provisional_since: the date until which the calendar is known, when the deadline lies beyond it.
    """

    course: Course
    windows: tuple[CountedWindow, ...]
    left_out: tuple[LeftOut, ...]
    effects: tuple[Effect, ...]
    is_due_at_once: bool
    provisional_since: date | None

    @property
    def moves(self) -> tuple[Effect, ...]:
        """The entries that moved the deadline."""
        return tuple(effect for effect in self.effects if effect.has_moved)


def explain(case: Case, code: str, read_at: datetime) -> list[Explanation]:
    """Explain every cycle of an objective, as read up to ``read_at``."""
    effects = find_effects(case, code)
    return [_explain(case, course, effects.get(course.cycle.number, ())) for course in read_clocks(case, code, read_at)]


def is_provisional(target: Target) -> bool:
    """Whether the deadline depends on dates that the calendar does not know yet."""
    if target.budget.kind is BudgetKind.ELAPSED or target.due_at is None:
        return False
    return not target.working.calendar.is_known_at(target.due_at)


def _explain(case: Case, course: Course, effects: Sequence[Effect]) -> Explanation:
    target, pauses = course.target, course.pauses
    return Explanation(
        course=course,
        windows=tuple(_count(target, pauses)),
        left_out=tuple(_left_out(case, course)),
        effects=tuple(effects),
        is_due_at_once=_is_due_at_once(target, pauses),
        provisional_since=target.working.calendar.known_until if is_provisional(target) else None,
    )


def _count(target: Target, pauses: Pauses) -> list[CountedWindow]:
    # A change can make a clock due at once while it stands still: nothing is counted from the pause on.
    end = min(at for at in (target.due_at, pauses.open_since) if at is not None)
    if end <= target.anchor_at:
        return []
    span = [(target.anchor_at, end)]
    is_elapsed = target.budget.kind is BudgetKind.ELAPSED
    segments = difference(span if is_elapsed else target.working.windows(target.anchor_at, end), pauses.closed)
    total = timedelta(0)
    counted: list[CountedWindow] = []
    for start, stop in segments:
        total += stop - start
        counted.append(CountedWindow(start, stop, stop - start, total))
    return counted


def _is_due_at_once(target: Target, pauses: Pauses) -> bool:
    spent = spent_at(target.anchor_at, target.budget, target.extension, target.working, pauses)
    return target.due_at is not None and spent != target.due_at


def _left_out(case: Case, course: Course) -> list[LeftOut]:
    cycle, pauses = course.cycle, course.pauses
    named = name_pauses(case.history, course.target.objective)
    spans: list[tuple[datetime, datetime | None]] = [*pauses.closed]
    if pauses.open_since is not None:
        spans.append((pauses.open_since, None))
    return [
        LeftOut(start, end, tuple(dict.fromkeys(name for name, *single in named if _overlap(single, start, end))))
        for start, end in spans
        if end is None or end > cycle.started_at
    ]


def _overlap(single: Sequence[datetime | None], start: datetime, end: datetime | None) -> bool:
    begins, ends = single
    assert begins is not None
    return (end is None or begins < end) and (ends is None or ends > start)
