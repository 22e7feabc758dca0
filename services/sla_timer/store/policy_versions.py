"""Every rulebook that was in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.sla_timer.domain.rulebook import RuleSources
from shared.postgres import Connection, load_statements

STATEMENTS = load_statements(__name__)

Origin = Literal["file", "api"]


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """Attributes:
    author: the caller of the API, or the file's name.
    loaded_at: business time.
    """

    version: int
    sources: RuleSources
    origin: Origin
    author: str
    loaded_at: datetime
    reason: str | None = None


async def newest(connection: Connection) -> int | None:
    """The number of the version in force; None before the first."""
    version: int | None = await STATEMENTS["newest_policy_version"].fetchval(connection)
    return version


async def load(connection: Connection, version: int) -> PolicyVersion:
    """Raises:
    LookupError: there is no such version.
    """
    row = await STATEMENTS["policy_version"].fetchrow(connection, version=version)
    if row is None:
        raise LookupError(f"there is no policy version {version}")
    return PolicyVersion(
        version=row["version"],
        sources=RuleSources(row["policies"], row["calendars"]),
        origin=row["origin"],
        author=row["author"],
        loaded_at=row["loaded_at"],
        reason=row["reason"],
    )


async def newest_file_digest(connection: Connection) -> str | None:
    """The digest of what was last taken from the files."""
    digest: str | None = await STATEMENTS["newest_file_digest"].fetchval(connection)
    return digest


async def lock(connection: Connection) -> None:
    """Keep other processes from adding a version until the transaction ends."""
    await STATEMENTS["lock_policy_versions"].fetchval(connection)


async def add(
    connection: Connection,
    sources: RuleSources,
    origin: Origin,
    author: str,
    now: datetime,
    reason: str | None = None,
) -> PolicyVersion:
    """Put a rulebook in force; the caller holds the lock."""
    version = (await newest(connection) or 0) + 1
    await STATEMENTS["insert_policy_version"].execute(
        connection,
        version=version,
        digest=sources.digest,
        policies=sources.policies,
        calendars=sources.calendars,
        origin=origin,
        author=author,
        reason=reason,
        loaded_at=now,
    )
    return PolicyVersion(version, sources, origin, author, now, reason)


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A version without its texts."""

    version: int
    digest: str
    origin: Origin
    author: str
    reason: str | None
    loaded_at: datetime


async def list_versions(connection: Connection, before: int | None, count: int) -> list[VersionSummary]:
    """Versions below ``before``, the newest first."""
    rows = await STATEMENTS["policy_versions"].fetch(connection, before=before, count=count)
    return [VersionSummary(**dict(row)) for row in rows]
