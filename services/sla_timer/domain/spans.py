"""Spans and budgets as policies write them."""

from __future__ import annotations

import re
from datetime import timedelta

from services.sla_timer.domain.rules import Budget, BudgetKind

LONGEST_SPAN = timedelta(days=3660)
"""Ten years: longer than any promise, and short enough that a deadline is always an instant one can write."""

MOST_DAYS = 2000
"""Working days; more than seven years."""

_HOUR = timedelta(hours=1)
_SPAN = re.compile(r"^(?=\d)(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?$")
_DAYS = re.compile(r"^(?P<days>[1-9]\d{0,5}) working days?(?P<end> end of day)?$")


def read_span(text: str) -> timedelta:
    """``45m``, ``8h``, ``1h30m``, ``2d``. A day is 24 hours.

    Raises:
        ValueError: anything else, and more than ``LONGEST_SPAN``.
    """
    match = _SPAN.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a span such as 45m, 8h or 1h30m")
    try:
        span = timedelta(**{unit: int(count) for unit, count in match.groupdict(default="0").items()})
    except (OverflowError, ValueError):  # int() refuses more than 4300 digits
        span = timedelta.max
    if span > LONGEST_SPAN:
        raise ValueError(f"a span is at most {LONGEST_SPAN.days} days, which are {LONGEST_SPAN // _HOUR} hours")
    return span


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


def write_span(span: timedelta) -> str:
    """As a policy would write it: ``1d12h``, ``45m``."""
    minutes = span // timedelta(minutes=1)
    parts = [(minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "m")]
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0m"


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
