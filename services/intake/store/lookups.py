"""Reads requests back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.intake.domain.changes import Entry, read_change
from services.intake.domain.deadlines import Deadline, DeadlineState
from services.intake.domain.life import Life
from services.intake.domain.record import RequestRecord
from shared.contracts.payload import Language, Market, Priority, RequestKind
from shared.postgres import Connection, Record, load_statements

_STATEMENTS = load_statements(__name__)

NEWEST = UUID(int=2**128 - 1)
"""Above every id: the list begins with the newest request."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list of requests."""

    request_id: UUID
    reference: str
    external_id: str | None
    kind: RequestKind
    priority: Priority
    channel: str
    market: Market
    life: Life


@dataclass(frozen=True, slots=True)
class KindCount:
    kind: str
    total: int
    closed: int


async def find_by_reference(connection: Connection, reference: str, channel: str | None) -> RequestRecord | None:
    """The request of a canonical reference.

    Args:
        channel: sees only its own; None sees all.
    """
    row = await _STATEMENTS["select_by_reference"].fetchrow(connection, reference=reference, channel=channel)
    return None if row is None else _record(row)


async def find_by_token(connection: Connection, status_token: str) -> RequestRecord | None:
    row = await _STATEMENTS["select_by_token"].fetchrow(connection, status_token=status_token)
    return None if row is None else _record(row)


async def list_requests(connection: Connection, channel: str | None, before: UUID, count: int) -> Sequence[Listed]:
    """Newest first, older than ``before``; ids grow with the real time of recording."""
    if channel is None:
        rows = await _STATEMENTS["list_requests"].fetch(connection, before=before, count=count)
    else:
        rows = await _STATEMENTS["list_requests_of_channel"].fetch(
            connection, channel=channel, before=before, count=count
        )
    return [
        Listed(
            request_id=row["request_id"],
            reference=row["reference"],
            external_id=row["external_id"],
            kind=RequestKind(row["kind"]),
            priority=Priority(row["priority"]),
            channel=row["channel"],
            market=Market(row["market"]),
            life=_life(row),
        )
        for row in rows
    ]


async def count_requests(connection: Connection, channel: str | None) -> Sequence[KindCount]:
    rows = await _STATEMENTS["count_requests"].fetch(connection, channel=channel)
    return [KindCount(row["kind"], row["total"], row["closed"]) for row in rows]


def _record(row: Record) -> RequestRecord:
    return RequestRecord(
        request_id=row["request_id"],
        reference=row["reference"],
        status_token=row["status_token"],
        channel=row["channel"],
        external_id=row["external_id"],
        kind=RequestKind(row["kind"]),
        process_version=row["process_version"],
        product_line=row["product_line"],
        priority=Priority(row["priority"]),
        market=Market(row["market"]),
        language=Language(row["language"]),
        life=_life(row),
        history=tuple(_entry(entry) for entry in json.loads(row["history"])),
        deadlines=tuple(_deadline(deadline) for deadline in json.loads(row["deadlines"] or "[]")),
    )


def _life(row: Record) -> Life:
    return Life(
        stage=row["stage"],
        submitted_at=row["submitted_at"],
        version=row["version"],
        pause_reasons=tuple(row["pause_reasons"]),
        is_responded=row["is_responded"],
        outcome=row["outcome"],
        closed_at=row["closed_at"],
    )


def _entry(document: dict[str, Any]) -> Entry:
    return Entry(
        sequence=document["sequence"],
        change=read_change(document["type"], document["data"]),
        occurred_at=_instant(document["occurred_at"]),
        recorded_at=_instant(document["recorded_at"]),
        by=document["by"],
    )


def _deadline(document: dict[str, Any]) -> Deadline:
    return Deadline(
        clock_id=UUID(document["clock_id"]),
        request_id=UUID(document["request_id"]),
        objective=document["objective"],
        cycle=document["cycle"],
        state=DeadlineState(document["state"]),
        due_at=_instant(document["due_at"]) if document["due_at"] else None,
        stopped_at=_instant(document["stopped_at"]) if document["stopped_at"] else None,
        is_warned=document["is_warned"],
        escalation_level=document["escalation_level"],
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
