"""Random plans and questions, and a plan as a calendar of `shared.worktime`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from shared.worktime import Annual, Calendar, Combination, Easter, HolidayRule, NthWeekday, Window
from tests.campaign.reference import CELL, DAY, Pauses, Plan

ZONES = (
    "UTC",
    "Asia/Hong_Kong",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Chatham",
)
FIRST_YEAR, LAST_YEAR = 2024, 2035

_CELLS_A_DAY = DAY // CELL
_NOTHING = timedelta(0)


@cache
def transitions(zone: str) -> tuple[datetime, ...]:
    """The instants at which the zone's offset changes in those years, to the quarter of an hour."""
    info, found = ZoneInfo(zone), []
    at = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    while at.year <= LAST_YEAR:
        if offset(info, at) != offset(info, at + DAY):
            edge = at
            while offset(info, edge) == offset(info, edge + CELL):
                edge += CELL
            found.append(edge + CELL)
        at += DAY
    return tuple(found)


def offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def draw_plan(random: Random, around: date, zone: str, depth: int = 0) -> Plan:
    """A calendar with everything that calendars may have, its dates near ``around``."""

    def a_date() -> date:
        return around + random.randint(-20, 40) * DAY

    def a_span() -> tuple[datetime, datetime]:
        start = datetime.combine(a_date(), time()) + random.randrange(_CELLS_A_DAY) * CELL
        return start, start + random.randint(1, 200) * CELL

    plan = Plan(zone)
    if depth == 0 and random.random() < 0.2:
        zones = [zone, random.choice(ZONES)] if random.random() < 0.3 else [zone, zone, zone][: random.randint(1, 3)]
        plan.parts = [draw_plan(random, around, part, 1) for part in zones]
        plan.is_all = random.random() < 0.5
    else:
        plan.weekly = [_windows(random) for _ in range(7)]
        plan.weekly[random.randrange(7)] = [(9 * 60, 17 * 60)]
        plan.substitute_on = random.choice([set(), set(), {6}, {5, 6}, {random.randrange(7)}])
    few = [0, 0, 1, 2, 3]
    plan.holidays = {a_date() for _ in range(random.choice(few))}
    plan.annual = {(day.month, day.day) for day in (a_date() for _ in range(random.choice(few)))}
    plan.from_easter = {random.randint(-50, 60) for _ in range(random.choice(few))}
    plan.nth_weekdays = {
        (random.choice([1, 2, 3, 4, 5, -1]), random.randrange(7), a_date().month) for _ in range(random.choice(few))
    }
    plan.worked = {a_date() for _ in range(random.choice(few))}
    if all(part.zone == zone for part in plan.parts):  # else it is beyond the reference whose hours they replace
        plan.overrides = {a_date(): _windows(random) for _ in range(random.choice(few))}
    plan.extra = [a_span() for _ in range(random.choice(few[:4]))]
    plan.closures = [a_span() for _ in range(random.choice(few[:4]))]
    return plan


def _windows(random: Random) -> list[tuple[int, int]]:
    """Up to three windows; the last may run into the next day, or over all of it."""
    edges = sorted(random.sample(range(_CELLS_A_DAY), random.choice([0, 2, 2, 2, 4, 6])))
    pairs = list(zip(edges[::2], edges[1::2], strict=True))
    if pairs and random.random() < 0.25:
        pairs[-1] = pairs[-1][0], random.randint(_CELLS_A_DAY, 2 * _CELLS_A_DAY)
    if random.random() < 0.1:
        pairs = [(0, _CELLS_A_DAY)]
    return [(opens * 15, closes * 15) for opens, closes in pairs]


def draw_pauses(random: Random, around: datetime, *, on_grid: bool) -> Pauses:
    """None as often as some; in any order, overlapping or not."""
    starts = [draw_instant(random, around, on_grid=on_grid) for _ in range(random.choice([0, 0, 0, 1, 2, 4]))]
    return [
        (start, start + random.randint(1, 3 * _CELLS_A_DAY) * CELL + (_NOTHING if on_grid else _odd(random)))
        for start in starts
    ]


def draw_instant(random: Random, around: datetime, *, on_grid: bool) -> datetime:
    at = around + random.randint(-5 * _CELLS_A_DAY, 8 * _CELLS_A_DAY) * CELL
    return at if on_grid or random.random() < 0.3 else at + _odd(random)


def _odd(random: Random) -> timedelta:
    return timedelta(microseconds=random.randrange(CELL // timedelta(microseconds=1)))


def as_calendar(plan: Plan, name: str = "drawn") -> Calendar:
    rules: list[HolidayRule] = [Easter(days) for days in plan.from_easter]
    rules += [NthWeekday(nth, weekday, month) for nth, weekday, month in plan.nth_weekdays]
    annual = sorted(plan.annual)
    return Calendar(
        name=name,
        timezone=plan.zone,
        weekly=tuple(_as_windows(windows) for windows in plan.weekly),
        holidays=frozenset(plan.holidays),
        annual_holidays=frozenset(annual[:1]),
        date_overrides={day: _as_windows(windows) for day, windows in plan.overrides.items()},
        closures=tuple(plan.closures),
        holiday_rules=(*rules, *(Annual(*one) for one in annual[1:])),  # both ways to say it
        substitute_on=frozenset(plan.substitute_on),
        worked_holidays=frozenset(plan.worked),
        extra_hours=tuple(plan.extra),
        parts=tuple(as_calendar(part, f"{name}'s part") for part in plan.parts),
        combination=Combination.ALL if plan.is_all else Combination.ANY,
    )


def _as_windows(windows: list[tuple[int, int]]) -> tuple[Window, ...]:
    return tuple(Window(timedelta(minutes=opens), timedelta(minutes=closes)) for opens, closes in windows)
