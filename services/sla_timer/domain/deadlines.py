"""When a cycle is due, and when each rung of its ladder comes.

Changes on the way (other facts, rules or modes, extensions, resets) are applied in the order in which they occurred.
One that comes when the deadline has passed does not move it: a promise that was broken is not mended afterwards. One
that shortens the budget makes it due at once at the earliest, never in the past.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from services.sla_timer.domain.case import Case, Terms
from services.sla_timer.domain.cycles import Cycle
from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.pauses import NO_PAUSES, PauseReader, Pauses
from services.sla_timer.domain.rules import (
    ELAPSED_TIME,
    Budget,
    BudgetKind,
    Mode,
    Objective,
    Rung,
    RungKey,
    RungKind,
)
from shared.values import value
from shared.worktime import Segment, WorkingTime

RESET = "reset"
"""What moved a deadline when the count began anew."""

LONGEST_EXTENSION = timedelta(days=366)
"""What all extensions of a cycle come to at the most; more working time than that might never be spent."""

MOST_REPETITIONS = 1000
"""A rung that repeats without end stops there: somebody who was told a thousand times will not hear the next."""

_NOTHING = timedelta(0)

RungInstant = tuple[RungKey, datetime, Rung]


@value
class Target:
    """What a cycle is counted against.

    Attributes:
        objective: as promised at the end of the cycle, or now; as it was when the deadline passed, once it has.
        terms: the terms it is promised under.
        mode: whose budget counts.
        pauses: what makes it stand still.
        anchor_at: where the count begins: the start, the last reset, or a change that begins it anew.
        extension: granted beyond the budget.
        moved_at: the last change that moved the deadline; the start when none did.
        cause: what that change was.
        due_at: None while a pause without end is in the way.
    """

    objective: Objective
    terms: Terms
    mode: Mode
    working: WorkingTime
    budget: Budget
    pauses: Pauses
    anchor_at: datetime
    extension: timedelta
    moved_at: datetime
    cause: str | None
    due_at: datetime | None


def find_target(case: Case, code: str, cycle: Cycle) -> Target:
    """Count the budget of a cycle through everything that changed it."""
    terms, objective = begun_under(case, code, cycle)
    mode = terms.mode
    working = terms.rulebook.working_time(objective, terms.facts.market)
    pauses = pauses_under(case, objective, working, cycle)
    budget = objective.budget_in(mode)
    anchor_at = cycle.started_at
    moved_at = max(anchor_at, terms.from_at)  # it may have been promised first when the cycle had begun
    extension = _NOTHING
    cause: str | None = None
    due_at = not_before(moved_at, spent_at(anchor_at, budget, extension, working, pauses))
    for at, what in _changes(case, code, cycle):
        if due_at is not None and due_at <= at:
            break
        counted = anchor_at, budget, extension, pauses, working.calendar
        if isinstance(what, Terms):
            changed = what.policy.objective(code)
            if changed is None:
                continue
            terms, objective = what, changed
            if changed.modes_move_running:
                mode = what.mode
            if what.cause is Happening.CHANGED and changed.restarts_on_change and changed.budget_in(mode) != budget:
                anchor_at, extension = at, _NOTHING
            budget = changed.budget_in(mode)
            working = what.rulebook.working_time(changed, what.facts.market)
            pauses = pauses_under(case, changed, working, cycle)
            why: str | None = what.cause
        elif what is None:
            anchor_at, extension, why = at, _NOTHING, RESET
        else:
            extension = min(extension + what, LONGEST_EXTENSION)
            why = Happening.EXTENDED
        if (anchor_at, budget, extension, pauses, working.calendar) == counted:
            continue
        moved = not_before(at, spent_at(anchor_at, budget, extension, working, pauses))
        if moved != due_at or moved is None:
            due_at, moved_at, cause = moved, at, why
    return Target(objective, terms, mode, working, budget, pauses, anchor_at, extension, moved_at, cause, due_at)


def pauses_under(case: Case, objective: Objective, working: WorkingTime, cycle: Cycle) -> Pauses:
    """What makes a cycle stand still, as an objective says it.

    Args:
        working: the objective's office hours.
    """
    if not objective.paused_between and not (objective.paused_by and case.has_pauses):
        return NO_PAUSES
    remembered, key = case.remembered, f"{objective.code}/pauses"
    reader: PauseReader | None = remembered.get(key)
    if reader is None or reader.objective is not objective or reader.working is not working:
        reader = remembered[key] = PauseReader(objective, working)
    pauses = reader.read_on(case.history)
    return pauses if cycle.ended_at is None else pauses.until(cycle.ended_at)


def begun_under(case: Case, code: str, cycle: Cycle) -> tuple[Terms, Objective]:
    """The terms that held when the cycle began; those that first promised it when it began before."""
    if len(case.terms) == 1:
        only = case.terms[0].policy.objective(code)
        assert only is not None  # a cycle is found only where an objective is promised
        return case.terms[0], only
    found: tuple[Terms, Objective] | None = None
    for terms in case.terms:
        objective = terms.policy.objective(code)
        if objective is None or (found is not None and terms.from_at > cycle.started_at):
            continue
        found = terms, objective
    assert found is not None  # a cycle is found only where an objective is promised
    return found


Change = Terms | timedelta | None
"""Other terms, an extension, or None for a reset."""


def _changes(case: Case, code: str, cycle: Cycle) -> Sequence[tuple[datetime, Change]]:
    if len(case.terms) == 1 and not cycle.reset_ats and not case.has_extensions:
        return ()

    changes: list[tuple[datetime, Change]] = [
        (terms.from_at, terms) for terms in case.terms[1:] if cycle.started_at < terms.from_at
    ]
    changes += [(at, None) for at in cycle.reset_ats]
    changes += [
        (at, timedelta(seconds=(event.details or {})["seconds"]))
        for at, event in case.timeline
        if event.happening is Happening.EXTENDED and event.value == code and cycle.started_at <= at
    ]
    within = [change for change in changes if cycle.ended_at is None or change[0] < cycle.ended_at]
    return sorted(within, key=lambda change: change[0])


def spent_at(
    anchor_at: datetime, budget: Budget, extension: timedelta, working: WorkingTime, pauses: Pauses
) -> datetime | None:
    """When a budget is spent; None when a pause without end is in the way."""
    return not_in_pause(_spent_at(anchor_at, budget, extension, working, pauses.closed), pauses)


def spent_but_for_pause(target: Target) -> datetime:
    """When the budget is spent, a pause that is open left out: what the deadline was when that began."""
    return _spent_at(target.anchor_at, target.budget, target.extension, target.working, target.pauses.closed)


def _spent_at(
    anchor_at: datetime,
    budget: Budget,
    extension: timedelta,
    working: WorkingTime,
    closed: Sequence[Segment[datetime]],
) -> datetime:
    if budget.kind is not BudgetKind.DAYS:
        return _counted(anchor_at, budget.kind, budget.span + extension, working, closed)
    target = working.due_days(anchor_at, budget.days, end_of_day=budget.is_end_of_day, pauses=closed)
    return working.due(target, extension, closed) if extension else target


def _counted(
    since: datetime,
    kind: BudgetKind,
    span: timedelta,
    working: WorkingTime,
    closed: Sequence[Segment[datetime]],
) -> datetime:
    """When so much working or elapsed time has passed."""
    if closed and closed[-1][1] <= since:
        closed = ()
    if kind is BudgetKind.WORKING:
        return working.due(since, span, closed)
    return ELAPSED_TIME.due(since, span, closed) if closed else since + span


def not_before(promised_at: datetime, due_at: datetime | None) -> datetime | None:
    """Time spent counts, but nobody can keep a promise that was made after its own deadline."""
    return None if due_at is None else max(due_at, promised_at)


def not_in_pause(at: datetime, pauses: Pauses) -> datetime | None:
    """None when the clock stands still before ``at``: the instant depends on when it goes on."""
    return at if pauses.open_since is None or at <= pauses.open_since else None


def rungs_of(target: Target, cycle: Cycle, read_at: datetime) -> list[RungInstant]:
    """The rungs that are known to come: of a repeating one all up to ``read_at`` and the next."""
    objective, due_at, pauses = target.objective, target.due_at, target.pauses
    found: list[RungInstant] = []
    for rung in objective.warnings:
        at = _warning_at(rung, target, cycle)
        if at is not None:
            found.append((rung.key, max(at, target.moved_at), rung))
    for level, (at, since) in enumerate(pauses.overrun_ats, start=1):
        if cycle.started_at <= at and (cycle.ended_at is None or since < cycle.ended_at):
            roles = objective.longest_pause.roles if objective.longest_pause is not None else ()
            found.append((RungKey(RungKind.PAUSE_ALARM, level), at, Rung(RungKind.PAUSE_ALARM, level, roles=roles)))
    if due_at is None:
        return found
    for rung in objective.later_rungs:
        if rung.kind is RungKind.BREACH:
            found.append((rung.key, due_at, rung))
        elif rung.every is None:
            at = _after(due_at, rung.counts, rung.after, target)
            if at is not None:
                found.append((rung.key, at, rung))
        else:
            found += _repetitions(rung, rung.every, due_at, target, read_at)
    return found


def _repetitions(
    rung: Rung, every: timedelta, due_at: datetime, target: Target, read_at: datetime
) -> Iterator[RungInstant]:
    for repetition in range(min(rung.times or MOST_REPETITIONS, MOST_REPETITIONS)):
        at = _after(due_at, rung.counts, rung.after + repetition * every, target)
        if at is None:
            return
        yield RungKey(rung.kind, rung.level + repetition), at, rung
        if at > read_at:
            return


def _warning_at(rung: Rung, target: Target, cycle: Cycle) -> datetime | None:
    budget, pauses = target.budget, target.pauses
    if rung.fraction is None:
        return _before_deadline(rung, target, cycle)
    if budget.kind is not BudgetKind.DAYS:
        part = (budget.span + target.extension) * rung.fraction
        return _after(target.anchor_at, budget.kind, part, target)
    due_at = spent_but_for_pause(target)
    part_of_days = target.working.elapsed(target.anchor_at, due_at, pauses.closed) * rung.fraction
    return _after(target.anchor_at, BudgetKind.WORKING, part_of_days, target)


def _before_deadline(rung: Rung, target: Target, cycle: Cycle) -> datetime | None:
    """An instant a span before the deadline, not before the start; in a pause, where the deadline lay before it."""
    due_at = target.due_at or spent_but_for_pause(target)
    is_elapsed = rung.counts is BudgetKind.ELAPSED
    before = due_at + rung.after if is_elapsed else target.working.due_back(due_at, -rung.after)
    return not_in_pause(max(cycle.started_at, before), target.pauses)


def _after(since: datetime, kind: BudgetKind, span: timedelta, target: Target) -> datetime | None:
    """When so much more has been counted, pauses left out."""
    return not_in_pause(_counted(since, kind, span, target.working, target.pauses.closed), target.pauses)
