"""Looks at the past from time to time: stores what this process counted, reads what all counted, judges the streams.

A crash loses what was counted since the last look, a minute at most. That is a sixtieth of an hour, and the smallest
change that rings is a multiple of that; accepted requests could be counted again from their table, refused ones not.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from prometheus_client import Gauge

from services.intake.domain.anomalies.alarms import News, judge
from services.intake.domain.anomalies.causes import Cause
from services.intake.domain.anomalies.streams import hour_of
from services.intake.domain.validation.book import ValidationBook
from services.intake.handlers.validation import Validation
from services.intake.store.pasts import add_values, read_values
from services.intake.store.portraits import forget_portraits
from services.intake.store.streams import (
    Watched,
    add_hours,
    forget_hours,
    lock_streams,
    read_streams,
    store_streams,
)
from shared.clock import Clock
from shared.contracts.payload import Market
from shared.postgres import ClockCheck, Database
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

ALARM = Gauge(
    "punctual_intake_stream_alarm", "1 while the requests of a channel are not as usual.", ["channel", "cause"]
)

SETTLING = timedelta(minutes=3)
"""An hour is judged so long after its end: by then every process has stored what it counted of it."""

_PORTRAITS = 5_000  # deleted in one transaction, of some tens of milliseconds

_WEEK_HOURS = 168


class Watching:
    def __init__(self, database: Database, clock: Clock, validation: Validation, clock_check: ClockCheck) -> None:
        self._database = database
        self._clock = clock
        self._validation = validation
        self._clock_check = clock_check

    async def start(self) -> None:
        """Know what was stored, before the first request comes."""
        async with self._database.connection() as connection:
            self._validation.pasts.replace(await read_values(connection))

    async def look(self) -> None:
        """Raises:
        DatabaseUnavailable: nothing is lost; the next look stores it.
        ClocksDisagree: it is stored, and nothing is judged or forgotten: by a clock that is ahead all hours and
            portraits are old, and the hours that come would have been judged already.
        """
        await self.store()
        now = self._clock.now()
        async with self._database.connection() as connection:
            self._validation.pasts.replace(await read_values(connection))
            await self._clock_check.check(connection)
        await self._judge(now - SETTLING)
        async with self._database.transaction() as connection:
            await forget_portraits(connection, now - self._validation.book.duplicates.within, _PORTRAITS)

    async def store(self) -> None:
        """Store what was counted. If a commit was unclear it is tried again, and at worst a minute counts twice."""
        values, tally = self._validation.pasts.take_news(), self._validation.tally.take()
        try:
            async with self._database.transaction() as connection:
                await add_values(connection, values)
                await add_hours(connection, tally.accepted, tally.refused)
        except BaseException:
            self._validation.pasts.give_back(values)
            self._validation.tally.give_back(tally)
            raise

    async def _judge(self, now: datetime) -> None:
        limits = self._validation.book.streams
        async with self._database.transaction() as connection:
            if await lock_streams(connection):
                before = await read_streams(connection)
                after = {channel: self._looked_at(channel, before, now) for channel in before}
                await store_streams(connection, before, after)
                await forget_hours(connection, hour_of(now) - (limits.weeks + 1) * _WEEK_HOURS)
            else:
                after = await read_streams(connection)
        for channel, watched in after.items():
            for cause in Cause:
                ALARM.labels(channel, cause).set(cause in watched.watch.ringing)

    def _looked_at(self, channel: str, known: dict[str, Watched], now: datetime) -> Watched:
        limits = self._validation.book.streams
        stream = known[channel].stream.watched(now, limits, self._clock.speed)
        others = [other.stream for name, other in known.items() if name != channel]
        zone = zone_of(self._validation.book)
        watch, news = judge(stream, known[channel].watch, now, zone, limits, others=others, holidays=limits.holidays)
        for one in news:
            _tell(channel, one)
        return Watched(stream, watch)


def zone_of(book: ValidationBook) -> ZoneInfo:
    """Whose clocks are taken for those of a channel's customers: it may serve several markets, and theirs agree."""
    return book.zones[Market.HONG_KONG]


def _tell(channel: str, news: News) -> None:
    _log.warning(
        "a channel is not as usual" if news.ended_at is None else "a channel is as usual again",
        channel=channel,
        cause=news.cause,
        began_at=news.began_at.isoformat(),
        seen=news.seen,
        usual=news.usual,
    )
