"""Puts policies and calendars together into one rulebook."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from services.sla_timer.domain.linting import Remark, find_remarks
from services.sla_timer.domain.policies import OBJECTIVES, policy_lines, read_policies
from services.sla_timer.domain.rules import Rulebook
from services.sla_timer.domain.trials import Trial
from shared.rules.calendars import read_calendars
from shared.rules.document import refusing
from shared.worktime import WorkingTime


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


def lint(sources: RuleSources) -> list[Remark]:
    """What may not be meant in texts that can be used.

    Raises:
        InvalidDocument: they cannot.
    """
    policies = read_rulebook(sources).policies
    lines = policy_lines(sources.policies, sources.policies_file)
    return find_remarks(policies, lines, sources.policies_file)


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
            trial=Trial(calendars) if is_new else None,
            required=OBJECTIVES if is_new else frozenset(),
        )
    working = {name: WorkingTime(calendar) for name, calendar in calendars.items()}
    return Rulebook(version, policies, working, calendar_names)
