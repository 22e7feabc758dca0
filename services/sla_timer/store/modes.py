"""Modes of the house: when each was entered and left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.sla_timer.domain.modes import Activation
from services.sla_timer.domain.rules import Mode
from shared.postgres import Connection, Record, load_statements

STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True)
class DeclaredMode:
    """An activation with what people want to know of it.

    Attributes:
        until_at: when it ends by itself; None when somebody has to leave it.
    """

    activation: Activation
    reason: str
    author: str
    until_at: datetime | None
    left_reason: str | None
    left_by: str | None


async def enter_mode(connection: Connection, declared: DeclaredMode) -> bool:
    """Record an activation; False when it was recorded before."""
    activation = declared.activation
    row = await STATEMENTS["enter_mode"].fetchrow(
        connection,
        activation_id=activation.activation_id,
        mode=activation.mode.value,
        markets=sorted(activation.markets),
        reason=declared.reason,
        author=declared.author,
        entered_at=activation.entered_at,
        until_at=declared.until_at,
    )
    return row is not None


async def leave_mode(
    connection: Connection, activation_id: UUID, left_at: datetime, reason: str, author: str
) -> DeclaredMode | None:
    """End an activation; None when there is none that is still in force."""
    row = await STATEMENTS["leave_mode"].fetchrow(
        connection, activation_id=activation_id, left_at=left_at, reason=reason, author=author
    )
    return None if row is None else _declared(row)


async def load_modes(connection: Connection, since: datetime | None = None) -> list[DeclaredMode]:
    """Activations in the order they were entered; only those in force at ``since`` or later when it is given."""
    rows = await STATEMENTS["load_modes"].fetch(connection, since=since)
    return [_declared(row) for row in rows]


async def lock_modes(connection: Connection) -> None:
    """Keep other processes from declaring modes until the transaction ends."""
    await STATEMENTS["lock_modes"].fetchval(connection)


def _declared(row: Record) -> DeclaredMode:
    return DeclaredMode(
        activation=Activation(
            activation_id=row["activation_id"],
            mode=Mode(row["mode"]),
            markets=frozenset(row["markets"]),
            entered_at=row["entered_at"],
            left_at=row["left_at"],
        ),
        reason=row["reason"],
        author=row["author"],
        until_at=row["until_at"],
        left_reason=row["left_reason"],
        left_by=row["left_by"],
    )
