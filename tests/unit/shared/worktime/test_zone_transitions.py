"""Every change of the clocks of twelve years in ten zones, against the walking reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from shared.worktime import WorkingTime
from tests.campaign.plans import as_calendar, transitions
from tests.campaign.reference import DAY, Plan, Walk

ZONES = (
    "Asia/Hong_Kong",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Tehran",
    "Africa/Casablanca",
    "Europe/London",
    "America/St_Johns",
    "Pacific/Chatham",
)
HOUR = timedelta(hours=1)
HOURS = {
    "never closed": [(0, 1440)],
    "office": [(540, 720), (780, 1080)],
    "night": [(1320, 1800)],
    "inside the change": [(90, 150), (165, 195)],
}
"""The last ones open or close at a time of day that a change leaves out or repeats."""


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The clocks of three of the zones stand still in these years: solstices serve for them."""
    still = tuple(datetime(year, month, 21, tzinfo=UTC) for year in range(2024, 2036) for month in (6, 12))
    return transitions(zone) or still


def plan(zone: str, hours: str) -> Plan:
    return Plan(zone, weekly=[HOURS[hours] for _ in range(7)])


@pytest.mark.parametrize("hours", HOURS)
@pytest.mark.parametrize("zone", ZONES)
def test_working_time_around_a_change_is_what_walking_over_it_finds(zone: str, hours: str) -> None:
    calendar = plan(zone, hours)
    working = WorkingTime(as_calendar(calendar))
    for change_at in changes(zone):
        walk = Walk(calendar, change_at - 3 * DAY, change_at + 4 * DAY)
        for start in (change_at - 26 * HOUR, change_at - HOUR, change_at + HOUR / 2):
            for span in (HOUR, 27 * HOUR):
                assert working.elapsed(start, start + span) == walk.elapsed(start, start + span, []), change_at
            assert working.due(start, 2 * HOUR) == walk.due(start, 2 * HOUR, []), change_at
            assert working.due_back(start, HOUR / 2) == walk.due_back(start, HOUR / 2, []), change_at
            for end_of_day in (False, True):
                expected = walk.due_days(start, 1, end_of_day, [])
                assert working.due_days(start, 1, end_of_day=end_of_day) == expected, change_at


@pytest.mark.parametrize("zone", [zone for zone in ZONES if transitions(zone)])
def test_the_day_of_a_change_is_as_long_as_the_clocks_make_it(zone: str) -> None:
    working = WorkingTime(as_calendar(plan(zone, "never closed")))
    for change_at in changes(zone):
        local = change_at.astimezone(working.calendar.zone)
        shift = abs((local - DAY).replace(tzinfo=working.calendar.zone).utcoffset() - local.utcoffset())  # type: ignore[operator]
        midnight = local.replace(hour=0, minute=0, fold=0).astimezone(UTC)
        end = (local.replace(hour=0, minute=0, fold=0) + DAY).astimezone(UTC)
        assert shift in {HOUR, HOUR / 2}
        assert working.elapsed(midnight, end) in {DAY - shift, DAY + shift}
