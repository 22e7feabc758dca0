"""Requests with their histories and clocks, as they are loaded."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.clocks import Clock, ClockState, Reading
from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import Happening, Origin, RequestEvent
from services.sla_timer.domain.rules import Mode, RungKey, RungKind
from shared.postgres import Connection, Record, load_statements

_FACTS = tuple(Facts.__dataclass_fields__)
# Calling an enumeration costs ten times as much.
_HAPPENINGS = {happening.value: happening for happening in Happening}
_ORIGINS = {origin.value: origin for origin in Origin}
_STATES = {state.value: state for state in ClockState}
_MODES = {mode.value: mode for mode in Mode}

STATEMENTS = load_statements(__name__)

ClockKey = tuple[str, int]
"""Objective and cycle."""


@dataclass(slots=True)
class TrackedRequest:
    """A request with everything its clocks need. Whoever works on it holds its partition.

    Attributes:
        facts, policy_version: as it began; what changed them is in the history.
        stage, team: where it is now, for people who look for it.
        said: sequence of the last event told about it.
        last_heard: intake's number of the last event that left no entry in the history; None: that is not known.
        history: in the order in which it was told, intake's entries first.
        case: the history put together; None before that is needed.
    """

    request_id: UUID
    reference: str
    facts: Facts
    policy_version: int
    partition: int
    correlation_id: str
    traceparent: str
    stage: str | None = None
    team: str | None = None
    said: int = 0
    last_heard: int | None = 0
    history: list[RequestEvent] = field(default_factory=list)
    clocks: dict[ClockKey, Clock] = field(default_factory=dict)
    case: Case | None = None

    @property
    def last_sequence(self) -> int:
        """The number of intake's last event, as far as it is known."""
        heard = self.last_heard or 0
        for entry in reversed(self.history):
            if entry.origin is Origin.INTAKE:
                return max(entry.sequence, heard)
        return heard

    @property
    def next_own_sequence(self) -> int:
        """The number for an entry of this service."""
        last = self.history[-1] if self.history else None
        return last.sequence + 1 if last is not None and last.origin is Origin.HOUSE else 1


async def load_requests(connection: Connection, request_ids: Collection[UUID]) -> dict[UUID, TrackedRequest]:
    """The requests that are known, with their histories and clocks."""
    rows = await STATEMENTS["load_requests"].fetch(connection, request_ids=list(request_ids))
    if not rows:
        return {}
    requests = {row["request_id"]: read_request(row) for row in rows}
    known = list(requests)
    for row in await STATEMENTS["load_histories"].fetch(connection, request_ids=known):
        requests[row["request_id"]].history.append(read_event(row))
    for row in await STATEMENTS["load_clocks"].fetch(connection, request_ids=known):
        clock = read_clock(row)
        request = requests[clock.request_id]
        request.clocks[clock.objective, clock.cycle] = clock
        request.said = max(request.said, clock.said)
    return requests


def read_request(row: Record) -> TrackedRequest:
    """A row of ``tracked_request``, without history and clocks."""
    return TrackedRequest(
        request_id=row["request_id"],
        reference=row["reference"],
        facts=Facts(**json.loads(row["facts"])),
        policy_version=row["policy_version"],
        partition=row["partition"],
        correlation_id=row["correlation_id"],
        traceparent=row["traceparent"],
        stage=row["stage"],
        team=row["team"],
        last_heard=row["last_heard"],
    )


def write_facts(facts: Facts) -> str:
    return json.dumps({name: getattr(facts, name) for name in _FACTS})


def read_event(row: Record) -> RequestEvent:
    details = row["details"]
    return RequestEvent(
        row["sequence"],
        _HAPPENINGS[row["happening"]],
        row["occurred_at"],
        row["recorded_at"],
        row["value"],
        None if details is None else json.loads(details),
        _ORIGINS[row["origin"]],
    )


def read_clock(row: Record) -> Clock:
    return Clock(
        clock_id=row["clock_id"],
        request_id=row["request_id"],
        objective=row["objective"],
        cycle=row["cycle"],
        generation=row["generation"],
        said=row["said"],
        policy=row["policy"],
        policy_version=row["policy_version"],
        mode=_MODES[row["mode"]],
        party=row["party"],
        reading=Reading(
            state=_STATES[row["state"]],
            started_at=row["started_at"],
            due_at=row["due_at"],
            ended_at=row["ended_at"],
            is_paused=row["is_paused"],
            held=read_rungs(row["held"]),
            next_at=row["next_at"],
            next_rung=read_rungs(row["next_rung"])[0] if row["next_rung"] is not None else None,
            cause=row["cause"],
            read_at=row["read_at"],
        ),
    )


@lru_cache(maxsize=4096)
def read_rungs(text: str) -> tuple[RungKey, ...]:
    """``breach:1 warning:1`` as keys."""
    keys = (word.partition(":") for word in text.split())
    return tuple(RungKey(RungKind(kind), int(level)) for kind, _, level in keys)


def write_rungs(keys: Collection[RungKey]) -> str:
    return " ".join([f"{kind.value}:{level}" for kind, level in keys])
