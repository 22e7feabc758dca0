"""Streams for the tests: generated ones, and the submissions in the logs of others where they are there."""

from __future__ import annotations

import csv
import gzip
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from math import exp
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from services.intake.domain.anomalies.alarms import News, Watch, judge
from services.intake.domain.anomalies.limits import StreamLimits
from services.intake.domain.anomalies.streams import Stream, hour_of, start_of

DATA = Path(os.environ.get("PUNCTUAL_EVENT_LOGS", Path(__file__).resolve().parents[5] / "shared" / "data"))
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
MONDAY = datetime(2026, 3, 1, 16, tzinfo=UTC)  # midnight in Hong Kong

Counts = dict[int, int]


def generated(seed: int, weeks: int, per_day: float, *, lumps: float = 0.15) -> Counts:
    """Requests by hour: much by day, little at night, half at weekends; each day has its own level beside chance.

    Args:
        lumps: the standard deviation of a day's level, relative; traffic is never as even as chance alone.
    """
    random = Random(seed)
    counts: Counts = {}
    for day in range(weeks * 7):
        level = random.lognormvariate(0, lumps) * (0.5 if day % 7 >= 5 else 1.0)
        for hour in range(24):
            mean = per_day / 9.4 * level * exp(-(((hour - 13.5) / 5.5) ** 2))
            counts[hour_of(MONDAY) + day * 24 + hour] = poisson(random, mean)
    return counts


def poisson(random: Random, mean: float) -> int:
    arrivals, at = 0, random.expovariate(1)
    while at < mean:
        arrivals += 1
        at += random.expovariate(1)
    return arrivals


def stream_of(accepted: Counts, refused: Mapping[int, int] | None = None) -> Stream:
    """A stream that was watched from its first hour to its last."""
    refused = refused or {}
    stream = Stream.counted(
        (start_of(hour) for hour, count in accepted.items() for _ in range(count)),
        (start_of(hour) for hour, count in refused.items() for _ in range(count)),
    )
    return stream.watched_over(start_of(min(accepted)), start_of(max(accepted) + 1))


def play(
    stream: Stream,
    limits: StreamLimits,
    zone: ZoneInfo = HONG_KONG,
    *,
    since: int | None = None,
    others: Sequence[Stream] = (),
    holidays: Collection[date] = (),
) -> list[News]:
    """Everything told about a stream that is judged hour by hour, from an hour on."""
    watch = Watch()
    told: list[News] = []
    for hour in range(since or min(stream.hours), max(stream.hours) + 1):
        now = start_of(hour + 1) + timedelta(minutes=1)
        watch, news = judge(stream, watch, now, zone, limits, others=others, holidays=holidays)
        told += news
    return told


def begun(news: list[News]) -> list[News]:
    return [one for one in news if one.ended_at is None]


# Logs of others


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _first_of_case(name: str, case: str, at: str, zone: ZoneInfo | None = None) -> list[datetime]:
    first: dict[str, datetime] = {}
    for row in _rows(name):
        instant = datetime.fromisoformat(row[at])
        instant = instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)
        first[row[case]] = min(instant, first.get(row[case], instant))
    return sorted(first.values())


def _loans(name: str) -> list[datetime]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        found = (re.search(r'key="REG_DATE" value="([^"]+)"', line) for line in file if "REG_DATE" in line)
        return sorted(datetime.fromisoformat(match[1]) for match in found if match is not None)


_AMSTERDAM, _ROME, _BOSTON = ZoneInfo("Europe/Amsterdam"), ZoneInfo("Europe/Rome"), ZoneInfo("America/New_York")
_LOGS: dict[str, tuple[str, ZoneInfo, Callable[[str], list[datetime]]]] = {
    "loans": ("bpic2012_loans_nl/bpic2012.xes.gz", _AMSTERDAM, _loans),
    "permits": (
        "wabo_receipt_permits_nl/receipt.csv.gz",
        _AMSTERDAM,
        lambda name: _first_of_case(name, "case:concept:name", "time:timestamp"),
    ),
    "help desk": (
        "helpdesk_it/helpdesk.csv.gz",
        _ROME,
        lambda name: _first_of_case(name, "case:concept:name", "time:timestamp"),
    ),
    "incidents": (
        "bpic2014_rabobank_incidents_sample/BPIC14_incident_case_attributes.csv.gz",
        _AMSTERDAM,
        lambda name: _first_of_case(name, "incident_id", "open_time", _AMSTERDAM),
    ),
    "city services": (
        "boston311_sample_2015_2024/boston311_sample.csv.gz",
        _BOSTON,
        lambda name: _first_of_case(name, "CASE_ENQUIRY_ID", "OPEN_DT", _BOSTON),
    ),
}


def logs(days: int) -> dict[str, tuple[ZoneInfo, list[datetime]]]:
    """The instants of submission of the last days in each log that is there."""
    found: dict[str, tuple[ZoneInfo, list[datetime]]] = {}
    for name, (file, zone, read) in _LOGS.items():
        if (DATA / file).is_file():
            instants = read(file)
            since = instants[-1] - timedelta(days=days)
            found[name] = zone, [at for at in instants if at >= since]
    return found
