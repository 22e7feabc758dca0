"""What each entry of a history did to a clock, found by telling the history again from its beginning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from services.sla_timer.domain.case import Case, open_case
from services.sla_timer.domain.clocks import ClockState, Reading, read_clocks
from services.sla_timer.domain.history import Happening, RequestEvent
from shared.values import value


class EffectKind(StrEnum):
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    MOVED = "moved"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"
    CORRECTED = "corrected"  # what had ended before ended otherwise, as late news shows
    VOIDED = "voided"  # late news shows that the cycle never began


@value
class Effect:
    """Attributes:
    kind: None when the entry did nothing to this clock.
    due_before, due_after: the deadline; None when there was none.
    """

    entry: RequestEvent
    kind: EffectKind | None
    due_before: datetime | None
    due_after: datetime | None

    @property
    def has_moved(self) -> bool:
        return (
            self.kind is not None
            and None not in (self.due_before, self.due_after)
            and (self.due_before != self.due_after)
        )


_ENDINGS = {
    ClockState.MET: EffectKind.MET,
    ClockState.MISSED: EffectKind.MISSED,
    ClockState.CANCELLED: EffectKind.CANCELLED,
}


def find_effects(case: Case, code: str) -> dict[int, list[Effect]]:
    """By cycle, every entry that was said while it was known, in the order in which they were said."""
    found: dict[int, list[Effect]] = {}
    before: dict[int, Reading] = {}
    for entry, told in _retell(case):
        if code not in told.objectives():
            continue
        if before and not _may_change(told, code, entry):
            after = before  # it does not know the word; reading every clock after every entry takes long
        else:
            after = {course.cycle.number: course.reading for course in read_clocks(told, code, entry.recorded_at)}
        for number in sorted({*before, *after}):
            old, new = before.get(number), after.get(number)
            effect = Effect(entry, _kind(old, new), old.due_at if old else None, new.due_at if new else None)
            found.setdefault(number, []).append(effect)
        before = after
    return found


def _may_change(case: Case, code: str, entry: RequestEvent) -> bool:
    """Whether an entry says something that the objective listens to, or listened to when it occurred."""
    if entry.meaning.concerns_every_clock:
        return True
    if entry.happening is Happening.EXTENDED:
        return entry.value == code
    promised = [terms.policy.objective(code) for terms in case.terms]
    return any(objective is not None and not entry.words.isdisjoint(objective.alphabet) for objective in promised)


def _retell(case: Case) -> Iterator[tuple[RequestEvent, Case]]:
    """The case as it was known after each entry."""
    rulebooks = {terms.rulebook.version: terms.rulebook for terms in case.terms}
    first = case.terms[0]
    submission, *later = case.history
    said = [submission, *sorted(later, key=lambda entry: entry.recorded_at)]  # stable: intake's entries come first
    for count, entry in enumerate(said, start=1):
        known = {id(told) for told in said[:count]}
        history = [told for told in case.history if id(told) in known]
        yield (
            entry,
            open_case(
                case.request_id,
                case.reference,
                history,
                first.facts,
                first.rulebook.version,
                rulebooks.__getitem__,
            ),
        )


def _kind(old: Reading | None, new: Reading | None) -> EffectKind | None:
    if old is None:
        return EffectKind.STARTED
    if new is None:
        return EffectKind.VOIDED
    if new.ended_at is not None:
        if old.ended_at is None:
            return _ENDINGS[new.state]
        return None if (old.state, old.ended_at) == (new.state, new.ended_at) else EffectKind.CORRECTED
    if old.ended_at is not None:
        return EffectKind.CORRECTED
    if new.is_paused != old.is_paused:
        return EffectKind.PAUSED if new.is_paused else EffectKind.RESUMED
    return EffectKind.MOVED if new.due_at != old.due_at else None
