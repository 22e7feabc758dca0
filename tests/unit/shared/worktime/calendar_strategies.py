"""Hypothesis strategies for calendars, and a reference that walks over instants instead of calculating."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import strategies as st

from shared.worktime import Calendar, Easter, NthWeekday, Window, local_to_instant
from shared.worktime.local_time import midnight_of

STEP = timedelta(minutes=15)
"""Every edge of a drawn calendar lies on this grid, and so does every zone's offset, so walking by it is exact."""

ZONES = ("UTC", "Asia/Hong_Kong", "Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kathmandu")
FIRST_DAY = date(2026, 3, 20)  # a week and a half with the spring change of Europe, and the autumn one of Lord Howe

_days = st.integers(0, 24).map(lambda offset: FIRST_DAY + timedelta(days=offset))
_rules = st.one_of(
    st.builds(Easter, st.integers(-20, 10)),
    st.builds(NthWeekday, st.sampled_from([1, 2, 3, 4, 5, -1]), st.integers(0, 6), st.integers(3, 4)),
)
_local_spans = st.tuples(_days, st.integers(0, 95), st.integers(1, 200)).map(
    lambda drawn: (midnight_of(drawn[0]) + drawn[1] * STEP, midnight_of(drawn[0]) + (drawn[1] + drawn[2]) * STEP)
)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    """Up to three windows of a day; the last may run into the next one."""
    edges = sorted(draw(st.sets(st.integers(0, 95), min_size=0, max_size=6)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    runs_over = draw(st.booleans())
    if pairs and runs_over:
        pairs[-1] = (pairs[-1][0], draw(st.integers(96, 160)))
    return tuple(Window(opens * STEP, closes * STEP) for opens, closes in pairs)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    weekly = [draw(windows()) for _ in range(7)]
    if not any(weekly):
        weekly[0] = (Window(timedelta(hours=9), timedelta(hours=17)),)
    return Calendar(
        name="drawn",
        timezone=draw(st.sampled_from(ZONES)),
        weekly=tuple(weekly),
        holidays=frozenset(draw(st.sets(_days, max_size=3))),
        annual_holidays=frozenset((day.month, day.day) for day in draw(st.sets(_days, max_size=1))),
        date_overrides=draw(st.dictionaries(_days, windows(), max_size=3)),
        closures=tuple(draw(st.lists(_local_spans, max_size=2))),
        worked_holidays=frozenset(draw(st.sets(_days, max_size=2))),
        holiday_rules=tuple(draw(st.lists(_rules, max_size=2))),
        substitute_on=frozenset(draw(st.sets(st.integers(0, 6), max_size=2))),
        extra_hours=tuple(draw(st.lists(_local_spans, max_size=2))),
    )


instants = st.integers(0, 20 * 24 * 4).map(
    lambda steps: datetime.combine(FIRST_DAY, time(), UTC) + timedelta(days=2) + steps * STEP
)
exact_instants = st.integers(0, 20 * 86_400 * 10**6).map(
    lambda ticks: datetime.combine(FIRST_DAY, time(), UTC) + timedelta(days=2, microseconds=ticks)
)
budgets = st.integers(1, 400_000_000_000).map(lambda microseconds: timedelta(microseconds=microseconds))


@st.composite
def pause_lists(draw: st.DrawFn) -> list[tuple[datetime, datetime]]:
    """Pauses in any order, overlapping or not."""
    starts = draw(st.lists(exact_instants, max_size=4))
    return [(start, start + draw(budgets)) for start in starts]


def is_open_by_definition(calendar: Calendar, at: datetime) -> bool:
    """Straight from the words of the definition."""
    zone = calendar.zone
    today = at.astimezone(zone).date()
    if any(local_to_instant(zone, a) <= at < local_to_instant(zone, b) for a, b in calendar.closures):
        return False
    if any(local_to_instant(zone, a) <= at < local_to_instant(zone, b) for a, b in calendar.extra_hours):
        return True
    if calendar.is_holiday(today):
        return False
    for day in (today - timedelta(days=1), today):
        midnight = datetime.combine(day, time())
        for window in calendar.windows_on(day):
            opens, closes = (local_to_instant(zone, midnight + edge) for edge in window)
            if opens <= at < closes:
                return True
    return False


def elapsed_by_walking(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    steps = (end - start) // STEP
    return STEP * sum(is_open_by_definition(calendar, start + n * STEP) for n in range(steps))
