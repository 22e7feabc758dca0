"""Reads the sections ``duplicates``, ``plausibility`` and ``streams``. Every error names file, line and field."""

from __future__ import annotations

import re
from datetime import date, timedelta
from math import inf

from services.intake.domain.anomalies.limits import (
    DuplicateLimits,
    PlausibilityLimits,
    StreamLimits,
    Trait,
    Weight,
)
from services.intake.domain.validation.values import read_date
from shared.rules.document import Field
from shared.rules.words import read_word

_DAYS = re.compile(r"([1-9][0-9]{0,3})d")
_MOST = 1_000_000.0  # beyond every number that means something here

_DUPLICATES = frozenset({"within", "shortest_text", "likely", "possible", "least_evidence", "weights"})
_PLAUSIBILITY = frozenset({"group_by", "attributes", "least_observations", "deviations", "least_spread"})
_STREAMS = frozenset({"weeks", "least_weeks", "surge", "drop", "silence", "refusals", "calm_hours"})


def read_duplicate_limits(field: Field) -> DuplicateLimits:
    """Raises:
    InvalidDocument: a field is missing or wrong.
    """
    members = field.members(_DUPLICATES)
    weights: dict[Trait, Weight] = {}
    for name, entry in members["weights"].members(frozenset(Trait)).items():
        pair = entry.members(frozenset({"same", "differs"}))
        weights[Trait(name)] = Weight(_number(pair["same"], above=0), _number(pair["differs"], above=0))
    likely, possible = (_number(members[name], above=0, most=1) for name in ("likely", "possible"))
    if possible > likely:
        raise members["possible"].fail("must not be above `likely`")
    return DuplicateLimits(
        within=timedelta(days=members["within"].parse(_read_days)),
        shortest_text=_count(members["shortest_text"]),
        likely=likely,
        possible=possible,
        least_evidence=_number(members["least_evidence"], above=0),
        weights=weights,
    )


def read_plausibility_limits(field: Field) -> PlausibilityLimits:
    """Raises:
    InvalidDocument: a field is missing or wrong.
    """
    members = field.members(_PLAUSIBILITY)
    return PlausibilityLimits(
        group_by=tuple(entry.parse(read_word) for entry in members["group_by"].items_or_self()),
        attributes=frozenset(entry.parse(read_word) for entry in members["attributes"].items_or_self()),
        least_observations=_count(members["least_observations"], least=10),  # a median of fewer says nothing
        deviations=_number(members["deviations"], above=0),
        least_spread=_number(members["least_spread"], above=0),
    )


def read_stream_limits(field: Field) -> StreamLimits:
    """Raises:
    InvalidDocument: a field is missing or wrong.
    """
    members = field.members(_STREAMS, frozenset({"holidays"}))
    surge = members["surge"].members(frozenset({"starts", "ends", "count"}))
    drop = members["drop"].members(frozenset({"starts", "ends", "usual"}))
    silence = members["silence"].members(frozenset({"usual"}))
    refusals = members["refusals"].members(frozenset({"hours", "count", "margin"}))
    for pair in (surge, drop):
        if _number(pair["ends"], above=0) > _number(pair["starts"], above=0):
            raise pair["ends"].fail("must not be above `starts`, or an alarm would end while its cause lasts")
    weeks = _count(members["weeks"], most=52)  # a year and the state of a channel is still below a megabyte
    least_weeks = _count(members["least_weeks"], least=3)  # of fewer than three numbers no median leaves out a wild one
    if least_weeks > weeks:
        raise members["least_weeks"].fail("must not be above `weeks`")
    return StreamLimits(
        weeks=weeks,
        least_weeks=least_weeks,
        surge_starts=_number(surge["starts"], above=0),
        surge_ends=_number(surge["ends"], above=0),
        surge_count=_count(surge["count"]),
        drop_starts=_number(drop["starts"], above=0),
        drop_ends=_number(drop["ends"], above=0),
        drop_usual=_number(drop["usual"], above=0),
        silence_usual=_number(silence["usual"], above=0),
        refusal_hours=_count(refusals["hours"], most=24),
        refusal_count=_count(refusals["count"]),
        refusal_margin=_number(refusals["margin"], above=0, most=1),
        calm_hours=_count(members["calm_hours"], most=168),
        holidays=frozenset(members["holidays"].distinct(_read_day)) if "holidays" in members else frozenset(),
    )


def _number(field: Field, *, above: float, most: float = _MOST) -> float:
    number = field.parse(_read_number)
    if not above < number <= most:
        raise field.fail(f"must lie above {above:g} and be at most {most:g}")
    return number


def _count(field: Field, *, least: int = 1, most: int = int(_MOST)) -> int:
    number = field.parse(_read_number)
    if number != int(number) or not least <= number <= most:
        raise field.fail(f"must be a whole number from {least} to {most}")
    return int(number)


def _read_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not -inf < number < inf:  # nor is NaN
        raise ValueError(f"{text!r} is not a number")
    return number


def _read_day(text: str) -> date:
    day = read_date(text)
    if day is None:
        raise ValueError(f"{text!r} is not a date such as 2026-12-25")
    return day


def _read_days(text: str) -> int:
    days = _DAYS.fullmatch(text)
    if days is None:
        raise ValueError(f"{text!r} is not a number of days such as 14d")
    return int(days[1])
