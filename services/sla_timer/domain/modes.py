"""Which mode is in force where and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.sla_timer.domain.rules import Mode

_BY_GRAVITY = tuple(Mode)


@dataclass(frozen=True, slots=True)
class Activation:
    """A mode that was entered.

    Attributes:
        markets: where it holds; empty: everywhere.
        left_at: None while it is in force.
    """

    activation_id: UUID
    mode: Mode
    markets: frozenset[str]
    entered_at: datetime
    left_at: datetime | None = None

    def holds(self, market: str, at: datetime) -> bool:
        """From the instant it was entered to just before the one it was left."""
        is_within = self.entered_at <= at and (self.left_at is None or at < self.left_at)
        return is_within and (not self.markets or market in self.markets)


def mode_at(activations: Iterable[Activation], market: str, at: datetime) -> Mode:
    """The gravest mode in force."""
    holding = [activation.mode for activation in activations if activation.holds(market, at)]
    return max(holding, key=_BY_GRAVITY.index, default=Mode.NORMAL)


def modes_since(
    activations: Iterable[Activation], market: str, since: datetime, now: datetime
) -> list[tuple[datetime, Mode]]:
    """The mode in force at ``since`` when it is not the usual one, and every change up to ``now``."""
    known = list(activations)
    edges = {at for activation in known for at in (activation.entered_at, activation.left_at) if at is not None}
    instants = [since, *sorted(at for at in edges if since < at <= now)]
    found: list[tuple[datetime, Mode]] = []
    last = Mode.NORMAL
    for at in instants:
        mode = mode_at(known, market, at)
        if mode is not last:
            found.append((at, mode))
            last = mode
    return found
