"""Requests, who worked on them, and what became of their clocks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.quality_audit.domain.standing import Standing
from services.quality_audit.domain.timeliness import ClockFate, Fate, KnownClock
from shared.contracts.clocks import ClockPayload
from shared.contracts.payload import RequestKind
from shared.contracts.requests import RequestSubmitted
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

ClockKey = tuple[UUID, int]
"""A clock's id and cycle."""


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """Attributes:
    events_said: the last sequence given to an event about it.
    """

    request_id: UUID
    reference: str
    events_said: int
    standing: Standing


async def remember_requests(connection: Connection, submitted: Sequence[RequestSubmitted]) -> None:
    await _STATEMENTS["insert_requests"].execute(
        connection,
        request_ids=[s.request_id for s in submitted],
        references=[s.reference for s in submitted],
        kinds=[s.kind.value for s in submitted],
        attributes=[json.dumps(s.attributes) for s in submitted],
    )


async def remember_handlers(connection: Connection, worked: Iterable[tuple[UUID, str]]) -> None:
    pairs = sorted(set(worked))
    await _STATEMENTS["insert_handlers"].execute(
        connection, request_ids=[request_id for request_id, _ in pairs], handlers=[handler for _, handler in pairs]
    )


async def lock_requests(connection: Connection, request_ids: Iterable[UUID]) -> dict[UUID, KnownRequest]:
    """Lock those that are known until the transaction ends."""
    rows = await _STATEMENTS["lock_requests"].fetch(connection, request_ids=list(request_ids))
    return {
        row["request_id"]: KnownRequest(
            row["request_id"],
            row["reference"],
            row["events_said"],
            Standing(
                kind=RequestKind(row["kind"]),
                attributes=json.loads(row["attributes"]),
                cycle=row["cycle"],
                began_at=row["began_at"],
                attributes_told=json.loads(row["attributes_told"]),
                kind_told=row["kind_told"],
            ),
        )
        for row in rows
    }


async def store_standings(connection: Connection, standings: Mapping[UUID, Standing]) -> None:
    """The caller holds the row locks."""
    stand = list(standings.values())
    await _STATEMENTS["update_standings"].execute(
        connection,
        request_ids=list(standings),
        kinds=[standing.kind.value for standing in stand],
        attributes=[json.dumps(dict(standing.attributes)) for standing in stand],
        cycles=[standing.cycle for standing in stand],
        began_ats=[standing.began_at for standing in stand],
        attributes_told=[json.dumps(dict(standing.attributes_told)) for standing in stand],
        kinds_told=[standing.kind_told for standing in stand],
    )


async def count_events_said(connection: Connection, times: Mapping[UUID, int]) -> None:
    """So many more about each; the caller holds the row locks."""
    await _STATEMENTS["count_events_said"].execute(connection, request_ids=list(times), times=list(times.values()))


async def is_handler(connection: Connection, request_id: UUID, handler: str) -> bool:
    worked: bool = await _STATEMENTS["is_handler"].fetchval(connection, request_id=request_id, handler=handler)
    return worked


async def clocks_of_requests(connection: Connection, request_ids: Iterable[UUID]) -> dict[UUID, list[KnownClock]]:
    """Requests without any known clock are missing."""
    rows = await _STATEMENTS["select_clocks_of_requests"].fetch(connection, request_ids=list(request_ids))
    clocks: defaultdict[UUID, list[KnownClock]] = defaultdict(list)
    for row in rows:
        clocks[row["request_id"]].append(KnownClock(Fate(row["fate"]), row["started_at"]))
    return dict(clocks)


async def load_fates(connection: Connection, keys: Iterable[ClockKey]) -> dict[ClockKey, ClockFate]:
    wanted = list(keys)
    rows = await _STATEMENTS["select_fates"].fetch(
        connection, clock_ids=[clock_id for clock_id, _ in wanted], cycles=[cycle for _, cycle in wanted]
    )
    return {(row["clock_id"], row["cycle"]): ClockFate(Fate(row["fate"]), row["sealed_at"]) for row in rows}


async def store_fates(
    connection: Connection, fates: Sequence[tuple[ClockPayload, ClockFate]], started_ats: Mapping[ClockKey, datetime]
) -> None:
    """Each clock at most once; the payload is any of its events.

    Args:
        started_ats: of the clocks whose start was told now.
    """
    ordered = sorted(fates, key=lambda item: (item[0].clock_id, item[0].cycle))
    await _STATEMENTS["upsert_fates"].execute(
        connection,
        clock_ids=[clock.clock_id for clock, _ in ordered],
        cycles=[clock.cycle for clock, _ in ordered],
        request_ids=[clock.request_id for clock, _ in ordered],
        objectives=[clock.objective for clock, _ in ordered],
        fates=[fate.fate.value for _, fate in ordered],
        sealed_ats=[fate.sealed_at for _, fate in ordered],
        started_ats=[started_ats.get((clock.clock_id, clock.cycle)) for clock, _ in ordered],
    )
