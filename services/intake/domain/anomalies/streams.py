"""What is remembered of the requests of one channel: how many came and how many were refused, hour by hour.

An hour counts only when it was watched as a whole: of hours in which nobody looked it is not known that nothing came.
So a restart, a long outage and a jump of the clock make unknown hours and no quiet ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from services.intake.domain.anomalies.limits import StreamLimits

LONGEST_GAP = timedelta(minutes=5)
"""Between two looks, real time. A ticker looks every minute; what is longer was an outage or a jump of the clock. An
hour in which nobody could look for five minutes may lack a twelfth of its requests, which rings nothing."""

_HOUR = 3600
_WEEK_HOURS = 168


@dataclass(frozen=True, slots=True)
class Hour:
    """Attributes:
    accepted, refused: how many requests.
    is_whole: it was watched from its beginning to its end.
    """

    accepted: int = 0
    refused: int = 0
    is_whole: bool = False

    def merged(self, other: Hour) -> Hour:
        return Hour(self.accepted + other.accepted, self.refused + other.refused, self.is_whole or other.is_whole)


_NOTHING = Hour()


@dataclass(frozen=True, slots=True)
class Stream:
    """Attributes:
    hours: by the number of the hour since 1970, UTC.
    watched_from, watched_at: when an unbroken watch began, and the last look of it; UTC.
    """

    hours: Mapping[int, Hour] = field(default_factory=dict)
    watched_from: datetime | None = None
    watched_at: datetime | None = None

    @classmethod
    def counted(cls, accepted: Iterable[datetime], refused: Iterable[datetime] = ()) -> Stream:
        """What came at these instants; to be merged into what is known."""
        hours: dict[int, Hour] = {}
        for at in accepted:
            hours[hour_of(at)] = hours.get(hour_of(at), _NOTHING).merged(Hour(accepted=1))
        for at in refused:
            hours[hour_of(at)] = hours.get(hour_of(at), _NOTHING).merged(Hour(refused=1))
        return cls(hours)

    def merged(self, other: Stream) -> Stream:
        """Both counts together, as when several processes count; the longer watch is kept."""
        hours = {
            at: self.hours.get(at, _NOTHING).merged(other.hours.get(at, _NOTHING))
            for at in self.hours.keys() | other.hours.keys()
        }
        watches = [one for one in (self, other) if one.watched_at is not None]
        watch = max(watches, key=lambda one: (one.watched_at, one.watched_from), default=self)
        return Stream(hours, watch.watched_from, watch.watched_at)

    def watched(self, now: datetime, limits: StreamLimits, speed: float = 1.0) -> Stream:
        """Looked at ``now``: hours that ended since the last look are whole, older ones than the weeks are gone.

        A clock that went back, or ahead by more than ``LONGEST_GAP``, begins a new watch; hours to come are forgotten.

        Args:
            speed: of the business clock; in a drill a day may pass between two looks that were made in time.
        """
        now = now.astimezone(UTC)
        until = hour_of(now)
        oldest = until - (limits.weeks + 1) * _WEEK_HOURS
        hours = {at: hour for at, hour in self.hours.items() if oldest <= at <= until}
        since, last = self.watched_from, self.watched_at
        if since is None or last is None or not last <= now <= last + LONGEST_GAP * speed:
            if last is not None and now < last:
                hours = {at: hour for at, hour in hours.items() if at < until}
            return Stream(hours, now, now)
        for at in range(max(_first_whole(since), hour_of(last)), until):
            hours[at] = replace(hours.get(at, _NOTHING), is_whole=True)
        return Stream(hours, since, now)

    def watched_over(self, since: datetime, until: datetime) -> Stream:
        """Taken from a record that is complete between two instants, such as the stored requests."""
        hours = dict(self.hours)
        for at in range(_first_whole(since), hour_of(until)):
            hours[at] = replace(hours.get(at, _NOTHING), is_whole=True)
        return Stream(hours, since.astimezone(UTC), until.astimezone(UTC))

    def whole(self, at: int) -> Hour | None:
        """None when the hour was not watched as a whole."""
        hour = self.hours.get(at)
        return hour if hour is not None and hour.is_whole else None

    def to_data(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "hours": [[at, hour.accepted, hour.refused, hour.is_whole] for at, hour in sorted(self.hours.items())],
            "watched_from": None if self.watched_from is None else self.watched_from.isoformat(),
            "watched_at": None if self.watched_at is None else self.watched_at.isoformat(),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Stream:
        """The inverse of ``to_data``."""
        instants = [data[name] and datetime.fromisoformat(data[name]) for name in ("watched_from", "watched_at")]
        return cls({at: Hour(*counts) for at, *counts in data["hours"]}, *instants)


def together(streams: Iterable[Stream]) -> Stream:
    """All of them as one, for what is common to all channels. An hour is whole when it is for one of them."""
    whole = Stream()
    for stream in streams:
        whole = whole.merged(stream)
    return whole


def hour_of(at: datetime) -> int:
    """The number of its hour since 1970, UTC."""
    return int(at.timestamp() // _HOUR)


def start_of(hour: int) -> datetime:
    """UTC."""
    return datetime.fromtimestamp(hour * _HOUR, UTC)


@lru_cache(maxsize=4096)  # an hour's answer is asked again by its neighbours and by every hour of a silence
def weeks_before(hour: int, weeks: int, zone: ZoneInfo) -> tuple[int, ...]:
    """The same hour of the week, one week ago, two weeks ago and so on, as clocks in the zone show it."""
    local = start_of(hour).astimezone(zone).replace(tzinfo=None)
    return tuple(hour_of((local - timedelta(weeks=week)).replace(tzinfo=zone)) for week in range(1, weeks + 1))


def _first_whole(since: datetime) -> int:
    return ceil(since.timestamp() / _HOUR)
