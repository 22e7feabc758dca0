"""Counts what came of every call."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_KEPT = 10_000  # refusals kept one by one; a log that is refused throughout must not fill the memory


@dataclass(frozen=True, slots=True)
class Refusal:
    """One call that intake did not take."""

    line: int
    case: str
    action: str
    code: str
    detail: str


@dataclass
class Tally:
    """Attributes:
    sent: calls answered, whatever the answer.
    accepted: calls taken, repeats included.
    repeated: of these, calls that an earlier replay had sent already.
    refused: problem code -> calls.
    not_sent: moves of cases whose submission was refused.
    behind: how long after its business instant the latest call was sent, at most; business time.
    references: case -> reference of its request, with the key that may look it up.
    """

    sent: int = 0
    accepted: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    not_sent: int = 0
    submitted: int = 0
    closed: int = 0
    behind: timedelta = timedelta(0)
    references: dict[str, tuple[str, str]] = field(default_factory=dict)

    def accept(self, *, is_repeated: bool) -> None:
        self.sent += 1
        self.accepted += 1
        self.repeated += is_repeated

    def refuse(self, refusal: Refusal) -> None:
        self.sent += 1
        self.refused[refusal.code] += 1
        if len(self.refusals) < _KEPT:
            self.refusals.append(refusal)

    def note_delay(self, due_at: datetime, now: datetime) -> None:
        self.behind = max(self.behind, now - due_at)
