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
    accepted_actions: action, such as ``stage assessment`` -> calls taken.
    refused_actions: action -> problem code -> calls.
    not_sent: moves of cases whose submission was refused.
    doubted: finding -> requests taken in with it.
    dismissed: of these findings, how many the replay dismissed as a handler would.
    is_late: whether calls may be sent after their instants without it being worth a word.
    behind: how long after its business instant the latest call was sent, at most; business time.
    references: case -> reference of its request, with the key that may look it up.
    """

    sent: int = 0
    accepted: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    accepted_actions: Counter[str] = field(default_factory=Counter)
    refused_actions: dict[str, Counter[str]] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    not_sent: int = 0
    doubted: Counter[str] = field(default_factory=Counter)
    dismissed: int = 0
    is_late: bool = False
    submitted: int = 0
    closed: int = 0
    behind: timedelta = timedelta(0)
    references: dict[str, tuple[str, str]] = field(default_factory=dict)

    def accept(self, action: str, *, is_repeated: bool) -> None:
        self.sent += 1
        self.accepted += 1
        self.accepted_actions[action] += 1
        self.repeated += is_repeated

    def refuse(self, refusal: Refusal) -> None:
        self.sent += 1
        self.refused[refusal.code] += 1
        self.refused_actions.setdefault(refusal.action, Counter())[refusal.code] += 1
        if len(self.refusals) < _KEPT:
            self.refusals.append(refusal)

    def note_delay(self, due_at: datetime, now: datetime) -> None:
        if not self.is_late:
            self.behind = max(self.behind, now - due_at)
