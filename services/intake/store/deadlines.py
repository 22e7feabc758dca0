"""The deadlines that sla_timer told of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.intake.domain.deadlines import Deadline, DeadlineState
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


async def lock_deadlines(connection: Connection, clock_ids: Iterable[UUID]) -> dict[UUID, Deadline]:
    """Those of the clocks that are known, locked until the transaction ends."""
    rows = await _STATEMENTS["lock_deadlines"].fetch(connection, clock_ids=list(clock_ids))
    return {row["clock_id"]: Deadline(**{**row, "state": DeadlineState(row["state"])}) for row in rows}


async def store_deadlines(connection: Connection, deadlines: Sequence[Deadline]) -> None:
    deadlines = sorted(deadlines, key=lambda deadline: deadline.clock_id.bytes)
    await _STATEMENTS["store_deadlines"].execute(
        connection,
        clock_ids=[d.clock_id for d in deadlines],
        request_ids=[d.request_id for d in deadlines],
        objectives=[d.objective for d in deadlines],
        cycles=[d.cycle for d in deadlines],
        states=[d.state for d in deadlines],
        due_ats=[d.due_at for d in deadlines],
        stopped_ats=[d.stopped_at for d in deadlines],
        are_warned=[d.is_warned for d in deadlines],
        escalation_levels=[d.escalation_level for d in deadlines],
    )
