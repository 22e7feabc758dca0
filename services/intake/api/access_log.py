"""Notes who reads personal data, before they read it."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request

from services.intake.api.context import Context
from services.intake.store.access_log import AccessRecord, What, add_access
from services.intake.store.refusals import Unstorable, refusals_withheld
from shared.clock import real_now
from shared.http import Problem
from shared.http.access import Principal
from shared.postgres import Connection
from shared.telemetry.context import current_trace


async def note_access(
    context: Context,
    connection: Connection,
    request: Request,
    caller: Principal,
    what: What,
    *,
    reference: str | None = None,
    customer_id: UUID | None = None,
) -> None:
    """Call it before personal data are answered: in the transaction that reads them, or in one committed before.

    Args:
        request: whose route is noted.
        reference, customer_id: whose data; an export of many may give neither.

    Raises:
        Problem: 503, it cannot be noted, so nothing may be shown.
        DatabaseUnavailable: the same, answered as every 503 of a lost connection.
    """
    roles = sorted(caller.roles) if caller.kind != "channel" else ["channel"]
    access = AccessRecord(
        who=caller.name,
        subject=caller.terms.key if caller.terms is not None else caller.subject,
        roles=roles,
        route=f"{request.method} {request.scope['route'].path}",
        what=what,
        reference=reference,
        customer_id=customer_id,
        occurred_at=context.clock.now(),
        real_at=real_now(),
        correlation_id=current_trace().correlation_id,
    )
    try:
        with refusals_withheld():
            await add_access(connection, access)
    except Unstorable:
        raise Problem(
            503,
            "access_not_noted",
            "Personal data cannot be shown now",
            "Each reading is noted, and that failed. Tell whoever runs the service.",
            headers={"Retry-After": str(context.retry_after_seconds)},
        ) from None
