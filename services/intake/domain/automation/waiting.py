"""How long a request has waited at its stage for the house, from its history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.automation.staying import stay_begun
from services.intake.domain.changes import Cancelled, Closed, Merged, Paused, Resumed
from services.intake.domain.history import Entry
from services.intake.domain.process import Process, Waiting
from services.intake.domain.reminded import Reminded
from shared.worktime import Segment


@dataclass(frozen=True, slots=True)
class Wait:
    """A request at a stage where it waits for the house.

    Attributes:
        stage_entry: the sequence of the entry that brought it there.
        since: when it came there, business time.
        pauses: when it waited for somebody outside; in any order, and some may be of stages before.
    """

    stage: str
    stage_entry: int
    since: datetime
    pauses: tuple[Segment[datetime], ...] = ()


def read_wait(history: Iterable[Entry], process: Process) -> Wait | None:
    """None when the request is over, or waits for somebody outside now.

    It counts from the instant at which the stage was entered, whenever that was told; a stage that was left waits on
    until the next one begins. A pause during which the house waits for itself is waiting like any other.
    """
    wait: Wait | None = None
    begun: dict[str, datetime] = {}
    pauses: list[Segment[datetime]] = []
    for entry in history:
        stage = stay_begun(entry.change, None if wait is None else wait.stage)
        if stage is not None:
            wait = Wait(stage, entry.sequence, entry.occurred_at)
        match entry.change:
            case Paused(reason) if process.pauses.get(reason) is not Waiting.HOUSE:
                begun[reason] = min(entry.occurred_at, begun.get(reason, entry.occurred_at))  # or asked for more
            case Resumed(reason) if reason in begun:
                pauses.append((begun.pop(reason), entry.occurred_at))
            case Closed() | Cancelled() | Merged():
                pauses += ((paused_at, entry.occurred_at) for paused_at in begun.values())
                begun.clear()
                wait = None  # a reopening enters a stage
    if wait is None or begun:
        return None
    return Wait(wait.stage, wait.stage_entry, wait.since, tuple(pauses))


def reminded_at(history: Iterable[Entry], wait: Wait, rule: str) -> tuple[datetime, ...]:
    """When the rule reminded of this stay at the stage, in order."""
    return tuple(
        entry.occurred_at
        for entry in history
        if isinstance(entry.change, Reminded)
        and entry.change.rule == rule
        and entry.change.stage_entry == wait.stage_entry
    )
