"""How long to wait before a child that died is started again."""

from __future__ import annotations

from dataclasses import dataclass

from shared.waiting import doubled

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0
_STEADY_SECONDS = 60.0  # one that ran this long had no trouble starting


@dataclass(frozen=True)
class BackOff:
    """Doubles with every death in a row; one that ran for a minute starts the row anew."""

    deaths: int = 0

    def after_death(self, ran_seconds: float) -> BackOff:
        return BackOff(1 if ran_seconds >= _STEADY_SECONDS else self.deaths + 1)

    @property
    def seconds(self) -> float:
        if self.deaths == 0:
            return 0.0
        return doubled(_FIRST_SECONDS, self.deaths - 1, _LONGEST_SECONDS)
