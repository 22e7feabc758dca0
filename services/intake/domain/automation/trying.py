"""Tries rules on requests of the past: how often each would have acted, on which, and whether people did the same.

A rule may act several times on one request: at each stay at a stage, and one that reminds also while it lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.intake.domain.automation.deciding import Case, is_held_back, may_look, try_steps
from services.intake.domain.automation.reminding import next_reminder
from services.intake.domain.automation.rules import Rule, RuleSet
from services.intake.domain.automation.staying import BY, is_further
from services.intake.domain.automation.waiting import read_wait
from services.intake.domain.changes import Cancelled, Closed, Merged, ProcessChanged, Reopened, StageEntered, Submitted
from services.intake.domain.history import Entry
from services.intake.domain.life import Life, begin, evolve
from services.intake.domain.process import Process

_TRIED = UUID(int=0)
"""Of a request that would have been opened."""


@dataclass(frozen=True, slots=True)
class WouldAct:
    """A rule would have acted on a request.

    Attributes:
        sequence: after this entry.
        at: its instant; business time.
        agrees: people ended it then as the rule would have; None when the rule ends nothing, or people did not end it.
        is_held_back: it would have been left to people.
    """

    rule: str
    reference: str
    sequence: int
    at: datetime
    agrees: bool | None
    is_held_back: bool = False


@dataclass(slots=True)
class RuleTrial:
    """Attributes:
    acted: on how many requests.
    times: how often.
    held_back: on how many it would have applied and left them to people.
    agreed, disagreed: of all of these, how often people ended them the same way and otherwise.
    listed: the first ones, up to the number that was asked for.
    """

    rule: str
    acted: int = 0
    times: int = 0
    held_back: int = 0
    agreed: int = 0
    disagreed: int = 0
    listed: list[WouldAct] = field(default_factory=list)


class Trial:
    """Takes past requests one by one, so that memory does not grow with their number."""

    def __init__(self, rules: RuleSet, most_listed: int, until: datetime) -> None:
        """
        Args:
            until: reminders of requests that still wait are counted up to here, business time.
        """
        self._rules = rules
        self._most_listed = most_listed
        self._until = until
        self.requests = 0
        codes = (*(rule.code for rule in rules.rules), *(rule.code for rule in rules.reminders))
        self.results = {code: RuleTrial(code) for code in codes}

    def take(self, reference: str, case: Case) -> None:
        """
        Args:
            case: as it is now; its history is gone through from the beginning, as far as its process knows the stages.
        """
        self.requests += 1
        seen: set[tuple[str, bool]] = set()
        reminders = find_reminders(self._rules, reference, case, self._until)
        for found in (*find_actions(self._rules.rules, reference, case), *reminders):
            result = self.results[found.rule]
            is_first = (found.rule, found.is_held_back) not in seen
            seen.add((found.rule, found.is_held_back))
            if found.is_held_back:
                result.held_back += is_first
            else:
                result.acted += is_first
                result.times += 1
            result.agreed += found.agrees is True
            result.disagreed += found.agrees is False
            if len(result.listed) < self._most_listed:
                result.listed.append(found)


def find_actions(rules: Sequence[Rule], reference: str, case: Case) -> Iterator[WouldAct]:
    """Where each rule, on its own, would have acted; what it did in truth is passed over.

    As when it is on, it acts once while a request is at a stage, and one that opens a request once for all. What it
    would have ended would have ended there, so it acts again only after a reopening, and only if it asks for that.
    """
    done: set[str] = set()
    for entry, life, history in _lives(case.history, case.process):
        if isinstance(entry.change, StageEntered | Reopened):
            is_new_cycle = isinstance(entry.change, Reopened)
            done -= {r.code for r in rules if r.opens is None and (is_new_cycle or r.ends_as is None)}
        if _goes_on(entry, case.history):
            continue
        then = replace(case, life=life, history=history)
        for rule in rules:
            if rule.code in done or not may_look(rule, then) or not rule.when.holds(then):
                continue
            if try_steps(rule, then, entry.occurred_at, _TRIED) is None:
                continue
            done.add(rule.code)
            agrees = _agrees(rule, entry, case.history)
            yield WouldAct(rule.code, reference, entry.sequence, entry.occurred_at, agrees, is_held_back(rule, then))


def find_reminders(rules: RuleSet, reference: str, case: Case, until: datetime) -> Iterator[WouldAct]:
    """Where each rule, on its own, would have reminded; what it said in truth is passed over."""
    steps = list(_lives(case.history, case.process))
    # What is known of a request after an entry is known until the next one is recorded, whenever that occurred.
    known_until = [*(entry.recorded_at for entry in case.history[1:]), until]
    for rule in rules.reminders:
        stage_entry, said = 0, list[datetime]()
        for (entry, life, history), ends_at in zip(steps, known_until, strict=False):
            then = replace(case, life=life, history=history)
            wait = read_wait(history, case.process) if rule.when.holds(then) else None
            if wait is None:
                continue
            if wait.stage_entry != stage_entry:
                stage_entry, said = wait.stage_entry, []
            while (coming := next_reminder(rule, rules.hours, then, wait, said)) is not None:
                at = max(coming.due_at, entry.recorded_at)
                if at >= ends_at:
                    break
                said.append(at)
                yield WouldAct(rule.code, reference, entry.sequence, at, None)


def _lives(history: Iterable[Entry], process: Process) -> Iterator[tuple[Entry, Life, tuple[Entry, ...]]]:
    seen: tuple[Entry, ...] = ()
    life: Life | None = None
    for entry in history:
        if life is None:
            if not isinstance(entry.change, Submitted):
                return
            life = begin(entry.change, entry.occurred_at)
        else:
            life = evolve(life, entry.change, entry.occurred_at)
        if isinstance(entry.change, ProcessChanged) or life.stage not in process.stages:
            return  # what it did under another definition says nothing about this one
        seen = (*seen, entry)
        yield entry, life, seen


def _goes_on(entry: Entry, history: Sequence[Entry]) -> bool:
    """Whether the same move made the next entry as well: rules look at what a move led to, not at what it passed."""
    position = entry.sequence - history[0].sequence + 1
    return position < len(history) and is_further(history[position])


def _agrees(rule: Rule, entry: Entry, history: Sequence[Entry]) -> bool | None:
    """By how people ended the request next, cancelled and merged too; what rules ended says nothing about them."""
    if rule.ends_as is None:
        return None
    later = (e.change for e in history if e.sequence > entry.sequence and e.by != BY)
    ended = next((change for change in later if isinstance(change, Closed | Cancelled | Merged)), None)
    return None if ended is None else isinstance(ended, Closed) and ended.outcome == rule.ends_as
