"""The system that the kill campaign runs on: sla_timer alone with the promises of the campaign, on a fast clock."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from punctual.local.child import Child
from punctual.local.system import LocalSystem
from shared.clock import ScaledClock
from tests.acceptance.evidence import rows_of
from tests.campaign.kills_promises import write_calendars, write_policies

SERVICE, SECOND = "sla_timer", "sla_timer-2"
SPEED = 180.0
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

Report = Callable[[str], None]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def running_system(home: Path, report: Report) -> Iterator[LocalSystem]:
    """sla_timer alone with the promises of the campaign."""
    rules = home.parent / f"{home.name}-rules"
    rules.mkdir()
    (rules / "policies.yml").write_text(write_policies())
    (rules / "calendars.yml").write_text(write_calendars())
    system = LocalSystem(
        home,
        ports="auto",
        clock_speed=SPEED,
        clock_start=START,
        partitions=4,
        services=(SERVICE,),
        extra_env={
            "PUNCTUAL_SLA_TIMER_POLICIES_FILE": str(rules / "policies.yml"),
            "PUNCTUAL_SLA_TIMER_CALENDARS_FILE": str(rules / "calendars.yml"),
        },
        report=report,
    )
    system.start()
    try:
        yield system
    finally:
        system.stop()


def clock_of(child: Child) -> ScaledClock:
    """The business clock that a process has."""
    env = child.program.env
    start, anchor = (datetime.fromisoformat(env[f"PUNCTUAL_CLOCK_{name}"]) for name in ("START", "ANCHOR"))
    return ScaledClock(start, anchor, float(env["PUNCTUAL_CLOCK_SPEED"]))


def restart_with_clock(child: Child, ahead: timedelta) -> None:
    """Kill a process and start it with a business clock that is moved from the one it had."""
    clock = child.program.env["PUNCTUAL_CLOCK_START"]
    moved = (datetime.fromisoformat(clock) + ahead).isoformat()
    child.kill()
    child.program = replace(child.program, env={**child.program.env, "PUNCTUAL_CLOCK_START": moved})
    child.start()


def unsettled(system: LocalSystem, records: int) -> dict[str, int]:
    """What is still to be worked off, by name.

    Args:
        records: on the topic of requests.
    """
    queries = {
        "outbox": "SELECT count(*) AS n FROM sla_timer.outbox",
        "timers": "SELECT count(*) AS n FROM sla_timer.clock WHERE next_at IS NOT NULL",
        "events": f"SELECT {records} - coalesce(sum(next_offset), 0)::bigint AS n FROM sla_timer.inbox_position"
        " WHERE topic = 'punctual.requests'",
    }
    counts = {name: rows_of(system, query)[0]["n"] for name, query in queries.items()}
    return {name: number for name, number in counts.items() if number}


def troubles_in_log(system: LocalSystem, name: str) -> list[str]:
    """A process that ended with an error, and events that were missing."""
    file = system.folders.log(name)
    if not file.exists():
        return []
    words = ("the service ends", "events are missing", "event rejected")
    return [
        line[:2000] for line in file.read_text(errors="replace").splitlines() if any(word in line for word in words)
    ]
