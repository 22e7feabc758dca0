"""Opens a request beside another one: stores it, links both, and tells."""

from __future__ import annotations

from datetime import datetime

from services.intake.domain.branching import Branch, open_branch
from services.intake.domain.process import Process
from services.intake.domain.record import RequestRecord
from services.intake.store.announcements import opening_event
from services.intake.store.branches import insert_branch
from services.intake.store.moves import add_link
from services.intake.store.personal.texts import encrypt_description
from shared.contracts.topics import REQUESTS
from shared.encryption import CustomerKey
from shared.outbox import Outbox
from shared.postgres import Connection
from shared.telemetry.context import current_trace


async def open_beside(
    connection: Connection,
    outbox: Outbox,
    origin: RequestRecord,
    branch: Branch,
    process: Process,
    key: CustomerKey,
    *,
    recorded_at: datetime,
    by: str,
    cause: str | None = None,
) -> RequestRecord:
    """The new request. That the history of the other one says so is up to the caller, who holds its lock.

    Args:
        process: that the new one follows.
        key: of their customer.
        cause: what made it happen besides the call.

    Raises:
        NameClash: its reference or token is taken; the transaction, or its savepoint, is spoilt.
    """
    record = open_branch(origin, branch, process, key.customer_id, recorded_at=recorded_at, by=by, cause=cause)
    encrypted = encrypt_description(key, record.request_id, branch.description)
    customer_id = await insert_branch(connection, origin.request_id, record, encrypted)
    is_to, is_from = branch.relations
    await add_link(connection, origin.request_id, is_to, record.request_id)
    await add_link(connection, record.request_id, is_from, origin.request_id)
    await outbox.append(connection, REQUESTS, [opening_event(record, customer_id, current_trace())])
    return record
