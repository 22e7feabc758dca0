"""Replays one log through the API of a real intake, and reads afterwards what intake, its tables and Kafka hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from punctual.local.system import LocalSystem
from punctual.replay.mapping import load_map
from punctual.replay.options import Options
from punctual.replay.planning import plan_cases
from punctual.replay.playing import Player
from punctual.replay.report import Outcome
from punctual.replay.run import read_events
from punctual.replay.target import Target
from shared.contracts.topics import REQUESTS
from tests.acceptance.evidence import log_of, rows_of
from tests.acceptance.waiting import wait_until

AFTER_ALL = datetime(2027, 1, 4, 1, 0, tzinfo=UTC)  # every log lies before it, also the one that its map moves to 2026

_ENTRIES = """
SELECT type, CASE type WHEN 'stage_entered' THEN data->>'stage' WHEN 'closed' THEN data->>'outcome'
    WHEN 'paused' THEN data->>'reason' WHEN 'resumed' THEN data->>'reason' END AS what, count(*) AS n
FROM intake.request_event JOIN intake.request USING (request_id)
WHERE reference = ANY($1) AND cause IS NULL GROUP BY 1, 2
"""
_REQUESTS = (
    "SELECT request_id, kind, channel, outcome, version, external_id FROM intake.request WHERE reference = ANY($1)"
)
_VERBS = {
    "submitted": "submit",
    "stage_entered": "stage",
    "responded": "respond",
    "paused": "pause",
    "resumed": "resume",
    "closed": "close",
}


@contextmanager
def running_intake(home: Path) -> Iterator[LocalSystem]:
    """Intake alone, its clock after the end of every log."""
    system = LocalSystem(
        home,
        ports="auto",
        clock_start=AFTER_ALL,
        partitions=4,
        services=("intake",),
        foundations=("postgres", "kafka"),
        report=lambda _: None,
    )
    system.start()
    try:
        yield system
    finally:
        system.stop()


def replayed(system: LocalSystem, log: Path, map_name: str, *, name: str | None = None, only_key: str = "") -> Outcome:
    """The log in full, every call as soon as it can be sent.

    Args:
        only_key: the key of a single channel, as `punctual replay --url` has it: its last event then happens now.
            Without it each channel has its own key, and every event has its own instant.
    """
    options = Options(
        log=log,
        map=Path(map_name),
        name=name or log.name,
        is_at_once=True,
        concurrency=32,
        settle_for=timedelta(0),  # no clocks run here; every request is looked up once all the same
    )
    log_map = load_map(options.map)
    events = read_events(options, log_map)
    plan = plan_cases(events.events, log_map, log_name=options.name)
    first_at = min(case.begins_at for case in plan.cases)
    keys = None if only_key else system.keys
    target = Target(system.addresses["intake"], keys=keys, only_key=only_key)
    player = Player(options, events, plan, first_at, Console(stderr=True, quiet=True))
    return asyncio.run(player.run(target, None if only_key else log_map.begins_at or first_at))


@dataclass
class Stored:
    """What is found of the requests of a replay.

    Attributes:
        cases: what the log calls them.
        calls: entries that callers caused, in the words of the calls.
        dismissed: findings dismissed.
        entries: of their histories, consequences and findings included.
        events: on the topic of requests, each id once.
        verified, verified_entries, unproved: what `punctual requests verify` has of all requests.
    """

    cases: Counter[str]
    kinds: Counter[str]
    channels: Counter[str]
    outcomes: Counter[str]
    calls: Counter[str]
    dismissed: int
    entries: int
    events: int
    verified: int
    verified_entries: int
    unproved: list[str]


def look_at(system: LocalSystem, outcome: Outcome) -> Stored:
    """Postgres, Kafka and the API of verification; waits until the outbox is published."""
    wait_until(lambda: not rows_of(system, "SELECT 1 FROM intake.outbox LIMIT 1"), 120, "the outbox to be published")
    references = [reference for reference, _ in outcome.tally.references.values()]
    requests = rows_of(system, _REQUESTS, references)
    known = {row["request_id"] for row in requests}
    entries = rows_of(system, _ENTRIES, references)
    calls = Counter({_call(row): row["n"] for row in entries if row["type"] in _VERBS})
    verified = _verify(system)
    return Stored(
        cases=Counter(row["external_id"] for row in requests),
        kinds=Counter(row["kind"] for row in requests),
        channels=Counter(row["channel"] for row in requests),
        outcomes=Counter(row["outcome"] for row in requests if row["outcome"] is not None),
        calls=calls,
        dismissed=sum(row["n"] for row in entries if row["type"] == "finding_dismissed"),
        entries=sum(row["version"] for row in requests),
        events=sum(event.subject in known for event in log_of(system, REQUESTS)),
        verified=verified["requests"],
        verified_entries=verified["entries"],
        unproved=verified["problems"],
    )


def _call(row: dict[str, Any]) -> str:
    return f"{_VERBS[row['type']]} {row['what'] or ''}".strip()


def _verify(system: LocalSystem) -> dict[str, Any]:
    """What `punctual requests verify` asks for."""
    found: dict[str, Any] = {"requests": 0, "entries": 0, "problems": []}
    after: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {system.keys['staff']}"}
    with httpx.Client(base_url=system.addresses["intake"], headers=headers, timeout=60) as http:
        while True:
            answer = http.get("/v1/verification", params={"limit": "500", **after})
            page = answer.raise_for_status().json()
            found["requests"] += page["requests"]
            found["entries"] += page["entries"]
            found["problems"] += [verdict["reference"] for verdict in page["problems"]]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}
