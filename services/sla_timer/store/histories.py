"""Reads many requests, batch by batch, in one snapshot: for whoever looks over all of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.store.tracked import read_event
from shared.postgres import Connection, load_statements

STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True)
class BareRequest:
    """A request without its history.

    Attributes:
        team: whose it is now.
        facts, policy_version: as it began.
        has_other_terms: whether changed facts or applied rules are in its history.
    """

    request_id: UUID
    reference: str
    team: str | None
    facts: Facts
    policy_version: int
    has_other_terms: bool


async def take_time(connection: Connection) -> None:
    """Keep the transaction open while a batch is thought about, however busy the machine is."""
    await STATEMENTS["take_time"].execute(connection)


async def count_running_requests(connection: Connection) -> int:
    """Requests that are not over."""
    number: int = await STATEMENTS["count_running_requests"].fetchval(connection)
    return number


def walk_running_requests(connection: Connection, at_once: int) -> AsyncIterator[list[BareRequest]]:
    """Requests that are not over. The caller holds a transaction."""
    return _walk(connection, "walk_running_requests", at_once)


async def count_submitted_requests(connection: Connection, since: datetime, until: datetime) -> int:
    number: int = await STATEMENTS["count_submitted_requests"].fetchval(connection, since=since, until=until)
    return number


def walk_submitted_requests(
    connection: Connection, since: datetime, until: datetime, at_once: int
) -> AsyncIterator[list[BareRequest]]:
    """Requests submitted from ``since`` until just before ``until``. The caller holds a transaction."""
    return _walk(connection, "walk_submitted_requests", at_once, since=since, until=until)


async def count_requests(connection: Connection) -> int:
    number: int = await STATEMENTS["count_requests"].fetchval(connection)
    return number


async def walk_request_ids(connection: Connection, at_once: int) -> AsyncIterator[list[UUID]]:
    """All requests, in the order of their ids. The caller holds a transaction."""
    cursor = await connection.cursor(STATEMENTS["walk_request_ids"].sql)
    while rows := await cursor.fetch(at_once):
        yield [row["request_id"] for row in rows]


async def load_histories(connection: Connection, request_ids: Collection[UUID]) -> dict[UUID, list[RequestEvent]]:
    """Histories in the order in which they were said, intake's entries first."""
    found: dict[UUID, list[RequestEvent]] = {request_id: [] for request_id in request_ids}
    for row in await STATEMENTS["load_histories"].fetch(connection, request_ids=list(request_ids)):
        found[row["request_id"]].append(read_event(row))
    return found


Ending = tuple[UUID, str, ClockState, datetime | None, datetime | None]
"""Request, objective, state, deadline and end of a clock."""


async def load_endings(connection: Connection, request_ids: Collection[UUID]) -> list[Ending]:
    """What became of the clocks of requests, as it is stored."""
    rows = await STATEMENTS["load_endings"].fetch(connection, request_ids=list(request_ids))
    return [
        (row["request_id"], row["objective"], ClockState(row["state"]), row["due_at"], row["ended_at"]) for row in rows
    ]


async def load_standing(connection: Connection, clock_ids: Collection[UUID]) -> dict[tuple[UUID, int], set[str]]:
    """The standing decisions of clocks as ``kind:level``, by clock and cycle."""
    found: dict[tuple[UUID, int], set[str]] = {}
    for row in await STATEMENTS["load_standing_decisions"].fetch(connection, clock_ids=list(clock_ids)):
        found.setdefault((row["clock_id"], row["cycle"]), set()).add(row["rung"])
    return found


@dataclass(frozen=True, slots=True)
class WrongCount:
    """A number of clocks that is kept and is not the number of rows."""

    partition: int
    objective: str
    state: str
    kept: int
    counted: int


async def find_wrong_counts(connection: Connection) -> list[WrongCount]:
    return [WrongCount(**dict(row)) for row in await STATEMENTS["find_wrong_counts"].fetch(connection)]


async def _walk(
    connection: Connection, statement: str, at_once: int, **parameters: datetime
) -> AsyncIterator[list[BareRequest]]:
    found = STATEMENTS[statement]
    cursor = await connection.cursor(found.sql, *found.arguments(parameters))
    while rows := await cursor.fetch(at_once):
        yield [
            BareRequest(
                row["request_id"],
                row["reference"],
                row["team"],
                Facts(**json.loads(row["facts"])),
                row["policy_version"],
                row["has_other_terms"],
            )
            for row in rows
        ]
