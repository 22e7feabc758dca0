"""``python -m tests.campaign.worktime --cases 1000000``: asks `shared.worktime` and the walking reference the same.

Cases come in blocks of one drawn calendar. A failure names the seed of its block; ``--seed THAT --cases 100`` repeats
it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from shared.worktime import WorkingTime, has_open_time
from tests.campaign.plans import (
    FIRST_YEAR,
    LAST_YEAR,
    ZONES,
    as_calendar,
    draw_instant,
    draw_pauses,
    draw_plan,
    transitions,
)
from tests.campaign.reference import DAY, OutOfSight, Plan, Walk

BLOCK = 100
"""Cases per calendar: laying it out costs as much as some hundred questions."""

_BEFORE, _AFTER = 30 * DAY, 60 * DAY  # how far the reference sees
_SPANS = (1, 1, 4, 20)  # days; most are short, because walking takes its time
_SHOWN = 20  # failures; the first one is the one to look at


@dataclass(frozen=True, slots=True)
class Failure:
    seed: int
    question: str
    got: Any
    expected: Any
    plan: Plan

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.question}\n  got      {self.got}\n  expected {self.expected}\n  on {self.plan}"


def run(cases: int, seed: int, progress: Callable[[int, int], None] | None = None) -> list[Failure]:
    """Ask so many questions; gives those answered differently.

    Args:
        progress: told after each block how many were asked and how many failed.
    """
    failures: list[Failure] = []
    asked = 0
    while asked < cases:
        plan, questions = _block(seed)
        for number, (question, got, expected) in enumerate(questions):
            if asked + number >= cases:
                break
            if got != expected:
                failures.append(Failure(seed, question, got, expected, plan))
        asked += BLOCK
        seed += 1
        if progress is not None:
            progress(min(asked, cases), len(failures))
    return failures


def _block(seed: int) -> tuple[Plan, Iterator[tuple[str, Any, Any]]]:
    random = Random(seed)
    while True:
        around = _draw_middle(random)
        zone = random.choice(ZONES)
        if transitions(zone) and random.random() < 0.5:
            around = random.choice(transitions(zone))
        plan = draw_plan(random, around.date(), zone)
        calendar = as_calendar(plan)
        if has_open_time(calendar):
            walk = Walk(plan, around - _BEFORE, around + _AFTER)
            return plan, _questions(random, around, WorkingTime(calendar), walk)


def _draw_middle(random: Random) -> datetime:
    day = date(random.randint(FIRST_YEAR, LAST_YEAR), random.randint(1, 12), random.randint(1, 28))
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _questions(random: Random, around: datetime, working: WorkingTime, walk: Walk) -> Iterator[tuple[str, Any, Any]]:
    """Each with both answers; what the reference cannot see the end of is not asked."""
    answered = 0
    while answered < BLOCK:
        kind = random.choice([_due, _due, _due_back, _elapsed, _elapsed, _openings, _due_days])
        try:
            yield kind(random, around, working, walk)
        except OutOfSight:
            continue
        answered += 1


def _due(random: Random, around: datetime, working: WorkingTime, walk: Walk) -> tuple[str, Any, Any]:
    start = draw_instant(random, around, on_grid=False)
    pauses = draw_pauses(random, around, on_grid=False)
    most = walk.elapsed(start, start + random.uniform(0, random.choice(_SPANS)) * DAY, pauses)
    budget = most if random.random() < 0.2 else _part(random, most)
    got = working.due(start, budget, pauses)
    return f"due({start}, {budget}, {pauses})", got, walk.due(start, budget, pauses)


def _due_back(random: Random, around: datetime, working: WorkingTime, walk: Walk) -> tuple[str, Any, Any]:
    end = draw_instant(random, around, on_grid=False)
    pauses = draw_pauses(random, around, on_grid=False)
    budget = _part(random, walk.elapsed(end - random.uniform(0, random.choice(_SPANS)) * DAY, end, pauses))
    got = working.due_back(end, budget, pauses)
    return f"due_back({end}, {budget}, {pauses})", got, walk.due_back(end, budget, pauses)


def _elapsed(random: Random, around: datetime, working: WorkingTime, walk: Walk) -> tuple[str, Any, Any]:
    start = draw_instant(random, around, on_grid=False)
    end = start + random.uniform(-1, random.choice(_SPANS)) * DAY
    pauses = draw_pauses(random, around, on_grid=False)
    return f"elapsed({start}, {end}, {pauses})", working.elapsed(start, end, pauses), walk.elapsed(start, end, pauses)


def _openings(random: Random, around: datetime, working: WorkingTime, walk: Walk) -> tuple[str, Any, Any]:
    at = draw_instant(random, around, on_grid=False)
    expected = walk.is_open(at), walk.next_open(at)
    return f"is_open and next_open({at})", (working.is_open(at), working.next_open(at)), expected


def _due_days(random: Random, around: datetime, working: WorkingTime, walk: Walk) -> tuple[str, Any, Any]:
    if any(part.zone != walk.plan.zone for part in walk.plan.parts):
        raise OutOfSight  # whose date a shift belongs to is beyond the reference then
    start = draw_instant(random, around, on_grid=True)
    pauses = draw_pauses(random, around, on_grid=True)
    days, end_of_day = random.randint(0, 6), random.random() < 0.5
    expected = walk.due_days(start, days, end_of_day, pauses)
    got = working.due_days(start, days, end_of_day=end_of_day, pauses=pauses)
    return f"due_days({start}, {days}, {end_of_day=}, {pauses})", got, expected


def _part(random: Random, whole: timedelta) -> timedelta:
    return timedelta(microseconds=random.randint(0, whole // timedelta(microseconds=1)))


def main() -> int:
    """Gives 1 when an answer differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.worktime", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="how many questions (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first block (%(default)s)")
    asked = parser.parse_args()
    told = 0

    def progress(done: int, failed: int) -> None:
        nonlocal told
        if done - told >= asked.cases / 20:
            told = done
            sys.stderr.write(f"{done:,} of {asked.cases:,} cases, {failed} failed\n")

    failures = run(asked.cases, asked.seed, progress)
    for failure in failures[:_SHOWN]:
        sys.stdout.write(f"{failure}\n")
    sys.stdout.write(f"{asked.cases - len(failures)} passed, {len(failures)} failed\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
