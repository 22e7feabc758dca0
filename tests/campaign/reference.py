"""Working time by walking over instants: deliberately simple, and nothing of `shared.worktime` in it.

A plan is a calendar in plain numbers. Every edge lies on a grid of a quarter of an hour, on which every zone's offset
lies too, so within a cell of the grid it is either open or closed. Answers come from looking at cell after cell.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

CELL = timedelta(minutes=15)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
NOTHING = timedelta(0)

Pauses = list[tuple[datetime, datetime]]

EASTER = {
    2021: (4, 4),
    2022: (4, 17),
    2023: (4, 9),
    2024: (3, 31),
    2025: (4, 20),
    2026: (4, 5),
    2027: (3, 28),
    2028: (4, 16),
    2029: (4, 1),
    2030: (4, 21),
    2031: (4, 13),
    2032: (3, 28),
    2033: (4, 17),
    2034: (4, 9),
    2035: (3, 25),
    2036: (4, 13),
    2037: (4, 5),
}
"""Western Easter as printed in the almanacs."""


@dataclass
class Plan:
    """A calendar in plain numbers: minutes from midnight, dates, local times without zone.

    Attributes:
        nth_weekdays: (n, weekday, month), n = -1 for the last.
        parts: whose hours are hours of this plan too, when any of them is open, or all are.
    """

    zone: str
    weekly: list[list[tuple[int, int]]] = field(default_factory=lambda: [[] for _ in range(7)])
    holidays: set[date] = field(default_factory=set)
    annual: set[tuple[int, int]] = field(default_factory=set)
    from_easter: set[int] = field(default_factory=set)
    nth_weekdays: set[tuple[int, int, int]] = field(default_factory=set)
    substitute_on: set[int] = field(default_factory=set)
    worked: set[date] = field(default_factory=set)
    overrides: dict[date, list[tuple[int, int]]] = field(default_factory=dict)
    extra: list[tuple[datetime, datetime]] = field(default_factory=list)
    closures: list[tuple[datetime, datetime]] = field(default_factory=list)
    parts: list[Plan] = field(default_factory=list)
    is_all: bool = False


class OutOfSight(Exception):
    """The answer lies beyond the walk."""


def instant_of(zone: str, local: datetime) -> datetime:
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  # local, without zone


def follows_a_rule(plan: Plan, day: date) -> bool:
    """Whether an annual or computed holiday falls on the date itself."""
    if (day.month, day.day) in plan.annual:
        return True
    easter = date(day.year, *EASTER[day.year])
    if (day - easter).days in plan.from_easter:
        return True
    nth, from_the_end = (day.day - 1) // 7 + 1, (monthrange(day.year, day.month)[1] - day.day) // 7
    found = {(nth, day.weekday(), day.month)} | ({(-1, day.weekday(), day.month)} if from_the_end == 0 else set())
    return bool(found & plan.nth_weekdays)


def substitutes(plan: Plan, until: date) -> set[date]:
    """The working days that are closed for a holiday before them, day by day from the beginning of the year before."""
    taken: set[date] = set()
    day = date(until.year - 1, 1, 1)
    while plan.substitute_on and day <= until:
        if follows_a_rule(plan, day) and day.weekday() in plan.substitute_on:
            other = day + DAY
            while not plan.weekly[other.weekday()] or follows_a_rule(plan, other) or other in taken:
                other += DAY
            taken.add(other)
        day += DAY
    return taken


def is_holiday(plan: Plan, day: date, moved: set[date]) -> bool:
    return day not in plan.worked and (day in plan.holidays or follows_a_rule(plan, day) or day in moved)


class Walk:
    """The cells of one plan between two instants of the grid.

    Attributes:
        days: of each cell the local dates whose shifts are at work in it; where there are none it is closed.
    """

    def __init__(self, plan: Plan, begin: datetime, end: datetime) -> None:
        self.plan, self.begin = plan, begin
        self.days: list[set[date]] = [set() for _ in range((end - begin) // CELL)]
        zone = ZoneInfo(plan.zone)
        first, last = begin.astimezone(zone).date() - 3 * DAY, end.astimezone(zone).date()
        dates = [first + n * DAY for n in range((last - first).days + 1)]
        moved = substitutes(plan, last)
        self._combine([Walk(part, begin, end) for part in plan.parts])
        for day in dates:
            for opens, closes in plan.overrides.get(day, plan.weekly[day.weekday()]):
                if not is_holiday(plan, day, moved):
                    self._open(midnight(day) + opens * MINUTE, midnight(day) + closes * MINUTE, day)
        for day in dates:
            if is_holiday(plan, day, moved):
                self._close(midnight(day), midnight(day) + DAY)
        for start, stop in plan.extra:
            self._open(start, stop, start.date())
        for start, stop in plan.closures:
            self._close(start, stop)
        self.working_days = set[date]().union(*self.days)

    def is_open(self, at: datetime) -> bool:
        number = (at - self.begin) // CELL
        if not 0 <= number < len(self.days):
            raise OutOfSight
        return bool(self.days[number])

    def elapsed(self, start: datetime, end: datetime, pauses: Pauses) -> timedelta:
        """Adds up the open parts of cells, cut at the edges of pauses."""
        total, at = NOTHING, start
        while at < end:
            step = min(self._next_edge(at, pauses), end)
            if self.is_open(at) and not is_paused(at, pauses):
                total += step - at
            at = step
        return total

    def due(self, start: datetime, budget: timedelta, pauses: Pauses) -> datetime:
        at, left = start, budget
        while left:
            step = self._next_edge(at, pauses)
            if self.is_open(at) and not is_paused(at, pauses):
                step = min(step, at + left)
                left -= step - at
            at = step
        return at

    def due_back(self, end: datetime, budget: timedelta, pauses: Pauses) -> datetime:
        at, left = end, budget
        while left:
            step = self._edge_before(at, pauses)
            if self.is_open(step) and not is_paused(step, pauses):
                step = max(step, at - left)
                left -= at - step
            at = step
        return at

    def next_open(self, at: datetime) -> datetime:
        while not self.is_open(at):
            at = self._next_edge(at, [])
        return at

    def due_days(self, start: datetime, days: int, end_of_day: bool, pauses: Pauses) -> datetime:
        """With start and pauses on the grid, so that the answer is on it too."""
        received = at = self.next_open(start)
        first = self._same_time_later(received, days)
        owed, counted = self.elapsed(received, first, []), NOTHING
        while at < first or not self.is_open(at) or is_inside(at, pauses) or counted < owed:
            if self.is_open(at) and not is_paused(at, pauses):
                counted += CELL
            at += CELL
        if not end_of_day:
            return at
        closes = self._closing(at)
        while resumed := [resumed for paused, resumed in merged(pauses) if paused < closes <= resumed]:
            closes = self._closing(self.next_open(resumed[0]))
        return closes

    def _same_time_later(self, received: datetime, days: int) -> datetime:
        if days == 0:
            return received
        local = received.astimezone(ZoneInfo(self.plan.zone)).replace(tzinfo=None)
        earlier = sorted(day for day in self.working_days if day <= local.date())
        later = sorted(day for day in self.working_days if day > local.date())
        if not earlier or days > len(later):
            raise OutOfSight
        return self.next_open(instant_of(self.plan.zone, midnight(later[days - 1]) + (local - midnight(earlier[-1]))))

    def _closing(self, at: datetime) -> datetime:
        """When all that belongs to dates up to that of ``at`` is over."""
        today = at.astimezone(ZoneInfo(self.plan.zone)).date()
        last = max((n for n, days in enumerate(self.days) if any(day <= today for day in days)), default=None)
        if last is None or last + 1 == len(self.days):
            raise OutOfSight
        return self.begin + (last + 1) * CELL

    def _combine(self, walks: list[Walk]) -> None:
        """The hours of the parts, apart from those of dates that have other hours here."""
        if not walks:
            return
        for number, cell in enumerate(self.days):
            dates = walks[0].days[number]
            for walk in walks[1:]:
                other = walk.days[number]
                dates = {min(a, b) for a in dates for b in other} if self.plan.is_all else dates | other
            cell.update(dates - self.plan.overrides.keys())

    def _open(self, start: datetime, stop: datetime, day: date) -> None:
        for cell in self._cells(start, stop):
            cell.add(day)

    def _close(self, start: datetime, stop: datetime) -> None:
        for cell in self._cells(start, stop):
            cell.clear()

    def _cells(self, start: datetime, stop: datetime) -> list[set[date]]:
        """Those between two local times."""
        first, last = ((instant_of(self.plan.zone, at) - self.begin) // CELL for at in (start, stop))
        return self.days[max(first, 0) : max(last, 0)]

    def _next_edge(self, at: datetime, pauses: Pauses) -> datetime:
        cell = self.begin + ((at - self.begin) // CELL + 1) * CELL
        return min([cell, *(edge for pause in pauses for edge in pause if edge > at)]) if pauses else cell

    def _edge_before(self, at: datetime, pauses: Pauses) -> datetime:
        cell = self.begin + ((at - self.begin - TICK) // CELL) * CELL
        return max([cell, *(edge for pause in pauses for edge in pause if edge < at)])


def is_paused(at: datetime, pauses: Pauses) -> bool:
    return any(paused <= at < resumed for paused, resumed in pauses)


def is_inside(at: datetime, pauses: Pauses) -> bool:
    return any(paused < at < resumed for paused, resumed in merged(pauses))


def merged(pauses: Pauses) -> Pauses:
    """In order, with what overlaps or touches made one."""
    found: Pauses = []
    for paused, resumed in sorted(pauses):
        if found and paused <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], resumed)
        elif paused < resumed:
            found.append((paused, resumed))
    return found
