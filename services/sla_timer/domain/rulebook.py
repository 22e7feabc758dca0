"""Puts policies and calendars together into one rulebook."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from services.sla_timer.domain.calendars import read_calendars
from services.sla_timer.domain.policies import read_policies
from services.sla_timer.domain.rules import Rulebook
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
    """Check the texts and build the rulebook.

    Raises:
        InvalidDocument: names file, line and field of everything that is wrong.
    """
    calendars = read_calendars(sources.calendars, sources.calendars_file)
    policies, calendar_names = read_policies(sources.policies, sources.policies_file, calendars.keys())
    working = {name: WorkingTime(calendar) for name, calendar in calendars.items()}
    return Rulebook(version, policies, working, calendar_names)
