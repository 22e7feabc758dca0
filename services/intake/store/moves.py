"""Moves of a request: lock it, then append to its history."""

from __future__ import annotations

import json

from services.intake.domain.changes import change_data
from services.intake.domain.record import RequestRecord
from services.intake.store.lookups import find_by_reference
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


async def lock_request(connection: Connection, reference: str, channel: str | None) -> RequestRecord | None:
    """The request, locked until the transaction ends.

    Two statements: one that waited for a lock still sees the history as it was before the wait.

    Args:
        channel: sees only its own; None sees all.
    """
    found = await _STATEMENTS["lock_request"].fetchval(connection, reference=reference, channel=channel)
    return None if found is None else await find_by_reference(connection, reference, channel)


async def record_change(connection: Connection, record: RequestRecord, key: str, status: int, body: str) -> None:
    """Write the last entry of the record's history, the state it leads to, and the answer that a repeat will get."""
    entry = record.history[-1]
    life = record.life
    result = await _STATEMENTS["record_change"].execute(
        connection,
        request_id=record.request_id,
        version=life.version,
        stage=life.stage,
        pause_reasons=list(life.pause_reasons),
        is_responded=life.is_responded,
        outcome=life.outcome,
        closed_at=life.closed_at,
        type=entry.change.TYPE,
        data=json.dumps(change_data(entry.change)),
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        caller=entry.by,
        key=key,
        status=status,
        body=body,
    )
    if result != "INSERT 0 1":
        raise RuntimeError(f"request {record.request_id} was changed without its lock")
