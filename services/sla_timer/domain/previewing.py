"""What other rules would do to a request: to its clocks that run, and to what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from services.sla_timer.domain.attainment import was_kept
from services.sla_timer.domain.case import Case, insert_entry, open_case
from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.cycles import Cycle, find_cycles
from services.sla_timer.domain.deadlines import Target, find_target
from services.sla_timer.domain.history import Happening, Origin, RequestEvent
from services.sla_timer.domain.modes import Activation, mode_at, modes_since
from services.sla_timer.domain.rules import Policy, Rulebook
from shared.values import value

DRAFT_VERSION = -1
"""Of rules that are not in force."""


class ChangeKind(StrEnum):
    EARLIER = "earlier"
    LATER = "later"
    STANDING = "standing"  # it stands still now, and will have another deadline when it goes on
    STARTED = "started"
    CANCELLED = "cancelled"


@value
class ClockChange:
    """Attributes:
    policy: that would promise it, or promised it before it was cancelled.
    from_at, to_at: the deadlines before and after; None where there is none.
    is_breached_at_once: the budget that is left would be less than nothing.
    """

    objective: str
    cycle: int
    policy: str
    kind: ChangeKind
    from_at: datetime | None
    to_at: datetime | None
    is_breached_at_once: bool


def apply_draft(
    case: Case,
    draft: Rulebook,
    now: datetime,
    rulebook: Callable[[int], Rulebook],
    activations: Sequence[Activation] = (),
) -> Case:
    """The case as it would be had the draft been applied to it just now, by entries as a rollout writes them.

    Args:
        activations: the modes that were entered; one that only the draft has budgets for is told with it.
    """

    def known(version: int) -> Rulebook:
        return draft if version == DRAFT_VERSION else rulebook(version)

    began, last = case.terms[0], case.now
    history = _told(case.history, Happening.POLICY_APPLIED, now, str(DRAFT_VERSION), {"version": DRAFT_VERSION})
    mode = mode_at(activations, last.facts.market, now)
    if mode is not last.mode and not draft.modes.isdisjoint({mode, last.mode}):
        history = _told(history, Happening.MODE_CHANGED, now, mode.value)
    return open_case(case.request_id, case.reference, history, began.facts, began.rulebook.version, known)


def begin_under_draft(case: Case, draft: Rulebook, now: datetime, activations: Sequence[Activation] = ()) -> Case:
    """The case as it would have been under the draft from the beginning.

    Args:
        activations: the modes that were entered. Requests are told only of those that their rules have budgets for.
    """
    began = case.terms[0]
    history = [entry for entry in case.history if entry.happening is not Happening.POLICY_APPLIED]
    if not draft.modes <= began.rulebook.modes:
        history = [entry for entry in history if entry.happening is not Happening.MODE_CHANGED]
        for at, mode in modes_since(activations, began.facts.market, case.timeline[0][0], now):
            history = _told(history, Happening.MODE_CHANGED, at, mode.value)
    return open_case(case.request_id, case.reference, history, began.facts, DRAFT_VERSION, lambda _: draft)


def _told(
    history: Sequence[RequestEvent],
    happening: Happening,
    at: datetime,
    value: str,
    details: Mapping[str, object] | None = None,
) -> list[RequestEvent]:
    """The history with an entry of the house's own."""
    before = max((entry.sequence for entry in history if entry.origin is Origin.HOUSE), default=0)
    return insert_entry(history, RequestEvent(before + 1, happening, at, at, value, details, Origin.HOUSE))


@value
class _Counted:
    """A cycle with its deadline. Its ladder is not laid out: nobody asks for it here, and it costs the most."""

    cycle: Cycle
    target: Target

    def is_breached(self, now: datetime) -> bool:
        return self.cycle.ended_at is None and self.target.due_at is not None and self.target.due_at <= now

    def was_kept(self, now: datetime) -> bool | None:
        ended_at, due_at = self.cycle.ended_at, self.target.due_at
        if ended_at is None:
            return was_kept(ClockState.RUNNING, due_at, None, now)
        if self.cycle.is_cancelled:
            return was_kept(ClockState.CANCELLED, due_at, ended_at, now)
        return due_at is None or ended_at <= due_at


def compare_running(before: Case, after: Case, now: datetime) -> list[ClockChange]:
    """What the change of rules does to the clocks that run now."""
    changes: list[ClockChange] = []
    promised = set(before.objectives())
    for code in after.objectives():
        old = {counted.cycle.number: counted for counted in _count(before, code)} if code in promised else {}
        for new in _count(after, code):
            change = _compare(old.pop(new.cycle.number, None), new, now)
            if change is not None:
                changes.append(change)
        # One that began at this very instant would never have begun.
        gone = [counted for counted in old.values() if counted.cycle.ended_at is None]
        changes += [_change(counted, ChangeKind.CANCELLED, counted.target.due_at, None) for counted in gone]
    return changes


def verdicts(case: Case, now: datetime) -> list[tuple[str, bool | None]]:
    """Objective and verdict of every clock, as of now."""
    return [(code, counted.was_kept(now)) for code in case.objectives() for counted in _count(case, code)]


def _count(case: Case, code: str) -> list[_Counted]:
    return [_Counted(cycle, find_target(case, code, cycle)) for cycle in find_cycles(case, code)]


def has_same_promises(old: Policy, old_rules: Rulebook, new: Policy, new_rules: Rulebook, market: str) -> bool:
    """Whether two policies promise the same, on calendars that are the same."""
    return old.objectives == new.objectives and all(
        old_rules.working_time(mine, market).calendar == new_rules.working_time(theirs, market).calendar
        for mine, theirs in zip(old.objectives, new.objectives, strict=True)
    )


def _compare(old: _Counted | None, new: _Counted, now: datetime) -> ClockChange | None:
    if old is not None and old.cycle.ended_at is not None:
        return None
    if new.cycle.ended_at is not None:
        return None if old is None else _change(old, ChangeKind.CANCELLED, old.target.due_at, None)
    after = new.target.due_at
    if old is None:
        return _change(new, ChangeKind.STARTED, None, after, is_breached_at_once=new.is_breached(now))
    before = old.target.due_at
    is_breached_at_once = new.is_breached(now) and not old.is_breached(now)
    if before is None or after is None:
        moves = (old.target.budget, old.target.working.calendar) != (new.target.budget, new.target.working.calendar)
        if not moves:
            return None
        return _change(new, ChangeKind.STANDING, before, after, is_breached_at_once=is_breached_at_once)
    if before == after:
        return None
    kind = ChangeKind.EARLIER if after < before else ChangeKind.LATER
    return _change(new, kind, before, after, is_breached_at_once=is_breached_at_once)


def _change(
    counted: _Counted,
    kind: ChangeKind,
    from_at: datetime | None,
    to_at: datetime | None,
    *,
    is_breached_at_once: bool = False,
) -> ClockChange:
    target = counted.target
    policy = target.terms.policy.code
    return ClockChange(target.objective.code, counted.cycle.number, policy, kind, from_at, to_at, is_breached_at_once)
