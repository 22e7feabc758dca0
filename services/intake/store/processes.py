"""Every version of every process definition, as written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

Origin = Literal["file", "api"]


@dataclass(frozen=True, slots=True)
class ProcessVersion:
    """Attributes:
    source: the YAML text.
    author: the caller of the API, or the file's name.
    applied_at: business time.
    """

    process: str
    version: int
    source: str
    origin: Origin
    author: str
    reason: str | None
    applied_at: datetime


async def lock(connection: Connection) -> None:
    """Keep others from putting a definition in force until the transaction ends."""
    await _STATEMENTS["lock_processes"].fetchval(connection)


async def newest_change(connection: Connection) -> int | None:
    """A number that grows whenever a definition is put in force."""
    change: int | None = await _STATEMENTS["newest_process_change"].fetchval(connection)
    return change


async def newest_versions(connection: Connection) -> list[ProcessVersion]:
    """The version in force of every process."""
    return [ProcessVersion(**dict(row)) for row in await _STATEMENTS["newest_processes"].fetch(connection)]


async def load_version(connection: Connection, process: str, version: int) -> ProcessVersion | None:
    row = await _STATEMENTS["process_version"].fetchrow(connection, process=process, version=version)
    return None if row is None else ProcessVersion(**dict(row))


async def list_versions(connection: Connection, process: str, before: int | None, count: int) -> list[ProcessVersion]:
    """Versions below ``before``, the newest first."""
    rows = await _STATEMENTS["process_history"].fetch(connection, process=process, before=before, count=count)
    return [ProcessVersion(**dict(row)) for row in rows]


async def newest_file_source(connection: Connection, process: str) -> str | None:
    """What was last taken from the process's file."""
    source: str | None = await _STATEMENTS["newest_file_source"].fetchval(connection, process=process)
    return source


async def known_sources(connection: Connection, sources: Collection[str]) -> set[str]:
    """Those of some texts that were ever put in force, from wherever."""
    storable = [source for source in sources if "\0" not in source]  # Postgres takes no such text, not even to compare
    rows = await _STATEMENTS["known_process_sources"].fetch(connection, sources=storable)
    return {row["source"] for row in rows}


async def was_file_source(connection: Connection, process: str, source: str) -> bool:
    """Whether the text was ever taken from the process's file."""
    was: bool = await _STATEMENTS["was_process_file"].fetchval(connection, process=process, source=source)
    return was


async def add_version(
    connection: Connection,
    process: str,
    source: str,
    origin: Origin,
    author: str,
    reason: str | None,
    applied_at: datetime,
) -> int:
    """Put a definition in force; gives its version. The caller holds the lock."""
    version: int = await _STATEMENTS["insert_process_version"].fetchval(
        connection,
        process=process,
        source=source,
        origin=origin,
        author=author,
        reason=reason,
        applied_at=applied_at,
    )
    return version
