"""Everything that happened to a request, whoever told it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.reviews import QUALITY_SOURCE, ReviewSight
from services.intake.domain.sight import Sight
from services.intake.domain.visibility import Visibility
from services.intake.store.announcements import SOURCE
from services.intake.store.lookups import teams_of
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

_OWN_TYPES = "punctual.request."


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that another service told.

    Attributes:
        type: with its version.
        data: JSON, as it came.
    """

    request_id: UUID
    source: str
    sequence: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    data: str


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """What the timeline is ordered by.

    Attributes:
        placed_at: when it occurred, or the latest such instant of what its source told before it.
    """

    placed_at: datetime
    source: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Happening:
    """Attributes:
    type: without its version.
    by, cause: of an entry of intake's own history.
    """

    moment: Moment
    type: str
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]
    by: str | None
    cause: str | None


async def keep_heard(connection: Connection, heard: Sequence[Heard]) -> None:
    """Once each, however often they come."""
    ordered = sorted(heard, key=lambda each: (each.request_id.bytes, each.source, each.sequence))
    await _STATEMENTS["keep_heard"].execute(
        connection,
        request_ids=[each.request_id for each in ordered],
        sources=[each.source for each in ordered],
        sequences=[each.sequence for each in ordered],
        types=[each.type for each in ordered],
        occurred_ats=[each.occurred_at for each in ordered],
        recorded_ats=[each.recorded_at for each in ordered],
        data=[each.data for each in ordered],
    )


async def read_timeline(
    connection: Connection,
    request_id: UUID,
    sight: Sight,
    reviews: ReviewSight,
    *,
    source: str | None,
    after: Moment | None,
    count: int,
) -> list[Happening]:
    """By instant and source, and what a source told in the order in which it told it.

    Args:
        sight: what the caller is shown of other requests in our own history.
        source: only what it told; None takes all.
    """
    rows = await _STATEMENTS["read_timeline"].fetch(
        connection,
        own=SOURCE,
        request_id=request_id,
        source=source,
        quality=QUALITY_SOURCE,
        of_quality=None if reviews.types is None else list(reviews.types),
        at=None if after is None else after.placed_at,
        after_source=None if after is None else after.source,
        after_sequence=None if after is None else after.sequence,
        count=count,
    )
    return [
        Happening(
            moment=Moment(row["placed_at"], row["source"], row["sequence"]),
            type=row["type"],
            occurred_at=row["occurred_at"],
            recorded_at=row["recorded_at"],
            data=_shown(json.loads(row["data"]), row["source"], row["type"], sight, reviews),
            by=row["caller"],
            cause=row["cause"],
        )
        for row in rows
    ]


def _shown(data: dict[str, Any], source: str, event_type: str, sight: Sight, reviews: ReviewSight) -> dict[str, Any]:
    if source == SOURCE:
        return sight.shown_data(event_type.removeprefix(_OWN_TYPES), data)
    return reviews.shown_data(data) if source == QUALITY_SOURCE else data


async def find_request_id(connection: Connection, reference: str, visibility: Visibility) -> UUID | None:
    """None also for a request that the caller does not see."""
    found: UUID | None = await _STATEMENTS["find_request_id"].fetchval(
        connection, reference=reference, channel=visibility.channel, teams=teams_of(visibility)
    )
    return found
