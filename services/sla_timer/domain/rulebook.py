"""Puts policies and calendars together into one rulebook."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.sla_timer.domain.calendars import read_calendars
from services.sla_timer.domain.document import refusing
from services.sla_timer.domain.policies import OBJECTIVES, Spendable, read_policies
from services.sla_timer.domain.rules import BudgetKind, Objective, Rulebook
from shared.errors import ConfigurationError
from shared.worktime import ALWAYS_OPEN, Calendar, WorkingTime

_LATEST_START = datetime(2100, 1, 1, tzinfo=UTC)
"""A budget that can be spent from here on can be spent whenever a request comes: past all dates that files list."""


@dataclass(frozen=True, slots=True)
class RuleSources:
    """The two texts a rulebook is read from, kept with it for ever.

    Attributes:
        policies_file, calendars_file: what errors call them.
    """

    policies: str
    calendars: str
    policies_file: str = "policies.yml"
    calendars_file: str = "calendars.yml"

    @property
    def digest(self) -> str:
        """SHA-256 over both texts."""
        return hashlib.sha256(f"{len(self.policies)}\n{self.policies}{self.calendars}".encode()).hexdigest()


def read_rulebook(sources: RuleSources, version: int = 0) -> Rulebook:
    """Check new texts and build the rulebook.

    Raises:
        InvalidDocument: names file, line and field of everything that is wrong.
    """
    return _read(sources, version, is_new=True)


def read_stored_rulebook(sources: RuleSources, version: int) -> Rulebook:
    """Build a rulebook that was in force: requests under way need it, even if it would not be taken any more.

    Raises:
        InvalidDocument: the texts cannot be read at all.
    """
    return _read(sources, version, is_new=False)


def _read(sources: RuleSources, version: int, *, is_new: bool) -> Rulebook:
    with refusing(sources.calendars_file):
        calendars = read_calendars(sources.calendars, sources.calendars_file)
    with refusing(sources.policies_file):
        policies, calendar_names = read_policies(
            sources.policies,
            sources.policies_file,
            calendars.keys(),
            spendable=_on_trial(calendars) if is_new else None,
            required=OBJECTIVES if is_new else frozenset(),
        )
    working = {name: WorkingTime(calendar) for name, calendar in calendars.items()}
    return Rulebook(version, policies, working, calendar_names)


def _on_trial(calendars: Mapping[str, Calendar]) -> Spendable:
    """Spends budgets on layouts of their own, so that those of the rulebook stay small."""
    working = {name: WorkingTime(calendar) for name, calendar in calendars.items()}
    elapsed = WorkingTime(ALWAYS_OPEN)

    def spendable(objective: Objective, name: str) -> str | None:
        trial = elapsed if objective.budget_kind is BudgetKind.ELAPSED else working[name]
        try:
            trial.due(_LATEST_START, objective.budget)
        except (ConfigurationError, OverflowError, ValueError) as error:
            return f"calendar {name}: {error}"
        return None

    return spendable
