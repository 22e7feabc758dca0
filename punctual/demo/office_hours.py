"""When people write and when the house works. All three markets keep the same time, eight hours ahead of UTC.

Handlers here do not know holidays: on one they work, and the clocks, which know better, stand still.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from random import Random

_LOCAL = timezone(timedelta(hours=8))
_OPEN, _CLOSE = time(9), time(18)
_DAY = timedelta(hours=9)
_WEEKEND = 5

# How busy each local hour is against the busiest; read off any service desk, so not precise.
_WEEKDAY = (4, 3, 2, 2, 2, 4, 10, 25, 55, 95, 100, 95, 75, 80, 95, 95, 90, 75, 60, 50, 48, 42, 28, 12)
_SHARE_AT_WEEKEND = 0.4
_MEAN = sum(_WEEKDAY) / 24 * (5 + 2 * _SHARE_AT_WEEKEND) / 7


def busyness(at: datetime) -> float:
    """How many requests come at ``at``, against the average of a week."""
    local = at.astimezone(_LOCAL)
    share = _SHARE_AT_WEEKEND if local.weekday() >= _WEEKEND else 1.0
    return _WEEKDAY[local.hour] * share / _MEAN


MOST_BUSY = max(_WEEKDAY) / _MEAN


def next_arrival(random: Random, after: datetime, per_second: float) -> datetime:
    """When the next request comes: a Poisson process as busy as the hour, by thinning.

    Args:
        per_second: requests per business second, on average of a week.
    """
    at = after
    while True:
        at += timedelta(seconds=random.expovariate(per_second * MOST_BUSY))
        if random.random() * MOST_BUSY < busyness(at):
            return at


def after_work(at: datetime, span: timedelta) -> datetime:
    """The instant when ``span`` of office hours has passed since ``at``."""
    local = at.astimezone(_LOCAL)
    while True:
        opens = datetime.combine(local.date(), _OPEN, _LOCAL)
        closes = datetime.combine(local.date(), _CLOSE, _LOCAL)
        begins = max(local, opens)
        if local.weekday() < _WEEKEND and begins < closes:
            if begins + span <= closes:
                return (begins + span).astimezone(UTC)
            span -= closes - begins
        local = datetime.combine(local.date() + timedelta(days=1), time(0), _LOCAL)
