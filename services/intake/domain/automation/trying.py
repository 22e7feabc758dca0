"""Tries rules on requests of the past: how often each would have acted, on which, and whether people did the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.intake.domain.automation.deciding import Case, try_steps
from services.intake.domain.automation.rules import CloseStep, Rule, RuleSet
from services.intake.domain.changes import Closed, ProcessChanged, Submitted
from services.intake.domain.history import Entry
from services.intake.domain.life import Life, begin, evolve
from services.intake.domain.process import Process


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
    listed: the first ones, up to the number that was asked for.
    """

    rule: str
    acted: int = 0
    agreed: int = 0
    disagreed: int = 0
    listed: list[WouldAct] = field(default_factory=list)


class Trial:
    """Takes past requests one by one, so that memory does not grow with their number."""

    def __init__(self, rules: RuleSet, most_listed: int) -> None:
        self._rules = rules.rules
        self._most_listed = most_listed
        self.requests = 0
        self.results = {rule.code: RuleTrial(rule.code) for rule in rules.rules}

    def take(self, reference: str, case: Case) -> None:
        """
        Args:
            case: as it is now; its history is gone through from the beginning, as far as its process knows the stages.
        """
        self.requests += 1
        for found in find_actions(self._rules, reference, case):
            result = self.results[found.rule]
            result.acted += 1
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
            if life.is_over or not rule.when.holds(then) or try_steps(rule, then, entry.occurred_at) is None:
                continue
            waiting.remove(rule)
            yield WouldAct(rule.code, reference, entry.sequence, entry.occurred_at, _agrees(rule, outcome))


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
