"""A case as it will be sent: one submission and its moves, each with its instant and its idempotency key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from punctual.replay.mapping.actions import Action


@dataclass(frozen=True, slots=True)
class Step:
    """One call.

    Attributes:
        at: when it happened in the log.
        action: what to tell intake.
        number: position of the event in its case, and of the action in the event; makes the key.
        handler: who did it, as a staff id.
        line: of the log, for the report.
    """

    at: datetime
    action: Action
    number: str
    handler: str | None
    line: int


@dataclass(slots=True)
class Case:
    """One case of the log.

    Attributes:
        submission: the body of the request without instants.
        channel: whose key is used.
        steps: the first one submits.
    """

    name: str
    submission: dict[str, Any]
    channel: str
    steps: list[Step] = field(default_factory=list)

    @property
    def begins_at(self) -> datetime:
        return self.steps[0].at

    @property
    def is_closed(self) -> bool:
        return any(step.action.verb == "close" for step in self.steps)


def idempotency_key(log_name: str, case: str, number: str) -> str:
    """The same for every replay of the same event, whatever the case's name is made of."""
    return "replay-" + sha256(f"{log_name}\0{case}\0{number}".encode()).hexdigest()[:40]
