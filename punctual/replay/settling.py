"""Waits until the clocks of the replayed requests have settled, and counts deadlines met and missed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from punctual.channel.answers import GaveUp, KeyRefused, Refused
from punctual.channel.intake import IntakeClient
from shared.clock import monotonic

_FINAL = {"met", "missed", "cancelled"}
_ROUND_PAUSE = 0.5  # real seconds between looks at what has not settled yet


@dataclass
class Deadlines:
    """Attributes:
    by_objective: objective -> state -> requests; ``breached`` is a deadline passed by a request that is open still.
    unsettled: requests whose clocks had not caught up when the time was over.
    """

    by_objective: dict[str, Counter[str]] = field(default_factory=dict)
    warned: Counter[str] = field(default_factory=Counter)
    escalated: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    unsettled: int = 0

    def add(self, view: Mapping[str, Any]) -> None:
        self.states[view["state"]] += 1
        for deadline in view["deadlines"]:
            objective = deadline["objective"]
            self.by_objective.setdefault(objective, Counter())[deadline["state"]] += 1
            self.warned[objective] += bool(deadline["warned"])
            self.escalated[objective] += deadline["escalation_level"] > 0


def is_settled(view: Mapping[str, Any], now: datetime) -> bool:
    """Whether the clocks know all that intake knows, and every deadline that has passed is decided."""
    deadlines = view["deadlines"]
    if not deadlines:
        return False
    if view["state"] == "closed":
        return all(deadline["state"] in _FINAL for deadline in deadlines)
    return all(
        deadline["state"] != "running" or deadline["due_at"] is None or datetime.fromisoformat(deadline["due_at"]) > now
        for deadline in deadlines
    )


async def settle(
    references: Mapping[str, tuple[str, str]],
    intake: IntakeClient,
    *,
    concurrency: int,
    patience: timedelta,
    settled: Callable[[int], None],
) -> Deadlines:
    """Read every request until its clocks have settled, for as long as ``patience`` lasts (real time).

    Args:
        references: case -> reference and the key that may look it up.
        settled: told how many have settled.
    """
    until = monotonic() + patience.total_seconds()
    deadlines = Deadlines()
    waiting = list(references.values())
    free = asyncio.Semaphore(concurrency)
    try:
        now, _ = await intake.read_clock()
    except GaveUp:
        return Deadlines(unsettled=len(references))

    async def look(reference: str, api_key: str) -> dict[str, Any] | None:
        async with free:
            try:
                return await intake.look_up(api_key, reference)
            except (Refused, KeyRefused, GaveUp):  # counted as not settled; what was sent is reported all the same
                return None

    while waiting:
        views = await asyncio.gather(*(look(*known) for known in waiting))
        is_over = monotonic() > until
        late = []
        for known, view in zip(waiting, views, strict=True):
            if view is not None and (is_settled(view, now) or is_over):
                deadlines.add(view)
                deadlines.unsettled += not is_settled(view, now)
            elif is_over:
                deadlines.unsettled += 1
            else:
                late.append(known)
        waiting = late
        settled(len(references) - len(waiting))
        if waiting:
            await asyncio.sleep(_ROUND_PAUSE)
    return deadlines
