"""Saves what a batch changed, in few statements however large the batch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.sla_timer.domain.clocks import Clock
from services.sla_timer.domain.decisions import Decision, Withdrawal
from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.store.tracked import TrackedRequest, write_facts, write_rungs
from shared.postgres import Connection, load_statements

STATEMENTS = load_statements(__name__)

ClockPlace = tuple[UUID, str, int]
"""Request, objective, cycle."""


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
        new_requests: requests not known before.
        moved_requests: known ones whose stage, team or partition is another now.
        new_clocks, clocks: as they are now, with their partition; the new ones were not stored before.
        counts: partition, objective and state to how many more clocks there are.
    """

    new_requests: list[TrackedRequest] = field(default_factory=list)
    moved_requests: dict[UUID, TrackedRequest] = field(default_factory=dict)
    events: list[tuple[UUID, RequestEvent]] = field(default_factory=list)
    new_clocks: dict[ClockPlace, tuple[Clock, int]] = field(default_factory=dict)
    clocks: dict[ClockPlace, tuple[Clock, int]] = field(default_factory=dict)
    decisions: list[MadeDecision] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    counts: Counter[tuple[int, str, str]] = field(default_factory=Counter)


async def save(connection: Connection, changes: Changes, now: datetime) -> None:
    """Write everything a batch changed.

    Raises:
        asyncpg.UniqueViolationError: a rung was decided twice, which no correct program does; the process ends.
    """
    if changes.new_requests:
        await _insert_requests(connection, changes.new_requests)
    if changes.moved_requests:
        await _update_requests(connection, list(changes.moved_requests.values()))
    if changes.events:
        await _insert_events(connection, changes.events)
    if changes.new_clocks:
        await STATEMENTS["insert_clocks"].execute(connection, **_clock_columns(list(changes.new_clocks.values())))
    if changes.clocks:
        columns = _clock_columns(list(changes.clocks.values()))
        del columns["clock_ids"]  # never another
        await STATEMENTS["update_clocks"].execute(connection, **columns)
    if changes.withdrawals:
        await STATEMENTS["withdraw_decisions"].execute(connection, withdrawn_at=now, **_rung_keys(changes.withdrawals))
    if changes.decisions:
        await _insert_decisions(connection, changes.decisions)
    await _save_counts(connection, changes.counts)


async def remember_heard(connection: Connection, requests: Sequence[TrackedRequest]) -> None:
    """Keep how far they were heard. Nobody else writes them: the caller holds their partitions."""
    if requests:
        await STATEMENTS["remember_heard"].execute(
            connection,
            request_ids=[request.request_id for request in requests],
            last_heard=[request.last_heard for request in requests],
        )


async def _insert_requests(connection: Connection, requests: Sequence[TrackedRequest]) -> None:
    await STATEMENTS["insert_requests"].execute(
        connection,
        request_ids=[request.request_id for request in requests],
        references=[request.reference for request in requests],
        facts=[write_facts(request.facts) for request in requests],
        policy_versions=[request.policy_version for request in requests],
        partitions=[request.partition for request in requests],
        correlation_ids=[request.correlation_id for request in requests],
        traceparents=[request.traceparent for request in requests],
        stages=[request.stage for request in requests],
        teams=[request.team for request in requests],
        last_heard=[request.last_heard for request in requests],
    )


async def _update_requests(connection: Connection, requests: Sequence[TrackedRequest]) -> None:
    await STATEMENTS["update_requests"].execute(
        connection,
        request_ids=[request.request_id for request in requests],
        partitions=[request.partition for request in requests],
        stages=[request.stage for request in requests],
        teams=[request.team for request in requests],
    )


async def _insert_events(connection: Connection, entries: Sequence[tuple[UUID, RequestEvent]]) -> None:
    events = [event for _, event in entries]
    await STATEMENTS["insert_request_events"].execute(
        connection,
        request_ids=[request_id for request_id, _ in entries],
        origins=[event.origin for event in events],
        sequences=[event.sequence for event in events],
        happenings=[event.happening for event in events],
        values=[event.value for event in events],
        details=[None if event.details is None else json.dumps(event.details) for event in events],
        occurred_ats=[event.occurred_at for event in events],
        recorded_ats=[event.recorded_at for event in events],
    )


def _clock_columns(changed: Sequence[tuple[Clock, int]]) -> dict[str, list[Any]]:
    clocks = [clock for clock, _ in changed]
    readings = [clock.reading for clock in clocks]
    return {
        "clock_ids": [clock.clock_id for clock in clocks],
        "request_ids": [clock.request_id for clock in clocks],
        "objectives": [clock.objective for clock in clocks],
        "cycles": [clock.cycle for clock in clocks],
        "partitions": [partition for _, partition in changed],
        "generations": [clock.generation for clock in clocks],
        "said": [clock.said for clock in clocks],
        "policies": [clock.policy for clock in clocks],
        "policy_versions": [clock.policy_version for clock in clocks],
        "modes": [clock.mode for clock in clocks],
        "parties": [clock.party for clock in clocks],
        "states": [reading.state for reading in readings],
        "started_ats": [reading.started_at for reading in readings],
        "due_ats": [reading.due_at for reading in readings],
        "ended_ats": [reading.ended_at for reading in readings],
        "are_paused": [reading.is_paused for reading in readings],
        "held": [write_rungs(reading.held) for reading in readings],
        "next_ats": [reading.next_at for reading in readings],
        "next_rungs": [None if reading.next_rung is None else write_rungs([reading.next_rung]) for reading in readings],
        "causes": [reading.cause for reading in readings],
        "read_ats": [reading.read_at for reading in readings],
    }


async def _insert_decisions(connection: Connection, made: Sequence[MadeDecision]) -> None:
    await STATEMENTS["insert_decisions"].execute(
        connection,
        true_ats=[entry.decision.true_at for entry in made],
        recorded_ats=[entry.recorded_at for entry in made],
        lateness_ms=[entry.lateness_ms for entry in made],
        withdrawn_ats=[entry.withdrawn_at for entry in made],
        **_rung_keys([entry.decision for entry in made]),
    )


async def _save_counts(connection: Connection, counts: Counter[tuple[int, str, str]]) -> None:
    moved = sorted((key, more) for key, more in counts.items() if more)
    if not moved:
        return
    columns = {
        "partitions": [key[0] for key, _ in moved],
        "objectives": [key[1] for key, _ in moved],
        "states": [key[2] for key, _ in moved],
    }
    more = [number for _, number in moved]
    await STATEMENTS["count_clocks"].execute(connection, more=more, **columns)


def _rung_keys(rungs: Iterable[Decision | Withdrawal]) -> dict[str, list[Any]]:
    rows = list(rungs)
    return {
        "clock_ids": [row.clock_id for row in rows],
        "cycles": [row.cycle for row in rows],
        "kinds": [row.key.kind for row in rows],
        "levels": [row.key.level for row in rows],
    }
