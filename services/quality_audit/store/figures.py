"""Counts that figures are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.payload import RequestKind
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True)
class StratumCount:
    """Attributes:
    frame: closed requests; of these ``drawn`` were sampled and ``reviewed`` reviewed.
    """

    kind: RequestKind
    risk: str
    rate: float
    frame: int
    drawn: int
    reviewed: int
    inaccurate: int
    incomplete: int


@dataclass(frozen=True, slots=True)
class FateCount:
    """Attributes:
    kind: None when the request itself was never heard of.
    """

    kind: RequestKind | None
    objective: str
    met: int
    missed: int


@dataclass(frozen=True, slots=True)
class Totals:
    closed: int
    sampled: int
    reviewed: int


async def count_strata(connection: Connection, period: str) -> list[StratumCount]:
    """Strata with at least one unit, in no order."""
    rows = await _STATEMENTS["count_strata"].fetch(connection, period=period)
    return [
        StratumCount(kind=RequestKind(row["kind"]), **{k: v for k, v in row.items() if k != "kind"}) for row in rows
    ]


async def count_fates(connection: Connection, begins_at: datetime, ends_at: datetime) -> list[FateCount]:
    """Clocks whose fate was sealed from ``begins_at`` on and before ``ends_at``."""
    rows = await _STATEMENTS["count_fates"].fetch(connection, begins_at=begins_at, ends_at=ends_at)
    return [
        FateCount(row["kind"] and RequestKind(row["kind"]), row["objective"], row["met"], row["missed"]) for row in rows
    ]


async def count_all(connection: Connection) -> Totals:
    row = await _STATEMENTS["count_all"].fetchrow(connection)
    assert row is not None
    return Totals(row["closed"], row["sampled"], row["reviewed"])
