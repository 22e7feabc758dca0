"""Reads requests back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.intake.domain.deadlines import Deadline, DeadlineState
from services.intake.domain.history import Entry, read_change
from services.intake.domain.life import Life, State
from services.intake.domain.record import Related, RequestRecord
from services.intake.domain.visibility import Visibility
from shared.contracts.payload import CustomerTier, Language, Market, Priority, RequestKind
from shared.postgres import Connection, Record, load_statements

_STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list of requests."""

    request_id: UUID
    reference: str
    external_id: str | None
    kind: RequestKind
    process: str
    process_version: int
    priority: Priority
    product_line: str | None
    channel: str
    market: Market
    state: State
    stage: str
    team: str | None
    handler: str | None
    outcome: str | None
    submitted_at: datetime
    closed_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Count:
    kind: RequestKind
    state: State
    total: int


async def find_by_reference(connection: Connection, reference: str, visibility: Visibility) -> RequestRecord | None:
    """The request of a canonical reference, if it is visible. So are those it is related to."""
    row = await _STATEMENTS["select_by_reference"].fetchrow(
        connection, reference=reference, channel=visibility.channel, teams=teams_of(visibility)
    )
    return None if row is None else read_record(row)


async def find_related(connection: Connection, request_id: UUID, visibility: Visibility) -> tuple[Related, ...]:
    """The visible requests that one is related to, as ``find_by_reference`` gives them."""
    related = await _STATEMENTS["select_related"].fetchval(
        connection, request_id=request_id, channel=visibility.channel, teams=teams_of(visibility)
    )
    return _related(related)


async def find_by_token(connection: Connection, status_token: str) -> RequestRecord | None:
    row = await _STATEMENTS["select_by_token"].fetchrow(connection, status_token=status_token)
    return None if row is None else read_record(row)


async def read_past_page(
    connection: Connection, since: datetime, until: datetime, after: UUID, count: int, visibility: Visibility
) -> list[RequestRecord]:
    """Visible requests submitted from ``since`` until before ``until``, with histories, in the order of their ids."""
    rows = await _STATEMENTS["select_past_page"].fetch(
        connection,
        since=since,
        until=until,
        after=after,
        count=count,
        channel=visibility.channel,
        teams=teams_of(visibility),
    )
    return [read_record(row) for row in rows]


async def read_by_ids(connection: Connection, request_ids: Iterable[UUID]) -> dict[UUID, RequestRecord]:
    """Requests with their histories, without deadlines and related ones."""
    rows = await _STATEMENTS["select_by_ids"].fetch(connection, request_ids=list(request_ids))
    return {row["request_id"]: read_record(row) for row in rows}


async def count_requests(connection: Connection, visibility: Visibility) -> Sequence[Count]:
    """By kind and state, none of which is zero; exact as of the statement, at the same cost however many there are."""
    rows = await _STATEMENTS["count_requests"].fetch(connection, channel=visibility.channel, teams=teams_of(visibility))
    return [Count(RequestKind(row["kind"]), State(row["state"]), row["total"]) for row in rows]


def teams_of(visibility: Visibility) -> list[str] | None:
    """As the statements take them."""
    return None if visibility.teams is None else sorted(visibility.teams)


async def add_counts_up(connection: Connection) -> int:
    """Keep the counts short; gives how many notes went into them. Another process may be at it: then none."""
    number: int = await _STATEMENTS["add_counts_up"].fetchval(connection)
    return number


def state_of(ended_as: str | None, pause_reasons: Sequence[str]) -> State:
    """As ``Life`` says it, from the columns."""
    if ended_as is not None:
        return State(ended_as)
    return State.PAUSED if pause_reasons else State.OPEN


def read_listed(row: Mapping[str, Any]) -> Listed:
    """From the columns of the same names, and of what its state follows from."""
    columns = dict(row)
    state = state_of(columns.pop("ended_as"), columns.pop("pause_reasons"))
    words = {
        "kind": RequestKind(row["kind"]),
        "priority": Priority(row["priority"]),
        "market": Market(row["market"]),
        "state": state,
    }
    return Listed(**(columns | words))


def read_record(row: Record) -> RequestRecord:
    """From the columns of its row, and the parts that are gathered beside."""
    return RequestRecord(
        request_id=row["request_id"],
        reference=row["reference"],
        status_token=row["status_token"],
        channel=row["channel"],
        external_id=row["external_id"],
        market=Market(row["market"]),
        language=Language(row["language"]),
        life=_life(row),
        history=tuple(_entry(entry) for entry in json.loads(row["history"] or "[]")),
        head=row["head"],
        deadlines=tuple(_deadline(deadline) for deadline in json.loads(row["deadlines"] or "[]")),
        related=_related(row["related"]),
    )


def _related(pairs: str | None) -> tuple[Related, ...]:
    return tuple(Related(*pair) for pair in json.loads(pairs or "[]"))


def _life(row: Record) -> Life:
    awaited = json.loads(row["awaited"])
    return Life(
        kind=RequestKind(row["kind"]),
        process=row["process"],
        process_version=row["process_version"],
        stage=row["stage"],
        submitted_at=row["submitted_at"],
        priority=Priority(row["priority"]),
        product_line=row["product_line"],
        customer_tier=CustomerTier(row["customer_tier"]),
        attributes=json.loads(row["attributes"]),
        version=row["version"],
        pause_reasons=tuple(row["pause_reasons"]),
        awaited={reason: tuple(documents) for reason, documents in awaited.items()},
        controls=json.loads(row["controls"]),
        has_left_stage=row["has_left_stage"],
        is_acknowledged=row["is_acknowledged"],
        is_responded=row["is_responded"],
        team=row["team"],
        handler=row["handler"],
        ended_as=State(row["ended_as"]) if row["ended_as"] is not None else None,
        outcome=row["outcome"],
        reason=row["reason"],
        closed_at=row["closed_at"],
        merged_into=row["merged_into"],
        cycle=row["cycle"],
        score=row["score"],
        doubts=tuple(row["doubts"]),
        confirmed=tuple(row["confirmed"]),
        dismissed=tuple(row["dismissed"]),
    )


def _entry(document: dict[str, Any]) -> Entry:
    return Entry(
        sequence=document["sequence"],
        change=read_change(document["type"], document["data"]),
        occurred_at=_instant(document["occurred_at"]),
        recorded_at=_instant(document["recorded_at"]),
        by=document["by"],
        cause=document["cause"],
        hash=bytes.fromhex(document["hash"]) if document["hash"] is not None else None,
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
