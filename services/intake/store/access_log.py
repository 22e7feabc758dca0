"""Who read personal data: append-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

What = Literal["texts", "contacts", "export"]


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One reading. Holds no personal data of a customer.

    Attributes:
        who: name of the caller.
        subject: what the issuer knows the caller by; of a key its prefix.
        roles: what the caller had then: roles of staff, or ``channel``.
        route: method and template, such as ``GET /v1/requests/{reference}/texts``.
        reference, customer_id: of what; an export may have neither.
        occurred_at: business time.
        real_at: real time.
    """

    who: str
    subject: str
    roles: Sequence[str]
    route: str
    what: What
    reference: str | None
    customer_id: UUID | None
    occurred_at: datetime
    real_at: datetime
    correlation_id: str


async def add_access(connection: Connection, access: AccessRecord) -> None:
    await _STATEMENTS["insert_access_record"].execute(
        connection,
        who=access.who,
        subject=access.subject,
        roles=list(access.roles),
        route=access.route,
        what=access.what,
        reference=access.reference,
        customer_id=access.customer_id,
        occurred_at=access.occurred_at,
        real_at=access.real_at,
        correlation_id=access.correlation_id,
    )


async def list_accesses(
    connection: Connection, *, who: str | None, reference: str | None, before: int | None, count: int
) -> list[tuple[int, AccessRecord]]:
    """With their numbers, which lie below ``before``; the newest first."""
    rows = await _STATEMENTS["list_access_records"].fetch(
        connection, who=who, reference=reference, before=before, count=count
    )
    found = []
    for row in rows:
        columns = dict(row)
        found.append((columns.pop("number"), AccessRecord(**columns)))
    return found
