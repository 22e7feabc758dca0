"""The rules by which the house acts by itself, and which requests they have to look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.intake.domain.automation.deciding import Past
from services.intake.domain.visibility import Visibility
from services.intake.store.lookups import teams_of
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

Origin = Literal["file", "api"]


@dataclass(frozen=True, slots=True)
class AutomationVersion:
    """Attributes:
    source: the YAML text.
    author: the caller of the API, or the file's name.
    applied_at: business time.
    """

    version: int
    source: str
    origin: Origin
    author: str
    reason: str | None
    applied_at: datetime


async def lock(connection: Connection) -> None:
    """Keep others from putting rules in force until the transaction ends."""
    await _STATEMENTS["lock_automation"].fetchval(connection)


async def newest(connection: Connection) -> AutomationVersion | None:
    row = await _STATEMENTS["newest_automation"].fetchrow(connection)
    return None if row is None else AutomationVersion(**dict(row))


async def newest_number(connection: Connection) -> int | None:
    version: int | None = await _STATEMENTS["newest_automation_version"].fetchval(connection)
    return version


async def newest_file_source(connection: Connection) -> str | None:
    source: str | None = await _STATEMENTS["newest_automation_file"].fetchval(connection)
    return source


async def was_file_source(connection: Connection, source: str) -> bool:
    """Whether the text was ever taken from the file."""
    was: bool = await _STATEMENTS["was_automation_file"].fetchval(connection, source=source)
    return was


async def list_versions(connection: Connection, before: int | None, count: int) -> list[AutomationVersion]:
    """Versions below ``before``, the newest first."""
    rows = await _STATEMENTS["automation_history"].fetch(connection, before=before, count=count)
    return [AutomationVersion(**dict(row)) for row in rows]


async def add_version(
    connection: Connection, source: str, origin: Origin, author: str, reason: str | None, applied_at: datetime
) -> int:
    """Put rules in force; gives their version. The caller holds the lock."""
    version: int = await _STATEMENTS["insert_automation_version"].fetchval(
        connection, source=source, origin=origin, author=author, reason=reason, applied_at=applied_at
    )
    return version


async def add_tasks(connection: Connection, request_ids: Iterable[UUID]) -> None:
    """Have rules look at new requests of the same transaction."""
    await _STATEMENTS["insert_automation_tasks"].execute(connection, request_ids=list(request_ids))


async def take_tasks(connection: Connection, count: int) -> list[str]:
    """References of requests to look at; they are taken when the transaction commits."""
    rows = await _STATEMENTS["take_automation_tasks"].fetch(connection, count=count)
    return [row["reference"] for row in rows]


async def set_tasks_aside(connection: Connection, references: Iterable[str], later: timedelta) -> None:
    """Leave them alone for so much real time."""
    await _STATEMENTS["set_automation_tasks_aside"].execute(connection, references=list(references), later=later)


async def count_past(connection: Connection, request_id: UUID) -> Past:
    """As it was when the request came."""
    row = await _STATEMENTS["count_past_requests"].fetchrow(connection, request_id=request_id)
    return Past() if row is None else Past(row["requests"], row["complaints"])


async def count_pasts(connection: Connection, request_ids: Iterable[UUID], visibility: Visibility) -> dict[UUID, Past]:
    """As they were when each of some visible requests came; what is not visible is not counted."""
    rows = await _STATEMENTS["count_pasts_of_requests"].fetch(
        connection, request_ids=list(request_ids), channel=visibility.channel, teams=teams_of(visibility)
    )
    return {row["request_id"]: Past(row["requests"], row["complaints"]) for row in rows}
