"""What happened while a request is at its stage, by its history: which rules acted, what they left to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from services.intake.domain.changes import (
    Assigned,
    ControlRecorded,
    HeldBack,
    ProcessChanged,
    Reopened,
    StageEntered,
    Submitted,
)
from services.intake.domain.history import Change, Entry
from services.intake.domain.kept import KEPT

BY = "automation"
"""Who wrote the entries that rules make."""

CAUSE = "rule:"
"""Before the name of the rule, in entries that it made."""


_OF_THE_SAME_MOVE = "entry:"
"""Begins the cause of entries that a move made besides its first one."""


def is_further(entry: Entry) -> bool:
    """Whether a move made it besides its first entry."""
    return entry.cause is not None and entry.cause.startswith(_OF_THE_SAME_MOVE)


def made_by(entry: Entry) -> str | None:
    """The rule that made the entry."""
    if entry.cause is None or not entry.cause.startswith(CAUSE):
        return None
    return entry.cause.removeprefix(CAUSE)


def acted(history: Iterable[Entry]) -> frozenset[str]:
    """The rules that ever acted."""
    return frozenset(rule for entry in history if (rule := made_by(entry)) is not None)


def stay_begun(change: Change, stage: str | None) -> str | None:
    """The stage at which a stay begins with the change; None where none does.

    Following another process begins one only where that takes the request to another stage. A reopening is followed by
    the stage that it enters.

    Args:
        stage: where the request was before; None before the submission.
    """
    match change:
        case Submitted(stage=entered) | StageEntered(stage=entered):
            return entered
        case ProcessChanged(stage=entered) if entered != stage:
            return entered
    return None


def acted_here(history: Iterable[Entry]) -> frozenset[str]:
    """The rules that acted since the stage was entered; what led here belongs to the stage before.

    Another process at the same stage takes back the control points that were passed there, so a rule that passed one
    counts as not having acted.
    """
    stage: str | None = None
    rule: str | None = None
    found, passed = set[str](), set[str]()
    for entry in history:
        is_first = not is_further(entry)
        if is_first:
            rule = made_by(entry)
        if (entered := stay_begun(entry.change, stage)) is not None:
            stage = entered
            found.clear()
            passed.clear()
        elif isinstance(entry.change, ProcessChanged):
            found -= passed
        elif rule is not None and is_first:
            found.add(rule)
        if rule in found and isinstance(entry.change, ControlRecorded):
            passed.add(rule)
    return frozenset(found)


def failed_here(changes: Iterable[Change]) -> frozenset[str]:
    """The control points that were found failed last since the stage was entered. Only people record that; another
    process at the same stage has them recorded anew, and what people found they found.

    Args:
        changes: from the submission on.
    """
    stage: str | None = None
    found = set[str]()
    for change in changes:
        if (entered := stay_begun(change, stage)) is not None:
            stage = entered
            found.clear()
        elif isinstance(change, ControlRecorded):
            (found.discard if change.is_passed else found.add)(change.control)
    return frozenset(found)


def count_stays(history: Iterable[Entry]) -> int:
    """How often the request came to its stage since it was submitted or last reopened; 1 is the first stay."""
    stays, here = Counter[str](), ""
    for entry in history:
        if isinstance(entry.change, Reopened):
            stays.clear()
        if (entered := stay_begun(entry.change, here)) is not None:
            here = entered
            stays[here] += 1
    return stays[here]


def teams_here(changes: Iterable[Change]) -> frozenset[str | None]:
    """The teams that had the request since its stage was entered, the present one too.

    Args:
        changes: from the submission on.
    """
    stage: str | None = None
    team: str | None = None
    found: set[str | None] = set()
    for change in changes:
        if (entered := stay_begun(change, stage)) is not None:
            stage = entered
            found.clear()
        elif isinstance(change, Assigned) and change.team is not KEPT:
            team = change.team
        found.add(team)
    return frozenset(found)


def is_left_to_people(history: Iterable[Entry]) -> bool:
    """Whether a rule held it back, and nobody but rules took it to another stage since."""
    stage: str | None = None
    is_left = False
    for entry in history:
        if (entered := stay_begun(entry.change, stage)) is not None:
            stage = entered
            is_left = is_left and entry.by == BY
        elif isinstance(entry.change, HeldBack):
            is_left = True
    return is_left
