"""Tries rules on requests of the past: how often each would have acted, on which, and whether people did the same.

A rule that reminds may act several times on one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.intake.domain.automation.deciding import Case, may_look, try_steps
from services.intake.domain.automation.reminding import next_reminder
from services.intake.domain.automation.rules import CloseStep, Rule, RuleSet
from services.intake.domain.automation.waiting import read_wait
from services.intake.domain.changes import Closed, ProcessChanged, Submitted
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
        agrees: people ended it as the rule would have; None when the rule ends nothing, or it has not ended.
    """

    rule: str
    reference: str
    sequence: int
    at: datetime
    agrees: bool | None


@dataclass(slots=True)
class RuleTrial:
    """Attributes:
    acted: on how many requests.
    times: how often; only reminders come more than once on a request.
    listed: the first ones, up to the number that was asked for.
    """

    rule: str
    acted: int = 0
    times: int = 0
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
        acted: set[str] = set()
        reminders = find_reminders(self._rules, reference, case, self._until)
        for found in (*find_actions(self._rules.rules, reference, case), *reminders):
            result = self.results[found.rule]
            result.acted += found.rule not in acted
            acted.add(found.rule)
            result.times += 1
            result.agreed += found.agrees is True
            result.disagreed += found.agrees is False
            if len(result.listed) < self._most_listed:
                result.listed.append(found)


def find_actions(rules: Iterable[Rule], reference: str, case: Case) -> Iterator[WouldAct]:
    """Where each rule, on its own and for the first time, would have acted."""
    waiting = list(rules)
    outcome = next((e.change for e in reversed(case.history) if isinstance(e.change, Closed)), None)
    for entry, life, history in _lives(case.history, case.process):
        then = replace(case, life=life, history=history)
        for rule in list(waiting):
            if not may_look(rule, then) or not rule.when.holds(then):
                continue
            if try_steps(rule, then, entry.occurred_at, _TRIED) is None:
                continue
            waiting.remove(rule)
            yield WouldAct(rule.code, reference, entry.sequence, entry.occurred_at, _agrees(rule, outcome))


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


def _agrees(rule: Rule, closed: Closed | None) -> bool | None:
    ends = [step for step in rule.steps if isinstance(step, CloseStep)]
    if not ends or closed is None:
        return None
    return closed.outcome == ends[-1].outcome
