"""One function per operation on working time: gives the engine's answer and the expected one.

Where sources disagree the project's decisions hold: a budget that runs out exactly at closing is due at the closing
instant, a budget of nothing at the start. Of ``expected`` and its ``equivalent`` that is the earlier answer forwards
and the later one backwards, so a vector is never passed by accepting either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.worktime import WorkingTime, elapsed_across, local_to_instant, parse_local
from tests.conformance.vectors.outcome import Vector, instant

Answers = tuple[Any, Any]
Calendars = Mapping[str, WorkingTime]

_FAR = timedelta(days=800)


def due(vector: Vector, calendars: Calendars) -> Answers:
    budget = timedelta(seconds=vector["target_seconds"])
    got = calendars[vector["calendar"]].due(instant(vector["start"]), budget, _pauses(vector))
    return got, min(instant(vector[key]) for key in ("expected_due", "equivalent_due") if key in vector)


def due_back(vector: Vector, calendars: Calendars) -> Answers:
    budget = timedelta(seconds=vector["target_seconds"])
    got = calendars[vector["calendar"]].due_back(instant(vector["end"]), budget, _pauses(vector))
    return got, max(instant(vector[key]) for key in ("expected_start", "equivalent_start") if key in vector)


def due_days(vector: Vector, calendars: Calendars) -> Answers:
    got = calendars[vector["calendar"]].due_days(
        instant(vector["start"]),
        vector["days"],
        end_of_day=vector.get("end_of_day", False),
        pauses=_pauses(vector),
    )
    return got, min(instant(vector[key]) for key in ("expected_due", "equivalent_due") if key in vector)


def elapsed(vector: Vector, calendars: Calendars) -> Answers:
    working = calendars[vector["calendar"]]
    return _with_margin(vector, working.elapsed(instant(vector["start"]), instant(vector["end"]), _pauses(vector)))


def elapsed_multi(vector: Vector, calendars: Calendars) -> Answers:
    changes = [(instant(part["from"]), calendars[part["calendar"]]) for part in vector["calendar_timeline"]]
    spent = elapsed_across(changes, instant(vector["start"]), instant(vector["end"]), _pauses(vector))
    return _with_margin(vector, spent)


def next_open(vector: Vector, calendars: Calendars) -> Answers:
    expected = {instant(vector[key]) for key in ("expected", "equivalent") if key in vector}
    return calendars[vector["calendar"]].next_open(instant(vector["at"])), min(expected)


def is_open(vector: Vector, calendars: Calendars) -> Answers:
    return calendars[vector["calendar"]].is_open(instant(vector["at"])), vector["expected"]


def windows(vector: Vector, calendars: Calendars) -> Answers:
    expected = [(instant(start), instant(end)) for start, end in vector["expected"]]
    since = instant(vector["from"])
    until = max([since, *(end for _, end in expected)]) + _FAR
    return calendars[vector["calendar"]].windows(since, until)[: len(expected)], expected


def shift(vector: Vector, _: Calendars) -> Answers:
    return instant(vector["base"]) + timedelta(seconds=vector["offset_seconds"]), instant(vector["expected"])


def local(vector: Vector, _: Calendars) -> Answers:
    got = local_to_instant(ZoneInfo(vector["timezone"]), parse_local(vector["local"]))
    return got, instant(vector["expected"])


def _with_margin(vector: Vector, spent: timedelta) -> Answers:
    got, expected = [spent.total_seconds()], [vector["expected_seconds"]]
    if "expected_margin_seconds" in vector:
        got.append(vector["target_seconds"] - spent.total_seconds())
        expected.append(vector["expected_margin_seconds"])
    return got, expected


def _pauses(vector: Vector) -> list[tuple[Any, Any]]:
    return [(instant(pause["from"]), instant(pause["to"])) for pause in vector.get("pauses") or ()]


OPERATIONS: Mapping[str, Callable[[Vector, Calendars], Answers]] = {
    "due": due,
    "due_back": due_back,
    "due_days": due_days,
    "elapsed": elapsed,
    "elapsed_multi": elapsed_multi,
    "next_open": next_open,
    "is_open": is_open,
    "windows": windows,
    "shift": shift,
    "local_to_instant": local,
}
