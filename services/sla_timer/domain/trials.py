"""Tries whether the spans of a policy can be spent on the calendars it can be counted on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from services.sla_timer.domain.rules import ELAPSED_TIME, Budget, BudgetKind
from shared.errors import ConfigurationError
from shared.worktime import Calendar, WorkingTime

_LATEST_START = datetime(2100, 1, 1, tzinfo=UTC)
"""A budget that can be spent from here on can be spent whenever a request comes: past all dates that files list."""

_EARLIEST_END = datetime(2000, 1, 1, tzinfo=UTC)
"""A warning before this deadline could be told, so it can before every real one."""


class Trial:
    """Spends on layouts of its own, so that those of the rulebook stay small.

    One for each end: a layout has no gaps, and a century of every calendar takes seconds.
    """

    def __init__(self, calendars: Mapping[str, Calendar]) -> None:
        self._working = {name: WorkingTime(calendar) for name, calendar in calendars.items()}
        self._long_ago = {name: WorkingTime(calendar) for name, calendar in calendars.items()}

    def find_obstacle(self, calendar: str, budget: Budget, then: timedelta = timedelta(0)) -> str | None:
        """Why a budget, and working time after it, cannot be spent; None when they can."""
        working = self._working[calendar]
        try:
            if budget.kind is BudgetKind.DAYS:
                spent_at = working.due_days(_LATEST_START, budget.days, end_of_day=budget.is_end_of_day)
            else:
                spent_at = (ELAPSED_TIME if budget.kind is BudgetKind.ELAPSED else working).due(
                    _LATEST_START, budget.span
                )
            working.due(spent_at, then)
        except (ConfigurationError, OverflowError, ValueError) as error:
            return f"calendar {calendar}: {error}"
        return None

    def find_obstacle_before(self, calendar: str, span: timedelta) -> str | None:
        """Why there is no instant so much working time before a deadline; None when there is."""
        try:
            self._long_ago[calendar].due_back(_EARLIEST_END, span)
        except (ConfigurationError, OverflowError, ValueError) as error:
            return f"calendar {calendar}: {error}"
        return None
