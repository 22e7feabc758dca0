"""Who read what is held on a customer: append-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier.store.statements import STATEMENTS
from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One reading. Holds no personal data of a customer.

    Attributes:
        who: name of the caller.
        subject: what the issuer knows the caller by; of a key its prefix.
        roles: what the caller had then.
        occurred_at: business time.
        real_at: real time.
    """

    customer_id: UUID
    who: str
    subject: str
    roles: Sequence[str]
    occurred_at: datetime
    real_at: datetime
    correlation_id: str


async def add_access(connection: Connection, access: AccessRecord) -> None:
    await STATEMENTS["insert_access_record"].execute(
        connection,
        customer_id=access.customer_id,
        who=access.who,
        subject=access.subject,
        roles=list(access.roles),
        occurred_at=access.occurred_at,
        real_at=access.real_at,
        correlation_id=access.correlation_id,
    )


async def accesses_of(connection: Connection, customer_id: UUID) -> list[AccessRecord]:
    """The oldest first."""
    rows = await STATEMENTS["accesses_of_customer"].fetch(connection, customer_id=customer_id)
    return [AccessRecord(**dict(row)) for row in rows]
