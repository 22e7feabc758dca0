"""What waits in an outbox, for tests that look before the relay does."""

from __future__ import annotations

from shared.kafka.records import OutgoingRecord
from shared.outbox.parcels import unpack
from shared.postgres.database import Connection


async def waiting_records(connection: Connection) -> list[OutgoingRecord]:
    """In the order of their appending, parcel by parcel."""
    rows = await connection.fetch("SELECT topic, header_names, lengths, body FROM outbox ORDER BY id")
    return [record for row in rows for record in unpack(row["topic"], row["header_names"], row["lengths"], row["body"])]
