"""An entry joins a history, and the clocks that it concerns are read again."""

from __future__ import annotations

from collections.abc import Callable

from services.sla_timer.domain.case import Case
from services.sla_timer.domain.decisions import advance, by_objective, concerns, objectives_of
from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.store.tracked import TrackedRequest
from shared.telemetry.context import Trace


def evolve(
    case_of: Callable[[TrackedRequest], Case],
    request: TrackedRequest,
    entry: RequestEvent,
    changes: Batch,
    trace: Trace,
) -> None:
    """Add an entry to a history and read the clocks that it concerns, as of the instant it was recorded."""
    changes.remember(request, entry)
    case = case_of(request)
    clocks = by_objective(request.clocks)
    for code in objectives_of(case, clocks):
        mine = clocks.get(code, [])
        if concerns(case, code, mine, entry):
            for step in advance(case, code, mine, entry.recorded_at, entry):
                changes.take(request, case, step, trace)
