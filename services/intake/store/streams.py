"""The streams of all channels and their alarms, added up over all processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from services.intake.domain.anomalies.alarms import Watch
from services.intake.domain.anomalies.streams import Hour, Stream
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

Hours = Mapping[tuple[str, int], int]
"""Numbers by channel and hour since 1970."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a channel."""

    stream: Stream
    watch: Watch


async def add_hours(connection: Connection, accepted: Hours, refused: Hours) -> None:
    """Add to what is stored."""
    keys = accepted.keys() | refused.keys()
    if keys:
        await _STATEMENTS["add_hours"].execute(
            connection,
            channels=[channel for channel, _ in keys],
            hours=[hour for _, hour in keys],
            accepted=[accepted.get(key, 0) for key in keys],
            refused=[refused.get(key, 0) for key in keys],
        )


async def lock_streams(connection: Connection) -> bool:
    """Have the streams alone until the transaction ends; False when another process has them right now."""
    return await _STATEMENTS["lock_streams"].fetchval(connection) is True


async def read_streams(connection: Connection) -> dict[str, Watched]:
    """By channel; a channel that never sent anything is not known."""
    found = {}
    for row in await _STATEMENTS["select_streams"].fetch(connection):
        columns = (row[name] for name in ("hours", "accepted", "refused", "are_whole"))
        hours = {at: Hour(*counts) for at, *counts in zip(*columns, strict=True)}
        watch = Watch.from_data(json.loads(row["alarms"])) if row["alarms"] is not None else Watch()
        found[row["channel"]] = Watched(Stream(hours, row["watched_from"], row["watched_at"]), watch)
    return found


async def store_streams(connection: Connection, before: Mapping[str, Watched], after: Mapping[str, Watched]) -> None:
    """Keep what a look found out: the hours that are whole now, the watches, the alarms. Counts are left alone."""
    whole = [
        (channel, at)
        for channel, watched in after.items()
        for at, hour in watched.stream.hours.items()
        if hour.is_whole and before[channel].stream.whole(at) is None
    ]
    await _STATEMENTS["mark_whole"].execute(
        connection, channels=[channel for channel, _ in whole], hours=[at for _, at in whole]
    )
    await _STATEMENTS["store_watches"].execute(
        connection,
        channels=list(after),
        watched_froms=[watched.stream.watched_from for watched in after.values()],
        watched_ats=[watched.stream.watched_at for watched in after.values()],
        alarms=[json.dumps(watched.watch.to_data()) for watched in after.values()],
    )


async def forget_hours(connection: Connection, before: int) -> None:
    """Delete the hours before one."""
    await _STATEMENTS["delete_old_hours"].execute(connection, before=before)
