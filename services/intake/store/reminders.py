"""When requests have to be looked at for reminders. Whoever writes a timer holds the lock of its request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


class Timer(NamedTuple):
    """Attributes:
    look_at: business time.
    """

    request_id: UUID
    look_at: datetime


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far a version of the rules has come among the requests that are not over.

    Attributes:
        reached: requests up to this id were looked at.
        may_go: the rules are old enough that every process knows them.
    """

    reached: UUID
    is_done: bool
    may_go: bool


async def set_timers(connection: Connection, look_ats: Mapping[UUID, datetime | None]) -> None:
    """When to look at each; None is not until something happens to it."""
    await _STATEMENTS["set_reminder_timers"].execute(
        connection, request_ids=list(look_ats), look_ats=list(look_ats.values())
    )


async def lock_due(connection: Connection, now: datetime, count: int) -> list[Timer]:
    """The earliest that are due, with their requests locked until the transaction ends."""
    rows = await _STATEMENTS["lock_due_reminders"].fetch(connection, now=now, count=count)
    return [Timer(row["request_id"], row["look_at"]) for row in rows]


async def next_look_at(connection: Connection) -> datetime | None:
    """Business time; None when there is no timer."""
    look_at: datetime | None = await _STATEMENTS["next_reminder_look"].fetchval(connection)
    return look_at


async def take_sweep(connection: Connection, version: int, grace: timedelta) -> Sweep | None:
    """Locked until the transaction ends; None while another process is at it.

    Args:
        grace: real time from the first call about this version until the sweep may go.
    """
    await _STATEMENTS["begin_reminder_sweep"].execute(connection, version=version)
    row = await _STATEMENTS["take_reminder_sweep"].fetchrow(connection, version=version, grace=grace)
    return None if row is None else Sweep(**dict(row))


async def save_sweep(connection: Connection, version: int, reached: UUID, *, is_done: bool) -> None:
    await _STATEMENTS["save_reminder_sweep"].execute(connection, version=version, reached=reached, is_done=is_done)


async def list_open(connection: Connection, after: UUID, count: int) -> Sequence[UUID]:
    """Ids of requests that are not over, in their order, beyond ``after``."""
    rows = await _STATEMENTS["list_open_ids"].fetch(connection, after=after, count=count)
    return [row["request_id"] for row in rows]


async def lock_free(connection: Connection, request_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those that nobody else works on, locked until the transaction ends."""
    rows = await _STATEMENTS["lock_free"].fetch(connection, request_ids=list(request_ids))
    return frozenset(row["request_id"] for row in rows)
