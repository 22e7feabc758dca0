"""Finds the request that a path names, and reads it without keeping anything."""

from __future__ import annotations

from uuid import UUID

from services.sla_timer.api.context import Context
from services.sla_timer.domain.history import Happening
from services.sla_timer.store import reports
from services.sla_timer.store.tracked import TrackedRequest
from shared.http import Problem
from shared.http.access import Principal
from shared.ids import parse_reference
from shared.postgres import Connection


async def find_request(context: Context, connection: Connection, name: str, caller: Principal) -> TrackedRequest:
    """The request with its history and clocks, by its id or its reference.

    Raises:
        Problem: the name is mistyped, or there is no such request that the caller may see.
    """
    request_id, reference = _identify(name)
    found = await _find_visible(connection, caller, request_id, reference)
    requests = {} if found is None else await context.loading.take(connection, [found])
    if found is None or found not in requests:
        raise Problem(404, "request_not_found", "There is no such request here", "It may not have arrived yet.")
    return requests[found]


async def sees_merged(connection: Connection, request: TrackedRequest, caller: Principal) -> bool:
    """Whether the caller may be told which request this one was merged into, if it was."""
    merged = [entry.details for entry in request.history if entry.happening is Happening.MERGED]
    named = [UUID(details["into"]) for details in merged if details is not None]
    return all([await _find_visible(connection, caller, other, None) is not None for other in named])


async def _find_visible(
    connection: Connection, caller: Principal, request_id: UUID | None, reference: str | None
) -> UUID | None:
    return await reports.find_request(
        connection,
        request_id=request_id,
        reference=reference,
        channel=caller.visible_channel,
        teams=caller.visible_teams,
    )


def _identify(text: str) -> tuple[UUID | None, str | None]:
    try:
        return UUID(text), None
    except ValueError:
        reference = parse_reference(text)
    if reference is None:
        raise Problem(404, "reference_mistyped", "The reference is mistyped", "Its check character does not fit.")
    return None, reference
