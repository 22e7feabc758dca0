"""How many deadlines a second the arithmetic of working time gives, on one core; needs no system."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from bench.figures import Figure
from bench.rig import Measured, say
from shared.clock import monotonic
from shared.worktime import ALWAYS_OPEN, Calendar, Easter, Window, WorkingTime, to_ticks

SUMMARY = "deadlines and spans of working time calculated per second on one core, without any system"

_HOUR = timedelta(hours=1)
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_WEEK, _YEAR = 45 * _HOUR, 2200 * _HOUR  # of the working hours of the office below
_RUNS = 3  # the best counts: others use the machine too

OFFICE = Calendar(
    name="office",
    timezone="Asia/Hong_Kong",
    weekly=((Window(9 * _HOUR, 18 * _HOUR),),) * 5 + ((), ()),
    holidays=frozenset(date(2026, *month_and_day) for month_and_day in [(2, 17), (2, 18), (2, 19), (5, 25), (6, 19)]),
    annual_holidays=frozenset({(1, 1), (5, 1), (7, 1), (10, 1), (12, 25), (12, 26)}),
    holiday_rules=(Easter(-2), Easter(1)),
)
"""Like an office in Hong Kong: 17 holidays a year are enough to break up every run of weeks."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=200_000, help="computations per run (%(default)s)")


def run(options: argparse.Namespace) -> Measured:
    office, always = WorkingTime(OFFICE), WorkingTime(ALWAYS_OPEN)
    step = timedelta(days=365) / options.count
    starts = [_BEGIN + number * step for number in range(options.count)]
    in_ticks = [to_ticks(start) for start in starts]
    day, nine_days = timedelta(days=1), timedelta(days=9)
    week = _WEEK // timedelta(microseconds=1)

    def laid_out() -> None:
        WorkingTime(OFFICE).due(_BEGIN, 10 * _YEAR)

    def each(what: Callable[[datetime], object]) -> Callable[[], None]:
        def all_of_them() -> None:
            for start in starts:
                what(start)

        return all_of_them

    def ticks() -> None:
        for start in in_ticks:
            office.due_ticks(start, week)

    measured = {
        "due, a week": each(lambda start: office.due(start, _WEEK)),
        "due, a year": each(lambda start: office.due(start, _YEAR)),
        "due, a week, with a pause of a day": each(
            lambda start: office.due(start, _WEEK, [(start + day, start + 2 * day)])
        ),
        "due, a week, in ticks": ticks,
        "due in two working days": each(lambda start: office.due_days(start, 2)),
        "due in elapsed time": each(lambda start: always.due(start, _WEEK)),
        "elapsed, nine days": each(lambda start: office.elapsed(start, start + nine_days)),
    }
    figures = []
    for name, work in measured.items():
        say(name)
        figures.append(Figure(name, options.count / _best(work), "/s"))
    figures.append(Figure("first answer on a new calendar, eleven years laid out", 1000 * _best(laid_out), "ms"))
    return Measured(figures, postgres_version="-")


def _best(work: Callable[[], None]) -> float:
    """Seconds."""
    took = []
    for _ in range(_RUNS):
        began = monotonic()
        work()
        took.append(monotonic() - began)
    return min(took)
