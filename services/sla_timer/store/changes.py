"""Saves what a batch changed, in few statements however large the batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.sla_timer.domain.clocks import Clock, Timer
from services.sla_timer.domain.decisions import Decision, Withdrawal
from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.store.tracked import TrackedRequest
from shared.postgres import Connection, load_statements

STATEMENTS = load_statements(__name__)


@dataclass(slots=True)
class MadeDecision:
    """A decision of this batch; late news of the same batch may withdraw it again."""

    decision: Decision
    recorded_at: datetime
    lateness_ms: float
    withdrawn_at: datetime | None = None


@dataclass(slots=True)
class Changes:
    """What a batch changed.

    Attributes:
        rearmed: clock -> all the timers it is to have.
        settled: timers that have fired, whether or not something was decided.
    """

    new_requests: list[TrackedRequest] = field(default_factory=list)
    known_requests: dict[UUID, TrackedRequest] = field(default_factory=dict)
    events: list[tuple[UUID, RequestEvent]] = field(default_factory=list)
    clocks: dict[UUID, tuple[Clock, int]] = field(default_factory=dict)
    rearmed: dict[UUID, list[Timer]] = field(default_factory=dict)
    decisions: list[MadeDecision] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    settled: list[Timer] = field(default_factory=list)


async def save(connection: Connection, changes: Changes, now: datetime) -> None:
    """Write everything a batch changed.

    Raises:
        asyncpg.UniqueViolationError: a rung was decided twice, which no correct program does; the process ends.
    """
    await _save_requests(connection, changes)
    if changes.clocks:
        await _save_clocks(connection, list(changes.clocks.values()))
    if changes.withdrawals:
        await STATEMENTS["withdraw_decisions"].execute(connection, withdrawn_at=now, **_rung_keys(changes.withdrawals))
    if changes.decisions:
        await _save_decisions(connection, changes.decisions)
    await _save_timers(connection, changes)


async def _save_requests(connection: Connection, changes: Changes) -> None:
    new, known = changes.new_requests, list(changes.known_requests.values())
    if new:
        await STATEMENTS["insert_requests"].execute(
            connection,
            request_ids=[request.request_id for request in new],
            references=[request.reference for request in new],
            facts=[json.dumps(asdict(request.facts)) for request in new],
            policies=[request.policy for request in new],
            policy_versions=[request.policy_version for request in new],
            partitions=[request.partition for request in new],
            said=[request.said for request in new],
            correlation_ids=[request.correlation_id for request in new],
            traceparents=[request.traceparent for request in new],
        )
    if known:
        await STATEMENTS["update_requests"].execute(
            connection,
            request_ids=[request.request_id for request in known],
            said=[request.said for request in known],
            partitions=[request.partition for request in known],
        )
    if changes.events:
        events = [event for _, event in changes.events]
        await STATEMENTS["insert_request_events"].execute(
            connection,
            request_ids=[request_id for request_id, _ in changes.events],
            sequences=[event.sequence for event in events],
            happenings=[event.happening for event in events],
            values=[event.value for event in events],
            occurred_ats=[event.occurred_at for event in events],
            recorded_ats=[event.recorded_at for event in events],
        )


async def _save_clocks(connection: Connection, changed: Sequence[tuple[Clock, int]]) -> None:
    clocks = [clock for clock, _ in changed]
    readings = [clock.reading for clock in clocks]
    await STATEMENTS["store_clocks"].execute(
        connection,
        clock_ids=[clock.clock_id for clock in clocks],
        cycles=[clock.cycle for clock in clocks],
        request_ids=[clock.request_id for clock in clocks],
        objectives=[clock.objective for clock in clocks],
        partitions=[partition for _, partition in changed],
        generations=[clock.generation for clock in clocks],
        states=[reading.state for reading in readings],
        started_ats=[reading.started_at for reading in readings],
        due_ats=[reading.due_at for reading in readings],
        ended_ats=[reading.ended_at for reading in readings],
        are_paused=[reading.is_paused for reading in readings],
        rung_ats=[_array_literal(reading.rung_ats) for reading in readings],
        read_ats=[reading.read_at for reading in readings],
    )


async def _save_decisions(connection: Connection, made: Sequence[MadeDecision]) -> None:
    await STATEMENTS["insert_decisions"].execute(
        connection,
        true_ats=[entry.decision.true_at for entry in made],
        recorded_ats=[entry.recorded_at for entry in made],
        lateness_ms=[entry.lateness_ms for entry in made],
        withdrawn_ats=[entry.withdrawn_at for entry in made],
        **_rung_keys([entry.decision for entry in made]),
    )


async def _save_timers(connection: Connection, changes: Changes) -> None:
    if changes.rearmed:
        cycles = [changes.clocks[clock_id][0].cycle for clock_id in changes.rearmed]
        await STATEMENTS["drop_timers"].execute(connection, clock_ids=list(changes.rearmed), cycles=cycles)
    rungs: list[Decision | Timer] = [*(entry.decision for entry in changes.decisions), *changes.settled]
    fired = [rung for rung in rungs if rung.clock_id not in changes.rearmed]
    if fired:
        await STATEMENTS["drop_fired_timers"].execute(connection, **_rung_keys(fired))
    timers = [timer for timers in changes.rearmed.values() for timer in timers]
    if timers:
        await STATEMENTS["insert_timers"].execute(
            connection,
            generations=[timer.generation for timer in timers],
            request_ids=[timer.request_id for timer in timers],
            partitions=[changes.clocks[timer.clock_id][1] for timer in timers],
            due_ats=[timer.due_at for timer in timers],
            **_rung_keys(timers),
        )


def _rung_keys(rungs: Iterable[Decision | Withdrawal | Timer]) -> dict[str, list[Any]]:
    rows = list(rungs)
    return {
        "clock_ids": list(map(attrgetter("clock_id"), rows)),
        "cycles": list(map(attrgetter("cycle"), rows)),
        "kinds": [row.key.kind for row in rows],
        "levels": [row.key.level for row in rows],
    }


def _array_literal(instants: Iterable[datetime | None]) -> str:
    return "{" + ",".join("NULL" if at is None else f'"{at.isoformat()}"' for at in instants) + "}"
