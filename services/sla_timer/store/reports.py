"""Reads for people: the clocks of a request, what is due next, the summary."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.sla_timer.domain.clocks import Clock
from services.sla_timer.store.tracked import read_clock
from shared.postgres import Connection, load_statements

STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True)
class ReportedDecision:
    kind: str
    level: int
    true_at: datetime
    recorded_at: datetime
    lateness_ms: float
    withdrawn_at: datetime | None


Decisions = dict[tuple[UUID, int], list[ReportedDecision]]
"""By clock and cycle, in the order they became true."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open clocks are asked for; None asks for all.

    Attributes:
        channel, teams: whose requests the caller may see; what no team has, any of the teams may.
        promises: ``version/policy/objective`` of those wanted.
    """

    due_before: datetime | None = None
    channel: str | None = None
    teams: AbstractSet[str] | None = None
    team: str | None = None
    stage: str | None = None
    state: str | None = None
    objective: str | None = None
    promises: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends, in the order of deadlines."""

    due_at: datetime
    clock_id: UUID


@dataclass(frozen=True, slots=True)
class Summary:
    """Attributes:
    states: number of clocks by state.
    decisions: number of standing decisions by kind.
    next_timer_at: when the first timer is due; None when there is none.
    lateness_p50_ms, lateness_p99_ms: real milliseconds, of the last 10,000 decisions.
    """

    states: dict[str, int]
    decisions: dict[str, int]
    next_timer_at: datetime | None
    lateness_p50_ms: float | None
    lateness_p99_ms: float | None


async def hold_still(connection: Connection) -> None:
    """Let the rest of the transaction see one state of all tables. The first statement of a transaction that reads."""
    await STATEMENTS["hold_still"].execute(connection)


async def find_request(
    connection: Connection,
    *,
    request_id: UUID | None = None,
    reference: str | None = None,
    channel: str | None = None,
    teams: AbstractSet[str] | None = None,
) -> UUID | None:
    """None when the request is not known here, or not one that the channel or the teams may see."""
    row = await STATEMENTS["find_request"].fetchrow(
        connection, request_id=request_id, reference=reference, channel=channel, teams=_names(teams)
    )
    return None if row is None else row["request_id"]


async def due_next(connection: Connection, wanted: Wanted, after: Place | None, count: int) -> list[Clock]:
    """Open clocks with a deadline, the earliest first."""
    rows = await STATEMENTS["clocks_due_next"].fetch(
        connection,
        due_before=wanted.due_before,
        after_at=after.due_at if after is not None else None,
        after_id=after.clock_id if after is not None else None,
        channel=wanted.channel,
        teams=_names(wanted.teams),
        team=wanted.team,
        stage=wanted.stage,
        state=wanted.state,
        objective=wanted.objective,
        promises=None if wanted.promises is None else list(wanted.promises),
        count=count,
    )
    return [read_clock(row) for row in rows]


async def load_decisions(connection: Connection, clocks: Sequence[Clock]) -> Decisions:
    """What was decided on clocks, withdrawn decisions too."""
    found: Decisions = {}
    clock_ids = list({clock.clock_id for clock in clocks})
    for row in await STATEMENTS["decisions_of_clocks"].fetch(connection, clock_ids=clock_ids):
        found.setdefault((row["clock_id"], row["cycle"]), []).append(
            ReportedDecision(
                kind=row["kind"],
                level=row["level"],
                true_at=row["true_at"],
                recorded_at=row["recorded_at"],
                lateness_ms=row["lateness_ms"],
                withdrawn_at=row["withdrawn_at"],
            )
        )
    return found


async def summarise(connection: Connection) -> Summary:
    """Counts over all clocks."""
    states = await STATEMENTS["count_clocks_by_state"].fetch(connection)
    decisions = await STATEMENTS["count_decisions_by_kind"].fetch(connection)
    lateness = await STATEMENTS["lateness_summary"].fetchrow(connection)
    assert lateness is not None  # an aggregate without grouping always gives a row
    return Summary(
        states={row["state"]: row["clocks"] for row in states},
        decisions={row["kind"]: row["decisions"] for row in decisions},
        next_timer_at=await STATEMENTS["timer_summary"].fetchval(connection),
        lateness_p50_ms=lateness["p50"],
        lateness_p99_ms=lateness["p99"],
    )


def _names(teams: AbstractSet[str] | None) -> list[str] | None:
    return None if teams is None else sorted(teams)
