"""How many requests of each channel came and were refused, hour by hour, since it was stored last."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from services.intake.domain.anomalies.streams import hour_of

Hours = Counter[tuple[str, int]]
"""By channel and hour since 1970."""


@dataclass
class Tally:
    accepted: Hours = field(default_factory=Counter)
    refused: Hours = field(default_factory=Counter)

    def accept(self, channel: str, at: datetime) -> None:
        self.accepted[channel, hour_of(at)] += 1

    def refuse(self, channel: str, at: datetime) -> None:
        self.refused[channel, hour_of(at)] += 1

    def take(self) -> Tally:
        """What was counted since the last call."""
        taken = Tally(self.accepted, self.refused)
        self.accepted, self.refused = Counter(), Counter()
        return taken

    def give_back(self, taken: Tally) -> None:
        """``taken`` could not be stored."""
        self.accepted.update(taken.accepted)
        self.refused.update(taken.refused)
