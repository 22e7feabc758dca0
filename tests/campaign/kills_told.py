"""What was told of a request, as the kill campaign keeps it beside the system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Told:
    """One event, in the order in which it was told.

    Attributes:
        occurred_at: what is said to lie after ``recorded_at`` has occurred then.
        value: the stage, reason, outcome, signal or objective; the new priority of a change.
        left: the stage that entering another one leaves.
        seconds: granted by an extension.
    """

    sequence: int
    what: str
    occurred_at: datetime
    recorded_at: datetime
    value: str | None = None
    left: str | None = None
    seconds: int = 0

    @property
    def words(self) -> set[str]:
        words = {self.what} | ({f"{self.what}:{self.value}"} if self.value is not None else set())
        if self.what == "submitted":
            words = {"submitted", f"stage_entered:{self.value}"}
        if self.left is not None:
            words |= {"stage_left", f"stage_left:{self.left}"}
        return words
