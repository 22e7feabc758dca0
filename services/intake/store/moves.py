"""Moves of a request: lock it, then append to its history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from services.intake.domain.history import Entry, change_data
from services.intake.domain.record import RequestRecord
from services.intake.domain.visibility import Visibility
from services.intake.store.lookups import find_by_reference, teams_of
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


async def lock_request(connection: Connection, reference: str, visibility: Visibility) -> RequestRecord | None:
    """The request, locked until the transaction ends.

    Two statements: one that waited for a lock still sees the history as it was before the wait.
    """
    found = await _STATEMENTS["lock_request"].fetchval(
        connection, reference=reference, channel=visibility.channel, teams=teams_of(visibility)
    )
    return None if found is None else await find_by_reference(connection, reference, visibility)


async def lock_two(connection: Connection, references: Sequence[str], visibility: Visibility) -> list[RequestRecord]:
    """Those of two requests that the caller may see, in the order of ``references``, locked against deadlocks."""
    rows = await _STATEMENTS["lock_two"].fetch(
        connection, references=list(references), channel=visibility.channel, teams=teams_of(visibility)
    )
    found = {row["reference"] for row in rows}
    records = [await find_by_reference(connection, each, visibility) for each in references if each in found]
    return [record for record in records if record is not None]


async def find_standing(connection: Connection, request_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those that are worked on or were closed: neither merged into others nor cancelled."""
    rows = await _STATEMENTS["select_standing"].fetch(connection, request_ids=list(request_ids))
    return frozenset(row["request_id"] for row in rows)


async def record_changes(connection: Connection, record: RequestRecord, entries: Sequence[Entry]) -> None:
    """Write the last entries of the record's history and the state they lead to."""
    life = record.life
    result = await _STATEMENTS["record_changes"].execute(
        connection,
        request_id=record.request_id,
        version=life.version,
        process=life.process,
        process_version=life.process_version,
        stage=life.stage,
        product_line=life.product_line,
        priority=life.priority,
        customer_tier=life.customer_tier,
        attributes=json.dumps(dict(life.attributes)),
        team=life.team,
        handler=life.handler,
        pause_reasons=list(life.pause_reasons),
        awaited=json.dumps({reason: list(documents) for reason, documents in life.awaited.items()}),
        controls=json.dumps(dict(life.controls)),
        has_left_stage=life.has_left_stage,
        is_acknowledged=life.is_acknowledged,
        is_responded=life.is_responded,
        ended_as=life.ended_as,
        outcome=life.outcome,
        reason=life.reason,
        closed_at=life.closed_at,
        merged_into=life.merged_into,
        cycle=life.cycle,
        score=life.score,
        doubts=list(life.doubts),
        confirmed=list(life.confirmed),
        dismissed=list(life.dismissed),
        head=record.head,
        sequences=[entry.sequence for entry in entries],
        types=[entry.change.TYPE for entry in entries],
        data=[json.dumps(change_data(entry.change)) for entry in entries],
        occurred_ats=[entry.occurred_at for entry in entries],
        recorded_ats=[entry.recorded_at for entry in entries],
        callers=[entry.by for entry in entries],
        causes=[entry.cause for entry in entries],
        hashes=[entry.hash for entry in entries],
    )
    if result != f"INSERT 0 {len(entries)}":
        raise RuntimeError(f"request {record.request_id} was changed without its lock")


async def add_link(connection: Connection, request_id: UUID, relation: str, other_id: UUID) -> None:
    """Say what another request is to this one."""
    await _STATEMENTS["insert_link"].execute(connection, request_id=request_id, relation=relation, other_id=other_id)
