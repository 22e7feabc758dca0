"""A closed request enters the frame: its stratum, its ticket, whether it is sampled; and the proof of it afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from services.quality_audit.domain.period import period_of
from services.quality_audit.domain.plan import LONGEST_STRATUM, Facts, Plan
from services.quality_audit.domain.selection import (
    UnitId,
    as_text,
    is_chosen,
    secret_of_period,
    threshold,
    unit_ticket,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One line of the frame.

    Attributes:
        closed_at: when the request ended, which decides the period.
        rate: the probability with which units of this stratum are sampled.
        ticket: as text; below ``limit`` means sampled.
        limit: as text; None when the whole stratum is sampled.
    """

    id: UnitId
    period: str
    facts: Facts
    closed_at: datetime
    risk: str
    rate: float
    ticket: str
    limit: str | None
    is_sampled: bool

    @property
    def stratum(self) -> str:
        return f"{self.facts.kind}.{self.risk}"

    @property
    def told_stratum(self) -> str:
        """What fits an event: the name from a plan that is older than the limit on names loses its end."""
        return self.stratum[:LONGEST_STRATUM]


def frame_unit(unit: UnitId, facts: Facts, closed_at: datetime, plan: Plan, master: bytes) -> Unit:
    """Place a request that closed. The same arguments give the same line for ever.

    Args:
        master: what the secret of each period is derived from.
    """
    period = period_of(closed_at)
    risk = plan.risk_of(facts)
    rate = plan.rate_of(risk, facts.kind)
    ticket = unit_ticket(secret_of_period(master, period), unit)
    limit = threshold(rate)
    return Unit(
        id=unit,
        period=period,
        facts=facts,
        closed_at=closed_at,
        risk=risk.name,
        rate=rate,
        ticket=as_text(ticket),
        limit=None if limit is None else as_text(limit),
        is_sampled=is_chosen(ticket, rate),
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """A line of the frame that the plan and the secret do not explain."""

    id: UnitId
    what: str


def differences(lines: Iterable[Unit], plan: Plan, master: bytes) -> Iterator[Difference]:
    """Recompute every line from its frozen facts; says nothing when all is as it must be."""
    for line in lines:
        right = frame_unit(line.id, line.facts, line.closed_at, plan, master)
        for what in ("period", "risk", "rate", "ticket", "limit", "is_sampled"):
            if getattr(line, what) != getattr(right, what):
                yield Difference(line.id, what)


class Digest:
    """Identifies a set of lines given in the order of their ids; a changed, added or missing line changes it."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, line: Unit) -> None:
        text = f"{line.id.request_id}|{line.id.cycle}|{line.stratum}|{line.closed_at.isoformat()}|{line.ticket}\n"
        self._hash.update(text.encode())

    def text(self) -> str:
        return self._hash.hexdigest()
