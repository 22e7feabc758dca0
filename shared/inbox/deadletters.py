"""Rejected records: made into dead letters inside the batch's transaction, and taken back when replayed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.contracts.deadletters import EventRejected
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.topics import TOPIC_BY_NAME
from shared.ids import new_id
from shared.inbox.received import Rejection
from shared.kafka.records import Record
from shared.postgres.database import Connection
from shared.telemetry.context import new_trace

REPLAY_OF = "punctual-replay-of"
REPLAY_FOR = "punctual-replay-for"
"""Headers of a replayed record: the dead letter's id, and the one service that shall handle it."""

_MOST_BYTES = 1_000_000
"""A larger record stays where it is: in base64 it might exceed what a record may hold and block the outbox for ever."""

_INSERT = """
INSERT INTO inbox_rejection (deadletter_id, topic, partition, record_offset, reason)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::bigint[], $5::text[])
"""
_TAKE_BACK = """
UPDATE inbox_rejection SET state = 'replayed'
WHERE deadletter_id = ANY($1::uuid[]) AND state = 'dead'
RETURNING deadletter_id
"""


def dead_letter(service: str, rejection: Rejection, now: datetime) -> Event[Payload]:
    """The event that carries a rejected record. Bytes that are personal or many stay where they are."""
    record = rejection.record
    is_personal = TOPIC_BY_NAME[record.topic].has_personal_data
    headers = {name: _text(value) for name, value in record.headers}
    trace = new_trace(headers.get("ce_correlationid"), headers.get("traceparent"))
    is_large = _size(record) > _MOST_BYTES
    deadletter_id = new_id()
    return Event(
        id=new_id(),
        source=f"/punctual/{service}",
        subject=deadletter_id,
        sequence=1,
        occurred_at=now,
        recorded_at=now,
        correlation_id=trace.correlation_id,
        traceparent=trace.traceparent,
        data=EventRejected(
            deadletter_id=deadletter_id,
            service=service,
            reason=rejection.reason,
            detail=rejection.detail,
            origin_topic=record.topic,
            origin_partition=record.partition,
            origin_offset=record.offset,
            rejected_at=now,
            headers={} if is_personal or is_large else headers,
            key_base64=None if is_large else _base64(record.key),
            value_base64=None if is_personal or is_large else _base64(record.value),
            value_sha256=None if record.value is None else hashlib.sha256(record.value).hexdigest(),
        ),
    )


async def store_rejections(connection: Connection, letters: Sequence[Event[Payload]]) -> None:
    data = [letter.data for letter in letters if isinstance(letter.data, EventRejected)]
    await connection.execute(
        _INSERT,
        [d.deadletter_id for d in data],
        [d.origin_topic for d in data],
        [d.origin_partition for d in data],
        [d.origin_offset for d in data],
        [d.reason for d in data],
    )


def replay_target(record: Record) -> tuple[str, str] | None:
    """The dead letter's id and the service a replayed record is for; None for an ordinary record."""
    for name, _ in record.headers:  # nearly always in vain, so no dictionary is made for it
        if name == REPLAY_OF:
            break
    else:
        return None
    headers = dict(record.headers)
    return _text(headers[REPLAY_OF]), _text(headers.get(REPLAY_FOR))


async def take_back(connection: Connection, deadletter_ids: Sequence[str]) -> set[str]:
    """Mark dead letters as replayed; gives those that were still dead. A second replay changes nothing."""
    known = [UUID(text) for text in deadletter_ids if _is_uuid(text)]
    return {str(row["deadletter_id"]) for row in await connection.fetch(_TAKE_BACK, known)}


def _text(value: bytes | None) -> str:
    """A header's value can be null, and any bytes."""
    return (value or b"").decode(errors="replace").replace("\0", "\ufffd")


def _size(record: Record) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return headers + len(record.key or b"") + len(record.value or b"")


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
