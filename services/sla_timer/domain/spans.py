"""Counted spans and budgets as policies write them."""

from __future__ import annotations

import re
from datetime import timedelta

from services.sla_timer.domain.rules import Budget, BudgetKind
from shared.rules.spans import read_span, write_span

MOST_DAYS = 2000
"""Working days; more than seven years."""

_DAYS = re.compile(r"^(?P<days>[1-9]\d{0,5}) working days?(?P<end> end of day)?$")


def read_counted_span(text: str, *, default: BudgetKind | None = None) -> tuple[timedelta, BudgetKind]:
    """A span and how it is counted: ``8h working``, ``30d elapsed``.

    Args:
        default: how a span without a word is counted; None requires the word.

    Raises:
        ValueError: anything else.
    """
    span, _, word = text.partition(" ")
    word = word or default or ""
    if word not in (BudgetKind.WORKING, BudgetKind.ELAPSED):
        raise ValueError("must be a span and `working` or `elapsed`, such as `8h working`")
    if word == BudgetKind.WORKING and "d" in span:
        raise ValueError("a working day has no fixed length; give working hours")
    return read_span(span), BudgetKind(word)


def read_budget(text: str) -> Budget:
    """``8h working``, ``30d elapsed``, ``3 working days``, ``3 working days end of day``.

    Raises:
        ValueError: anything else, and nothing.
    """
    days = _DAYS.match(text)
    if days is not None:
        count = int(days["days"])
        if count > MOST_DAYS:
            raise ValueError(f"a budget is at most {MOST_DAYS} working days")
        return Budget(BudgetKind.DAYS, days=count, is_end_of_day=days["end"] is not None)
    span, kind = read_counted_span(text)
    if not span:
        raise ValueError("must be longer than nothing")
    return Budget(kind, span)


def write_budget(budget: Budget) -> str:
    """As a policy would write it."""
    if budget.kind is BudgetKind.DAYS:
        plural = "s" if budget.days != 1 else ""
        return f"{budget.days} working day{plural}{' end of day' if budget.is_end_of_day else ''}"
    if budget.kind is BudgetKind.WORKING:
        minutes = budget.span // timedelta(minutes=1)
        hours, rest = divmod(minutes, 60)
        return f"{f'{hours}h' if hours else ''}{f'{rest}m' if rest else ''} working"
    return f"{write_span(budget.span)} elapsed"
