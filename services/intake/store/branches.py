"""Opens a request beside another one of the same customer."""

from __future__ import annotations

import json
from uuid import UUID

import asyncpg

from services.intake.domain.history import change_data
from services.intake.domain.record import RequestRecord
from services.intake.store.submissions import NameClash
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


async def insert_branch(
    connection: Connection, origin_id: UUID, record: RequestRecord, encrypted_description: bytes | None
) -> UUID:
    """Store the record of a new request with its first entry; gives the customer, who is the other request's.

    Raises:
        NameClash: the reference or the token is taken; the transaction is spoilt.
    """
    (entry,) = record.history
    life = record.life
    try:
        customer_id: UUID = await _STATEMENTS["insert_branch"].fetchval(
            connection,
            origin_id=origin_id,
            request_id=record.request_id,
            reference=record.reference,
            status_token=record.status_token,
            kind=life.kind,
            process=life.process,
            process_version=life.process_version,
            product_line=life.product_line,
            priority=life.priority,
            attributes=json.dumps(dict(life.attributes)),
            encrypted_description=encrypted_description,
            stage=life.stage,
            submitted_at=life.submitted_at,
            recorded_at=entry.recorded_at,
            data=json.dumps(change_data(entry.change)),
            caller=entry.by,
            cause=entry.cause,
            head=record.head,
        )
    except asyncpg.UniqueViolationError as error:
        raise NameClash(f"{error.constraint_name} is violated") from None
    return customer_id
