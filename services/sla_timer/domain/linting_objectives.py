"""Remarks about a single objective. They say only what is certain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from services.sla_timer.domain.history import ENDINGS, Happening
from services.sla_timer.domain.rules import BudgetKind, Objective, Rung
from services.sla_timer.domain.spans import write_budget
from shared.rules.spans import write_span

_NO_STOPS = frozenset({Happening.SUBMITTED, Happening.CANCELLED, Happening.MERGED})
"""What comes before every clock, and what ends it without a verdict."""


def remark_on_objective(objective: Objective) -> Iterator[str]:
    """What cannot be meant so; each remark goes on after the objective's name."""
    if all(_happening(word) in ENDINGS for word in objective.starts):
        yield "can never begin: a request that is over starts nothing"
    if all(_happening(word) in _NO_STOPS for word in objective.stops):
        yield "can never be met: none of its stops comes while it runs"
    for word in sorted(objective.resets & (objective.stops | objective.cancels)):
        yield f"is never reset by {word}: that ends it"
    for rung in objective.warnings:
        if _is_before_start(rung, objective):
            budget = write_budget(objective.budget)
            yield f"tells warning {rung.level} at once: it comes {write_span(-rung.after)} before the end of {budget}"
    if objective.longest_pause is not None and not objective.paused_by and not objective.paused_between:
        yield "limits pauses, and nothing pauses it"
    if objective.modes_move_running and not objective.modes:
        yield "lets modes move running clocks, and has no budgets for modes"


def _happening(word: str) -> str:
    return word.partition(":")[0]


def _is_before_start(rung: Rung, objective: Objective) -> bool:
    """Whether a warning certainly comes no later than the start; working time is never longer than elapsed time."""
    budget = objective.budget
    if budget.kind is BudgetKind.DAYS or rung.after >= timedelta(0):
        return False
    is_comparable = rung.counts is budget.kind or rung.counts is BudgetKind.WORKING
    return is_comparable and -rung.after >= budget.span
