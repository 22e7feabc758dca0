"""Finds out what a caller is shown of other requests in the history of one."""

from __future__ import annotations

from uuid import UUID

from services.intake.domain.record import RequestRecord
from services.intake.domain.sight import Sight, names_others
from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.store.lookups import teams_of
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


async def find_sight_of(connection: Connection, record: RequestRecord, visibility: Visibility) -> Sight:
    """Asks nothing where the whole history, which ``record`` has to have, names no other request."""
    if not names_others(record.history):
        return Sight(visibility)
    return await find_sight(connection, record.request_id, visibility)


async def find_sight(connection: Connection, request_id: UUID, visibility: Visibility) -> Sight:
    if visibility == EVERYTHING:
        return Sight(visibility)
    rows = await _STATEMENTS["find_seen_others"].fetch(
        connection, request_id=request_id, channel=visibility.channel, teams=teams_of(visibility)
    )
    seen = {is_duplicate: set[str]() for is_duplicate in (True, False)}
    for row in rows:
        seen[row["is_duplicate"]].add(str(row["other_id"]))
    return Sight(visibility, duplicates=frozenset(seen[True]), related=frozenset(seen[False]))
