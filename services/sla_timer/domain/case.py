"""A request as its clocks see it: its history in two orders, and the terms it was promised under."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from typing import Any
from uuid import UUID

from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import Happening, Origin, RequestEvent
from services.sla_timer.domain.rules import Mode, Policy, Rulebook
from shared.values import value

Timeline = tuple[tuple[datetime, RequestEvent], ...]
"""Entries in the order in which they occurred, none before the submission, and no stage before that said before it."""


@value
class Terms:
    """What holds for a request from an instant on.

    Attributes:
        cause: what changed them; None for the terms it began with.
    """

    from_at: datetime
    facts: Facts
    policy: Policy
    rulebook: Rulebook
    mode: Mode
    cause: Happening | None = None


@value
class Case:
    """What clocks are read from.

    Attributes:
        history: in the order in which it was said, the submission first; whoever holds it only appends.
        terms: in the order in which they came to hold; at least one.
        has_extensions: whether more time was ever granted.
        has_pauses: whether it ever waited for somebody outside.
        known_at: when the last of it was recorded.
        remembered: what was read from this history before, by objective; only saves reading it again.
    """

    request_id: UUID
    reference: str
    history: Sequence[RequestEvent]
    timeline: Timeline
    terms: tuple[Terms, ...]
    has_extensions: bool
    has_pauses: bool
    known_at: datetime
    remembered: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def now(self) -> Terms:
        """The terms that hold after all that was told."""
        return self.terms[-1]

    def objectives(self) -> Sequence[str]:
        """Every promise that was ever made about it, in the order of the policies."""
        if len(self.terms) == 1:
            return self.terms[0].policy.codes
        codes = [objective.code for terms in reversed(self.terms) for objective in terms.policy.objectives]
        return list(dict.fromkeys(codes))


def open_case(
    request_id: UUID,
    reference: str,
    history: Sequence[RequestEvent],
    facts: Facts,
    version: int,
    rulebook: Callable[[int], Rulebook],
) -> Case:
    """Put a case together.

    Args:
        history: in the order in which it was said, intake's entries first.
        facts: as submitted.
        version: of the rules that the request began with.
        rulebook: gives the rules of a version.
    """
    timeline = _timeline(history)
    terms = _terms(timeline, facts, version, rulebook)
    has_extensions = any(event.happening is Happening.EXTENDED for event in history)
    has_pauses = any(event.happening is Happening.PAUSED for event in history)
    known_at = max([event.recorded_at for event in history])
    return Case(request_id, reference, history, timeline, terms, has_extensions, has_pauses, known_at)


def extend_case(case: Case, history: Sequence[RequestEvent], event: RequestEvent) -> Case | None:
    """The case with one more entry, when nothing but time has gone on; None when it has to be put together anew.

    It takes over what the case remembers, so that one must not be read any more.

    Args:
        history: with the entry.
    """
    at = max(case.timeline[0][0], event.occurred_at)
    if event.happening in _TERMS or at < case.timeline[-1][0] or history[-1] is not event:
        return None
    return Case(
        case.request_id,
        case.reference,
        history,
        (*case.timeline, (at, event)),
        case.terms,
        case.has_extensions or event.happening is Happening.EXTENDED,
        case.has_pauses or event.happening is Happening.PAUSED,
        max(case.known_at, event.recorded_at),
        case.remembered,
    )


def _timeline(history: Sequence[RequestEvent]) -> Timeline:
    submitted_at = history[0].occurred_at
    if len(history) == 1:
        return ((submitted_at, history[0]),)
    entries: list[tuple[datetime, RequestEvent]] = []
    stage_at = submitted_at
    for event in history:
        at = max(submitted_at, event.occurred_at)
        if event.happening in _STAGES:
            # Each leads on from the one that was said before it, so a stage is not left before it was entered.
            at = stage_at = max(stage_at, at)
        entries.append((at, event))
    if any(later[0] < earlier[0] for earlier, later in pairwise(entries)):
        entries.sort(key=itemgetter(0))  # stable: what occurred at one instant stays in the order it was said
    return tuple(entries)


_STAGES = frozenset({Happening.STAGE_ENTERED, Happening.STAGE_LEFT})

_TERMS = frozenset({Happening.CHANGED, Happening.POLICY_APPLIED, Happening.MODE_CHANGED})


def _terms(timeline: Timeline, facts: Facts, version: int, rulebook: Callable[[int], Rulebook]) -> tuple[Terms, ...]:
    rules = rulebook(version)
    terms = [Terms(timeline[0][0], facts, rules.policy_for(facts), rules, Mode.NORMAL)]
    for at, event in timeline:
        if event.happening not in _TERMS:
            continue
        last = terms[-1]
        changed = Terms(at, *_after(event, last, rulebook), cause=event.happening)
        if event.happening is Happening.MODE_CHANGED and at == timeline[0][0] and len(terms) == 1:
            terms[0] = Terms(at, changed.facts, changed.policy, changed.rulebook, changed.mode)  # it began in the mode
        else:
            terms.append(changed)
    return tuple(terms)


def _after(
    event: RequestEvent, last: Terms, rulebook: Callable[[int], Rulebook]
) -> tuple[Facts, Policy, Rulebook, Mode]:
    details = event.details or {}
    if event.happening is Happening.MODE_CHANGED:
        return last.facts, last.policy, last.rulebook, Mode(event.value or Mode.NORMAL)
    if event.happening is Happening.POLICY_APPLIED:
        rules = rulebook(int(details["version"]))
        return last.facts, rules.policy_for(last.facts), rules, last.mode
    facts = last.facts.changed(details)
    return facts, last.rulebook.policy_for(facts), last.rulebook, last.mode


def insert_entry(history: Sequence[RequestEvent], event: RequestEvent) -> list[RequestEvent]:
    """The history with one more entry, in the order in which it was said."""
    if not history or _order(history[-1]) < _order(event):
        return [*history, event]
    return sorted([*history, event], key=_order)


def _order(event: RequestEvent) -> tuple[bool, int]:
    return event.origin is Origin.HOUSE, event.sequence
