"""When a clock stands still, read from a history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.rules import ANY_REASON, BudgetKind, LongestPause, Objective
from shared.values import value
from shared.worktime import Segment, WorkingTime, union


@value
class Pauses:
    """When a clock stands still.

    Attributes:
        closed: sorted, apart from each other.
        open_since: since when it stands still until further notice; every closed one begins before.
        reason: the first reason of the open pause.
        overrun_ats: when each pause that lasts too long has lasted as long as it may, with its beginning; in order.
    """

    closed: tuple[Segment[datetime], ...] = ()
    open_since: datetime | None = None
    reason: str | None = None
    overrun_ats: tuple[tuple[datetime, datetime], ...] = ()

    def until(self, end: datetime) -> Pauses:
        """What lies before ``end``, all of it closed there."""
        is_over = self.open_since is None and (not self.closed or self.closed[-1][1] <= end)
        if is_over and not self.overrun_ats:
            return self
        ends = [*self.closed, *(((self.open_since, end),) if self.open_since is not None else ())]
        overruns = tuple((at, since) for at, since in self.overrun_ats if at < end)
        return Pauses(tuple(union((start, min(stop, end)) for start, stop in ends)), overrun_ats=overruns)

    def cover(self, at: datetime) -> bool:
        """Whether the clock stands still at an instant."""
        if self.open_since is not None and self.open_since <= at:
            return True
        return any(start <= at < end for start, end in self.closed)


NO_PAUSES = Pauses()


Mark = tuple[str | None, bool, datetime]
"""What makes it stand still, whether that begins or ends, and when. No name: every reason, which an ending ends."""


def _marks(history: Sequence[RequestEvent], objective: Objective, since: int = 0) -> Iterator[Mark]:
    """Args:
    since: how many entries to pass over.
    """
    begun_at = history[0].occurred_at  # nothing occurs before the submission
    reasons, between = objective.paused_by, objective.paused_between
    for event in history[since:]:
        happening = event.happening
        if happening is Happening.PAUSED or happening is Happening.RESUMED:
            reason = event.value
            if reason is not None and (reason in reasons or ANY_REASON in reasons):
                yield reason, happening is Happening.PAUSED, max(event.occurred_at, begun_at)
        elif reasons and event.meaning.ends_request:
            yield None, False, max(event.occurred_at, begun_at)
        for begins, ends in between:
            if ends in event.words:  # first, so that one word may end one pause and begin the next
                yield begins, False, max(event.occurred_at, begun_at)
            if begins in event.words:
                yield begins, True, max(event.occurred_at, begun_at)


class PauseReader:
    """Finds what makes clocks of an objective stand still, and goes on where it stopped in a history that has grown.

    Attributes:
        working: on which a longest pause in working time is counted.
    """

    def __init__(self, objective: Objective, working: WorkingTime) -> None:
        self.objective = objective
        self.working = working
        self._marks: list[Mark] = []
        self._read = 0
        self._found = NO_PAUSES

    def read_on(self, history: Sequence[RequestEvent]) -> Pauses:
        """The same object as before while nothing is new.

        Args:
            history: in the order in which it was said.
        """
        news = list(_marks(history, self.objective, self._read))
        self._read = len(history)
        if news:
            self._marks += news
            found = _pair(self._marks, self.objective)
            self._found = _cut(found, self.objective.longest_pause, self.working)
        return self._found


def name_pauses(history: Sequence[RequestEvent], objective: Objective) -> list[tuple[str, datetime, datetime | None]]:
    """Each single pause with what caused it, its beginning and its end, in the order of the beginnings; for people."""
    open_since: dict[str, datetime] = {}
    found: list[tuple[str, datetime, datetime | None]] = []
    for mark in _marks(history, objective):
        found += _follow(open_since, mark, objective)
    found += [(name, since, None) for name, since in open_since.items()]
    return sorted(found, key=lambda pause: pause[1])


def _follow(open_since: dict[str, datetime], mark: Mark, objective: Objective) -> list[tuple[str, datetime, datetime]]:
    """Keep what is open, and give what the mark ends, with its beginning and its end."""
    name, begins, at = mark
    if name is None:
        ended = [each for each in open_since if all(each != first for first, _ in objective.paused_between)]
        return [(each, open_since.pop(each), at) for each in ended]
    if begins:
        open_since[name] = min(at, open_since.get(name, at))
    elif name in open_since:
        return [(name, open_since.pop(name), at)]
    return []


def _pair(marks: Iterable[Mark], objective: Objective) -> Pauses:
    """Pair beginnings with ends, reason by reason, in the order they were said.

    An end said to occur before its beginning makes a pause of no length; one without a beginning means nothing. What
    ends the request ends what waits for a reason, as it does for everybody else: after a reopening nobody waits.
    """
    open_since: dict[str, datetime] = {}
    closed: list[Segment[datetime]] = []
    for mark in marks:
        closed += [(start, end) for _, start, end in _follow(open_since, mark, objective)]
    if not open_since:
        return Pauses(tuple(union(closed)))
    reason = min(open_since, key=lambda name: (open_since[name], name))
    since = open_since[reason]
    joined = union(closed)
    since = next((start for start, end in joined if start < since <= end), since)  # what it touches, it continues
    return Pauses(tuple(union((start, min(end, since)) for start, end in joined)), since, reason)


def _cut(pauses: Pauses, longest: LongestPause | None, working: WorkingTime) -> Pauses:
    """Note when pauses last too long, and end them there where the policy says so."""
    if longest is None:
        return pauses

    def lasts_until(start: datetime) -> datetime:
        return start + longest.span if longest.counts is BudgetKind.ELAPSED else working.due(start, longest.span)

    closed: list[Segment[datetime]] = []
    overruns: list[tuple[datetime, datetime]] = []
    for start, end in pauses.closed:
        limit = lasts_until(start)
        if limit < end:
            overruns.append((limit, start))
        closed.append((start, min(limit, end)) if longest.resumes else (start, end))
    open_since, reason = pauses.open_since, pauses.reason
    if open_since is not None:
        limit = lasts_until(open_since)
        overruns.append((limit, open_since))
        if longest.resumes:
            closed.append((open_since, limit))
            open_since = None
    return Pauses(tuple(union(closed)), open_since, reason, tuple(overruns))
