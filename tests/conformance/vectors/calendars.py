"""A vector file's calendar as one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from shared.worktime import WEEKDAYS, Calendar, Window, WorkingTime, parse_local, parse_time_of_day
from tests.conformance.vectors.outcome import Vector


def working_time(name: str, spec: Vector) -> WorkingTime:
    return WorkingTime(
        Calendar(
            name=name,
            timezone=spec["timezone"],
            weekly=tuple(_windows(spec.get("weekly", {}).get(day, ())) for day in WEEKDAYS),
            holidays=frozenset(date.fromisoformat(day) for day in spec.get("holidays", ())),
            annual_holidays=frozenset(_month_and_day(text) for text in spec.get("annual_holidays", ())),
            date_overrides={
                date.fromisoformat(day): _windows(windows) for day, windows in spec.get("date_overrides", {}).items()
            },
            closures=tuple((parse_local(start), parse_local(end)) for start, end in spec.get("closures", ())),
        )
    )


def _windows(windows: Sequence[Any]) -> tuple[Window, ...]:
    return tuple(Window(parse_time_of_day(opens), parse_time_of_day(closes)) for opens, closes in windows)


def _month_and_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)
