"""What an hour of a channel says beside the same hour of the weeks before.

Counts are compared as twice the square root, on which chance alone gives every count the same deviation of about 1
(Anscombe 1948). The usual is the median of the weeks before, so one holiday or one outage among them does not matter;
the spread is that of the hour and its two neighbours, and never below what chance and ordinary days make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import median
from zoneinfo import ZoneInfo

from services.intake.domain.anomalies.limits import StreamLimits
from services.intake.domain.anomalies.shares import wilson
from services.intake.domain.anomalies.streams import Hour, Stream, weeks_before

_NORMAL = 1.4826  # times the median deviation is the standard deviation of a normal distribution
_WEEK_HOURS = 168

REFUSAL_DEVIATIONS = 3.29
"""Of the interval of a share: one in two thousand lies above it by chance. A channel is judged nine thousand times a
year, but the share must lie above the usual by the margin, too."""

SILENT_ONE_IN = 4
"""Of the weeks before, so many may have been silent at the same hours: two of eight, one of four to seven. So an outage
and a holiday among them do not keep the next outage from being told. The price: a channel that of its own accord sends
nothing at these hours in some weeks, at random, is told without cause in 17 % of the weeks at most when eight are
known (it pauses in a quarter of them then), in 20 % when four are; were none allowed, in 4 %. One that paused in more
than a quarter of the weeks is not told. Silence by chance is what ``silence_usual`` keeps out."""

UNEVENNESS = 0.15
"""How much days differ beside chance, relative to their traffic. Eight weeks that happened to be alike promise nothing.
With many requests an hour a surge is then 2.3 times the usual at least, and a drop leaves four tenths of it at most."""


def never(_hour: int) -> bool:
    """No hour is excused."""
    return False


class Cause(StrEnum):
    """Why an alarm rings.

    Members:
        SURGE: far more requests than usual at this hour of the week.
        DROP: far fewer.
        SILENCE: none for so long that many would usually have come.
        REFUSALS: a larger share is refused than usual.
    """

    SURGE = "surge"
    DROP = "drop"
    SILENCE = "silence"
    REFUSALS = "refusals"


class Sign(StrEnum):
    """Members:
    STARTS: strong enough to start an alarm.
    LASTS: strong enough to keep one.
    UNCLEAR: says neither, as an hour of the night does about a drop.
    CALM: speaks against it.
    """

    STARTS = "starts"
    LASTS = "lasts"
    UNCLEAR = "unclear"
    CALM = "calm"


@dataclass(frozen=True, slots=True)
class Usual:
    """Attributes:
    count: the median of the weeks before.
    deviations: how far the hour lies above it, on the scale of the square root.
    """

    count: float
    deviations: float


def usual_at(stream: Stream, hour: int, zone: ZoneInfo, limits: StreamLimits) -> Usual | None:
    """None when the hour was not watched, or too few of the same hours before it."""
    seen = stream.whole(hour)
    past = _past(stream, hour, zone, limits)
    if seen is None or len(past) < limits.least_weeks:
        return None
    distances = [
        abs(number - median(numbers))
        for near in (hour - 1, hour, hour + 1)
        if (numbers := [_scaled(one.accepted) for one in _past(stream, near, zone, limits)])
        for number in numbers
    ]
    centre = median(_scaled(one.accepted) for one in past)
    count = median(one.accepted for one in past)
    spread = max(1.0, UNEVENNESS * sqrt(count), _NORMAL * median(distances))
    return Usual(count, (_scaled(seen.accepted) - centre) / spread)


def judge_surge(stream: Stream, hour: int, usual: Usual | None, limits: StreamLimits) -> Sign:
    if usual is None or stream.hours[hour].accepted < limits.surge_count or usual.deviations < limits.surge_ends:
        return Sign.CALM
    return Sign.STARTS if usual.deviations >= limits.surge_starts else Sign.LASTS


def judge_drop(hour: int, usual: Usual | None, limits: StreamLimits, is_excused: Callable[[int], bool] = never) -> Sign:
    """
    Args:
        is_excused: whether less in an hour is no surprise.
    """
    if usual is None:
        return Sign.CALM
    if usual.count < limits.drop_usual:
        return Sign.UNCLEAR
    if -usual.deviations < limits.drop_ends:
        return Sign.CALM
    return Sign.STARTS if -usual.deviations >= limits.drop_starts and not is_excused(hour) else Sign.LASTS


def judge_silence(
    stream: Stream, hour: int, zone: ZoneInfo, limits: StreamLimits, is_excused: Callable[[int], bool] = never
) -> Sign:
    """Silence is told after whole hours without a request, so that channels that send once an hour are not silent.

    Hours that are silent in other weeks too, as all but one of a nightly channel, say neither that a silence lasts nor
    that it is over. A whole week of them is no news any more: the channel has ended, and with it the alarm.

    Args:
        is_excused: whether nothing in an hour is no surprise; such hours are left out.
    """
    if stream.hours[hour].accepted:
        return Sign.CALM
    silent = list(_silent_hours(stream, hour))
    if not _is_hardly_ever_silent(stream, silent, zone, limits):
        return Sign.CALM if len(silent) == _WEEK_HOURS else Sign.UNCLEAR
    surprising = [at for at in silent if not is_excused(at)]
    return Sign.STARTS if _is_hardly_ever_silent(stream, surprising, zone, limits) else Sign.LASTS


def judge_refusals(stream: Stream, hour: int, limits: StreamLimits) -> Sign:
    recent = [one for at in range(hour - limits.refusal_hours + 1, hour + 1) if (one := stream.whole(at)) is not None]
    accepted, refused = _sums(recent)
    if refused == 0:
        return Sign.CALM
    shares = []
    for week in range(limits.weeks):
        last = hour - limits.refusal_hours - week * _WEEK_HOURS
        before = [one for at in range(last - _WEEK_HOURS + 1, last + 1) if (one := stream.whole(at)) is not None]
        kept, turned_away = _sums(before)
        if kept + turned_away:
            shares.append(turned_away / (kept + turned_away))
    if len(shares) < limits.least_weeks:
        return Sign.CALM
    total, usual = accepted + refused, median(shares)
    if (
        refused >= limits.refusal_count
        and wilson(refused, total, REFUSAL_DEVIATIONS).low >= usual + limits.refusal_margin
    ):
        return Sign.STARTS
    return Sign.LASTS if refused / total >= usual + limits.refusal_margin / 2 else Sign.CALM


def _is_hardly_ever_silent(stream: Stream, hours: list[int], zone: ZoneInfo, limits: StreamLimits) -> bool:
    """Whether something came in these hours in the weeks before but for a few, and much in most."""
    sums = [
        sum(one.accepted for one in week if one is not None)
        for week in zip(*(_weeks(stream, at, zone, limits) for at in hours), strict=True)
        if None not in week
    ]
    silent_weeks = sums.count(0)
    return (
        len(sums) >= limits.least_weeks
        and silent_weeks <= len(sums) // SILENT_ONE_IN
        and median(sums) >= limits.silence_usual
    )


def _scaled(count: int) -> float:
    return 2 * sqrt(count + 0.375)


def _past(stream: Stream, hour: int, zone: ZoneInfo, limits: StreamLimits) -> list[Hour]:
    return [one for one in _weeks(stream, hour, zone, limits) if one is not None]


def _weeks(stream: Stream, hour: int, zone: ZoneInfo, limits: StreamLimits) -> list[Hour | None]:
    return [stream.whole(at) for at in weeks_before(hour, limits.weeks, zone)]


def _silent_hours(stream: Stream, hour: int) -> Iterator[int]:
    """Back from the hour to the last one in which something came, at most a week."""
    for at in range(hour, hour - _WEEK_HOURS, -1):
        one = stream.whole(at)
        if one is None or one.accepted:
            return
        yield at


def _sums(hours: list[Hour]) -> tuple[int, int]:
    return sum(one.accepted for one in hours), sum(one.refused for one in hours)
