"""Which reminders come next for a request, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.automation.deciding import Case, could_hold
from services.intake.domain.automation.reminders import OWNER, Hours, ReminderRule
from services.intake.domain.automation.rules import RuleSet
from services.intake.domain.automation.staying import CAUSE
from services.intake.domain.automation.waiting import Wait, read_wait, reminded_at
from services.intake.domain.process import Process
from services.intake.domain.reminded import Reminded
from shared.contracts.payload import Market


@dataclass(frozen=True, slots=True)
class Coming:
    """A reminder that comes at its instant unless something happens to the request before."""

    reminded: Reminded

    @property
    def due_at(self) -> datetime:
        return self.reminded.due_at

    @property
    def cause(self) -> str:
        return f"{CAUSE}{self.reminded.rule}"


def coming_reminders(rules: RuleSet, case: Case) -> tuple[Coming, ...]:
    """The next one of every rule that is on and applies, the earliest first; some may be due.

    A request that is over or waits for somebody outside has none.
    """
    return _coming(rules, case, lambda rule: rule.when.holds(case))


def next_look(rules: RuleSet, case: Case) -> datetime | None:
    """When to look whether a reminder comes; None while nothing happens to the request: never. It may have passed.

    What the customer asked for before is left open, so nothing may come of the look.
    """
    coming = _coming(rules, case, lambda rule: could_hold(rule.when, case))
    return coming[0].due_at if coming else None


def next_reminder(rule: ReminderRule, hours: Hours, case: Case, wait: Wait, said: Sequence[datetime]) -> Coming | None:
    """The next one of a rule that applies; None when it has nobody to tell, or has said all it has to say.

    Repeats count from when the one before was said: what was missed in an outage comes once and not all at a time.

    Args:
        said: when the rule reminded of this stay before, in order.
    """
    roles = _roles(rule, case.process, wait.stage)
    start, span = (said[-1], rule.every) if said else (wait.since, rule.after)
    if span is None or len(said) >= rule.at_most or not roles:
        return None
    due_at = hours.due(start, span, Market(case.market), wait.pauses)
    if due_at is None:
        return None
    return Coming(Reminded(rule.code, wait.stage, wait.stage_entry, len(said) + 1, wait.since, due_at, roles))


def _coming(rules: RuleSet, case: Case, applies: Callable[[ReminderRule], bool]) -> tuple[Coming, ...]:
    asked = [rule for rule in rules.reminders if rule.is_on and applies(rule)]
    wait = read_wait(case.history, case.process) if asked else None
    if wait is None:
        return ()
    found = (next_reminder(rule, rules.hours, case, wait, reminded_at(case.history, wait, rule.code)) for rule in asked)
    return tuple(sorted((coming for coming in found if coming is not None), key=lambda coming: coming.due_at))


def _roles(rule: ReminderRule, process: Process, stage: str) -> tuple[str, ...]:
    owner = process.stages[stage].role if stage in process.stages else None
    named = [owner if role == OWNER else role for role in rule.to]
    return tuple(dict.fromkeys(role for role in named if role is not None))
