"""Whether the requests of each channel come as usual."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.intake.api.context import CallerOf, ContextOf
from services.intake.domain.anomalies.causes import Cause, usual_at
from services.intake.domain.anomalies.streams import start_of
from services.intake.handlers.watching import zone_of
from services.intake.store.streams import Watched, read_streams
from shared.http import problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["quarantine"])


class AlarmView(BaseModel):
    cause: Cause
    since: datetime


class StreamView(BaseModel):
    channel: str
    alarms: list[AlarmView] = Field(description="Empty while everything is as usual")
    watched_since: datetime | None = Field(description="Since when it is watched without a gap")
    hour: datetime | None = Field(description="Beginning of the last hour that was judged")
    accepted: int | None = Field(description="Requests of that hour; null when it was not watched as a whole")
    refused: int | None
    usual: float | None = Field(description="What such an hour usually has; null while too little is known")


@router.get("/v1/streams", summary="The channels and their alarms", responses=problem_responses(401, 403, 422, 503))
async def streams(context: ContextOf, _: CallerOf) -> list[StreamView]:
    async with context.database.connection() as connection:
        known = await read_streams(connection)
    book = context.validation.book
    views = []
    for channel, watched in known.items():
        at = watched.watch.judged
        hour = watched.stream.whole(at) if at is not None else None
        usual = usual_at(watched.stream, at, zone_of(book), book.streams) if at is not None and hour else None
        views.append(
            StreamView(
                channel=channel,
                alarms=_alarms(watched),
                watched_since=watched.stream.watched_from,
                hour=start_of(at) if at is not None else None,
                accepted=hour.accepted if hour else None,
                refused=hour.refused if hour else None,
                usual=usual.count if usual else None,
            )
        )
    return views


def _alarms(watched: Watched) -> list[AlarmView]:
    return [AlarmView(cause=cause, since=one.began_at) for cause, one in watched.watch.ringing.items()]
