"""A stored request as one caller is shown it."""

from __future__ import annotations

from dataclasses import replace

from services.intake.api.context import Context
from services.intake.api.views import RequestView, view_request
from services.intake.api.visibility import gets_link
from services.intake.domain.record import RequestRecord
from services.intake.domain.visibility import Visibility
from services.intake.store.sights import find_sight_of
from shared.http.access import Principal
from shared.postgres import Connection


async def show_request(
    context: Context,
    connection: Connection,
    record: RequestRecord,
    visibility: Visibility,
    caller: Principal,
    since: int | None = None,
) -> RequestView:
    """
    Args:
        record: with its whole history.
        visibility: what of other requests is shown.
        since: a version; only later entries of the history are shown.
    """
    sight = await find_sight_of(connection, record, visibility)
    process = await context.processes.of(connection, record.life.process, record.life.process_version)
    if since is not None:
        record = replace(record, history=tuple(entry for entry in record.history if entry.sequence > since))
    public_url = context.public_url if gets_link(caller) else None
    return view_request(record, process, context.clock.now(), public_url, sight)
