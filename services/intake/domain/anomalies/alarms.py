"""Alarms about a channel: each has a start and an end, and does not flap.

An alarm starts with an hour that is far from usual, lasts while hours are somewhat away from it, and ends after several
calm hours in a row. Hours are judged once, when they are over.

Holidays. On a date that is known to be one, nothing is called a drop or a silence. A holiday that nobody told of looks
like a drop on every channel, so a channel is not blamed when the others together are down as well; with a single
channel, an unknown holiday is told as a drop once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from services.intake.domain.anomalies.causes import (
    Cause,
    Sign,
    judge_drop,
    judge_refusals,
    judge_silence,
    judge_surge,
    usual_at,
)
from services.intake.domain.anomalies.limits import StreamLimits
from services.intake.domain.anomalies.streams import Stream, hour_of, start_of, together

_MOST_HOURS = 168
"""Judged in one go after an outage; what is older is no news."""


_ABSENCES = frozenset({Cause.DROP, Cause.SILENCE})


@dataclass(frozen=True, slots=True)
class Ringing:
    """An alarm that has not ended.

    Attributes:
        began_at: the beginning of the hour that started it, UTC.
        until_at: the end of the last hour that kept it, UTC.
        calm_hours: how many calm hours there have been since.
    """

    began_at: datetime
    until_at: datetime
    calm_hours: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered of the alarms of one channel.

    Attributes:
        judged: the last hour that was judged, by its number since 1970.
    """

    judged: int | None = None
    ringing: Mapping[Cause, Ringing] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """As JSON types."""
        ringing = {
            cause.value: [one.began_at.isoformat(), one.until_at.isoformat(), one.calm_hours]
            for cause, one in self.ringing.items()
        }
        return {"judged": self.judged, "ringing": ringing}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Watch:
        """The inverse of ``to_data``."""
        ringing = {
            Cause(cause): Ringing(datetime.fromisoformat(began_at), datetime.fromisoformat(until_at), calm_hours)
            for cause, (began_at, until_at, calm_hours) in data["ringing"].items()
        }
        return cls(data["judged"], ringing)


@dataclass(frozen=True, slots=True)
class News:
    """An alarm started or ended.

    Attributes:
        began_at: the beginning of the first hour that was not as usual, UTC.
        ended_at: the end of the last one that was not; None when the alarm just started.
        seen: the requests of the hour that decided.
        usual: what the hour usually has; None where nothing is known.
    """

    cause: Cause
    began_at: datetime
    ended_at: datetime | None
    seen: int
    usual: float | None


def judge(
    stream: Stream,
    watch: Watch,
    now: datetime,
    zone: ZoneInfo,
    limits: StreamLimits,
    *,
    others: Sequence[Stream] = (),
    holidays: Collection[date] = (),
) -> tuple[Watch, tuple[News, ...]]:
    """Judge every hour that is over and was not judged.

    Args:
        zone: whose clocks the customers of the channel live by.
        others: the streams of the other channels.
        holidays: the dates in ``zone`` on which less traffic is no surprise.

    Returns:
        What to remember, and what to tell, oldest first.
    """
    last = hour_of(now) - 1
    first = last if watch.judged is None else max(watch.judged + 1, last - _MOST_HOURS + 1)

    @cache
    def rest() -> Stream:
        """Asked for only when something seems to be missing."""
        return together(others)

    def is_excused(hour: int) -> bool:
        return start_of(hour).astimezone(zone).date() in holidays or _is_down(rest(), hour, zone, limits)

    news: list[News] = []
    for hour in range(first, last + 1):
        if stream.whole(hour) is not None:
            watch, told = _judge_hour(stream, watch, hour, zone, limits, is_excused)
            news += told
    return Watch(last, watch.ringing), tuple(news)


def _judge_hour(
    stream: Stream, watch: Watch, hour: int, zone: ZoneInfo, limits: StreamLimits, is_excused: Callable[[int], bool]
) -> tuple[Watch, list[News]]:
    usual = usual_at(stream, hour, zone, limits)
    signs = {
        Cause.SURGE: judge_surge(stream, hour, usual, limits),
        Cause.DROP: judge_drop(hour, usual, limits, is_excused),
        Cause.SILENCE: judge_silence(stream, hour, zone, limits, is_excused),
        Cause.REFUSALS: judge_refusals(stream, hour, limits),
    }
    ringing = dict(watch.ringing)
    news: list[News] = []
    for cause, sign in signs.items():
        before = ringing.get(cause)
        if before is None and cause in _ABSENCES and _ABSENCES & ringing.keys():
            continue  # one absence, one alarm
        after = _next(before, sign, hour, limits)
        if after is not None:
            ringing[cause] = after
        elif before is not None:
            del ringing[cause]
        alarm = after or before
        if alarm is not None and (before is None or after is None):
            ended_at = alarm.until_at if after is None else None
            seen = stream.hours[hour].accepted
            news.append(News(cause, alarm.began_at, ended_at, seen, None if usual is None else usual.count))
    return Watch(hour, ringing), news


def _next(alarm: Ringing | None, sign: Sign, hour: int, limits: StreamLimits) -> Ringing | None:
    """What an hour makes of an alarm, or of none."""
    if alarm is None:
        return Ringing(start_of(hour), start_of(hour + 1)) if sign is Sign.STARTS else None
    if sign is Sign.UNCLEAR:
        return alarm
    if sign is not Sign.CALM:
        return Ringing(alarm.began_at, start_of(hour + 1))
    calm_hours = alarm.calm_hours + 1
    return replace(alarm, calm_hours=calm_hours) if calm_hours < limits.calm_hours else None


def _is_down(rest: Stream, hour: int, zone: ZoneInfo, limits: StreamLimits) -> bool:
    """Whether all other channels together have a drop in this hour."""
    return judge_drop(hour, usual_at(rest, hour, zone, limits), limits) in (Sign.STARTS, Sign.LASTS)
