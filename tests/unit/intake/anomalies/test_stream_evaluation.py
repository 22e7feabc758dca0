"""How often the alarms are wrong and what they miss, on generated streams and on the logs of others if they are there.

Whether an alarm in a log was right nobody knows, so each counts as false. Measured in November 2026 with the shipped
limits on the last two years of each log (submissions; loans, permits, help desk, incidents, city services; 1.5 to 86 a
day): 7 alarms in 363 weeks, about one a channel and year. Four of them are Christmas, New Year or mid-August, two are
hours with 21 and 43 requests where 0 and 7 are usual. On generated streams of 20 to 3,000 a day: 1 in 264 weeks.

Found of three hours by day that were changed, with 600 requests a day and more: every outage and every loss of four
fifths, half of the losses of three fifths, nine in ten surges to three times the usual and all to five times. With 60 a
day an outage is found nine times in ten, a smaller loss hardly ever.
"""

from __future__ import annotations

from random import Random

import pytest

from services.intake.domain.anomalies.causes import Cause
from services.intake.domain.anomalies.streams import Stream, hour_of
from tests.unit.intake.anomalies.streams_of import HONG_KONG, MONDAY, begun, generated, logs, play, stream_of
from tests.unit.intake.validation.shipped import BOOK

LIMITS = BOOK.streams
DAYS = 220  # of each log, so that the test takes seconds
STREAMS = {
    **{f"{per_day} a day": (HONG_KONG, stream_of(generated(per_day, 20, per_day))) for per_day in (20, 200, 2_000)},
    **{
        name: (zone, Stream.counted(instants).watched_over(instants[0], instants[-1]))
        for name, (zone, instants) in logs(DAYS).items()
    },
}
MOST_A_YEAR = 4
"""Alarms of one channel that staff can be asked to look at without cause."""


def weeks_judged(stream: Stream) -> float:
    return max(0.0, len(stream.hours) / 168 - LIMITS.least_weeks)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_in_which_nothing_is_known_to_be_wrong_rings_seldom(name: str) -> None:
    zone, stream = STREAMS[name]
    alarms = begun(play(stream, LIMITS, zone))
    assert len(alarms) <= max(2, MOST_A_YEAR * weeks_judged(stream) / 52), alarms


@pytest.mark.parametrize(("factor", "cause"), [(0.0, Cause.DROP), (0.2, Cause.DROP), (4.0, Cause.SURGE)])
def test_what_goes_wrong_by_day_is_found_within_two_hours(factor: float, cause: Cause) -> None:
    random = Random(9)
    found = 0
    for seed in range(5):
        counts = generated(100 + seed, 9, 600)
        since = hour_of(MONDAY) + 8 * 168 + random.randrange(5) * 24 + random.randrange(9, 16)
        for at in range(since, since + 3):
            counts[at] = round(counts[at] * factor)
        news = begun(play(stream_of(counts), LIMITS, since=since - 24))
        found += any(one.cause is cause and since <= hour_of(one.began_at) <= since + 1 for one in news)
    assert found == 5
