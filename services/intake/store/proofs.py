"""Reads requests back with all that their proof takes."""

from __future__ import annotations

import json
from uuid import UUID

from services.intake.domain.identity import Identity
from services.intake.domain.verifying import Stored
from services.intake.store.lookups import read_record
from shared.postgres import Connection, Record, load_statements

_STATEMENTS = load_statements(__name__)


async def find_stored(connection: Connection, reference: str) -> Stored | None:
    """The request of a canonical reference."""
    row = await _STATEMENTS["select_stored"].fetchrow(connection, reference=reference)
    return None if row is None else _stored(row)


async def read_stored_page(connection: Connection, after: UUID, count: int) -> list[Stored]:
    """Requests in the order of their ids, beyond ``after``."""
    return [_stored(row) for row in await _STATEMENTS["select_stored_page"].fetch(connection, after=after, count=count)]


def _stored(row: Record) -> Stored:
    record = read_record(row)
    return Stored(
        record=record,
        identity=Identity(
            request_id=record.request_id,
            reference=record.reference,
            channel=record.channel,
            market=record.market,
            language=record.language,
            customer_id=row["customer_id"],
            external_id_hash=row["external_id_hash"],
        ),
        salt=row["external_id_salt"],
        unchained=row["unchained"],
        is_erased=row["is_erased"],
        links=frozenset((relation, UUID(other)) for relation, other in json.loads(row["links"] or "[]")),
        written=frozenset(row["written"]),
    )
