"""Loads requests with their histories and clocks, under lock."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from services.sla_timer.domain.clocks import Clock, ClockState, Reading
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.rules import Facts
from shared.postgres import Connection, Record, load_statements

STATEMENTS = load_statements(__name__)


@dataclass(slots=True)
class TrackedRequest:
    """A request with everything its clocks need. The holder has its row lock.

    Attributes:
        said: sequence of the last event told about it.
        history: as told by intake, in that order.
        clocks: by id.
    """

    request_id: UUID
    reference: str
    facts: Facts
    policy: str
    policy_version: int
    partition: int
    said: int
    correlation_id: str
    traceparent: str
    history: list[RequestEvent] = field(default_factory=list)
    clocks: dict[UUID, Clock] = field(default_factory=dict)


async def lock_and_load(connection: Connection, request_ids: Collection[UUID]) -> dict[UUID, TrackedRequest]:
    """The requests that are known, locked until the transaction ends."""
    ids = sorted(request_ids)
    rows = await STATEMENTS["lock_requests"].fetch(connection, request_ids=ids)
    requests = {row["request_id"]: _request(row) for row in rows}
    known = list(requests)
    for row in await STATEMENTS["load_histories"].fetch(connection, request_ids=known):
        requests[row["request_id"]].history.append(_event(row))
    for row in await STATEMENTS["load_clocks"].fetch(connection, request_ids=known):
        requests[row["request_id"]].clocks[row["clock_id"]] = _clock(row)
    return requests


def _request(row: Record) -> TrackedRequest:
    return TrackedRequest(
        request_id=row["request_id"],
        reference=row["reference"],
        facts=Facts(**json.loads(row["facts"])),
        policy=row["policy"],
        policy_version=row["policy_version"],
        partition=row["partition"],
        said=row["said"],
        correlation_id=row["correlation_id"],
        traceparent=row["traceparent"],
    )


def _event(row: Record) -> RequestEvent:
    return RequestEvent(
        row["sequence"], Happening(row["happening"]), row["occurred_at"], row["recorded_at"], row["value"]
    )


def _clock(row: Record) -> Clock:
    return Clock(
        clock_id=row["clock_id"],
        request_id=row["request_id"],
        objective=row["objective"],
        cycle=row["cycle"],
        generation=row["generation"],
        reading=read_reading(row),
    )


def read_reading(row: Record) -> Reading:
    """A clock's row as it was last read."""
    return Reading(
        state=ClockState(row["state"]),
        started_at=row["started_at"],
        due_at=row["due_at"],
        ended_at=row["ended_at"],
        is_paused=row["is_paused"],
        rung_ats=tuple(row["rung_ats"]),
        read_at=row["read_at"],
    )
