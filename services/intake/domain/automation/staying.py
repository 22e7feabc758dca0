"""What happened while a request is at its stage, by its history: which rules acted, what they left to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from services.intake.domain.changes import Assigned, HeldBack, ProcessChanged, Reopened, StageEntered, Submitted
from services.intake.domain.history import Change, Entry
from services.intake.domain.kept import KEPT

BY = "automation"
"""Who wrote the entries that rules make."""

CAUSE = "rule:"
"""Before the name of the rule, in entries that it made."""


def made_by(entry: Entry) -> str | None:
    """The rule that made the entry."""
    if entry.cause is None or not entry.cause.startswith(CAUSE):
        return None
    return entry.cause.removeprefix(CAUSE)


def acted(history: Iterable[Entry]) -> frozenset[str]:
    """The rules that ever acted."""
    return frozenset(rule for entry in history if (rule := made_by(entry)) is not None)


def acted_here(history: Sequence[Entry]) -> frozenset[str]:
    """The rules that acted since the stage was entered."""
    found: set[str] = set()
    for entry in reversed(history):
        rule = made_by(entry)
        if rule is not None:
            found.add(rule)
        if isinstance(entry.change, StageEntered | Reopened):
            if entry.cause is not None:  # what led here belongs to the stage before
                found.discard(entry.cause.removeprefix(CAUSE))
            break
    return frozenset(found)


def count_stays(history: Iterable[Entry]) -> int:
    """How often the request came to its stage since it was submitted or last reopened; 1 is the first stay."""
    stays, here = Counter[str](), ""
    for entry in history:
        match entry.change:
            case Reopened():
                stays.clear()
            case Submitted(stage=stage) | StageEntered(stage=stage):
                here = stage
                stays[here] += 1
            case ProcessChanged(stage=stage) if stage != here:
                here = stage
                stays[here] += 1
    return stays[here]


def teams_here(changes: Iterable[Change]) -> frozenset[str | None]:
    """The teams that had the request since its stage was entered, the present one too.

    Args:
        changes: from the submission on.
    """
    team: str | None = None
    found: set[str | None] = set()
    for change in changes:
        if isinstance(change, StageEntered | Reopened):
            found.clear()
        elif isinstance(change, Assigned) and change.team is not KEPT:
            team = change.team
        found.add(team)
    return frozenset(found)


def is_left_to_people(history: Sequence[Entry]) -> bool:
    """Whether a rule held it back, and nobody but rules took it to another stage since."""
    for entry in reversed(history):
        if isinstance(entry.change, HeldBack):
            return True
        if isinstance(entry.change, StageEntered | Reopened) and entry.by != BY:
            return False
    return False
