"""Reads for people: the clocks of a request, what is due next, the summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.sla_timer.domain.clocks import Reading
from services.sla_timer.store.tracked import read_reading
from shared.postgres import Connection, Record, load_statements

STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True)
class ReportedDecision:
    kind: str
    level: int
    true_at: datetime
    recorded_at: datetime
    lateness_ms: float
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReportedClock:
    """A clock with the request and the policy it belongs to, and what was decided on it."""

    clock_id: UUID
    cycle: int
    objective: str
    request_id: UUID
    reference: str
    market: str
    policy: str
    policy_version: int
    reading: Reading
    decisions: tuple[ReportedDecision, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """Attributes:
    states: number of clocks by state.
    decisions: number of standing decisions by kind.
    """

    states: dict[str, int]
    decisions: dict[str, int]
    timers_pending: int
    oldest_due_at: datetime | None
    lateness_p50_ms: float | None
    lateness_p99_ms: float | None


async def clocks_of(
    connection: Connection, *, request_id: UUID | None = None, reference: str | None = None, channel: str | None = None
) -> list[ReportedClock] | None:
    """The clocks of a request; None when the request is not known here, or not one of the channel's."""
    request = await STATEMENTS["find_request"].fetchrow(
        connection, request_id=request_id, reference=reference, channel=channel
    )
    if request is None:
        return None
    rows = await STATEMENTS["clocks_of_request"].fetch(connection, request_id=request["request_id"])
    return await _with_decisions(connection, [(request, row) for row in rows])


async def due_next(
    connection: Connection, due_before: datetime | None, count: int, channel: str | None = None
) -> list[ReportedClock]:
    """Open clocks, earliest deadline first."""
    rows = await STATEMENTS["clocks_due_next"].fetch(connection, due_before=due_before, count=count, channel=channel)
    return await _with_decisions(connection, [(row, row) for row in rows])


async def summarise(connection: Connection) -> Summary:
    states = await STATEMENTS["count_clocks_by_state"].fetch(connection)
    decisions = await STATEMENTS["count_decisions_by_kind"].fetch(connection)
    timers = await STATEMENTS["timer_summary"].fetchrow(connection)
    lateness = await STATEMENTS["lateness_summary"].fetchrow(connection)
    assert timers is not None  # an aggregate without grouping always gives a row
    assert lateness is not None
    return Summary(
        states={row["state"]: row["clocks"] for row in states},
        decisions={row["kind"]: row["decisions"] for row in decisions},
        timers_pending=timers["pending"],
        oldest_due_at=timers["oldest_due_at"],
        lateness_p50_ms=lateness["p50"],
        lateness_p99_ms=lateness["p99"],
    )


async def _with_decisions(connection: Connection, rows: Sequence[tuple[Record, Record]]) -> list[ReportedClock]:
    clock_ids = [row["clock_id"] for _, row in rows]
    decisions: dict[tuple[UUID, int], list[ReportedDecision]] = {}
    for row in await STATEMENTS["decisions_of_clocks"].fetch(connection, clock_ids=clock_ids):
        decisions.setdefault((row["clock_id"], row["cycle"]), []).append(
            ReportedDecision(
                kind=row["kind"],
                level=row["level"],
                true_at=row["true_at"],
                recorded_at=row["recorded_at"],
                lateness_ms=row["lateness_ms"],
                withdrawn_at=row["withdrawn_at"],
            )
        )
    return [
        ReportedClock(
            clock_id=row["clock_id"],
            cycle=row["cycle"],
            objective=row["objective"],
            request_id=request["request_id"],
            reference=request["reference"],
            market=json.loads(request["facts"])["market"],
            policy=request["policy"],
            policy_version=request["policy_version"],
            reading=read_reading(row),
            decisions=tuple(decisions.get((row["clock_id"], row["cycle"]), ())),
        )
        for request, row in rows
    ]
