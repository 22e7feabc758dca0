"""After a kill: how soon overdue timers fire, in the same process started again, and in another one."""

from __future__ import annotations

import argparse
import asyncio
import time
from datetime import timedelta

from bench.figures import Figure
from bench.processes import wait_until_quiet
from bench.rig import Measured, postgres_version, say
from bench.seeding import Spread, copy_request, settle_tables
from bench.timer_rig import (
    PARTITIONS,
    Templates,
    doubled,
    fired_since,
    make_templates,
    owners_of_partitions,
    timer_system,
    transactions_out_of_order,
    wait_for_fired,
)
from punctual.local.system import LocalSystem
from shared.clock import real_now

SUMMARY = "kill -9: time to the first overdue timer, to all of them, and to a takeover by another process"

_DEAD_SECONDS = 3.0  # between the kill and the start
_LIMIT_SECONDS = 300.0
_STEADY_RATE = 100.0
_STEADY_SECONDS = 40.0
_SHARED_SECONDS = 10.0  # both fire before one is killed
_SETTLE_SECONDS = 25.0  # for two processes to start and to share the partitions


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pending", type=int, default=100_000, help="requests with timers far off (%(default)s)")
    parser.add_argument("--due", type=int, default=1000, help="timers that come due while it is dead (%(default)s)")
    parser.add_argument("--overdue", type=int, default=100_000, help="timers of a long outage (%(default)s)")


def run(options: argparse.Namespace) -> Measured:
    with timer_system() as system:
        templates = asyncio.run(make_templates(system))
        system.process("sla_timer").stop()
        say(f"copying {options.pending:,} pending requests")
        asyncio.run(copy_request(system, templates.pending, options.pending, PARTITIONS))
        asyncio.run(settle_tables(system))
        figures = [
            Figure("pending", options.pending),
            *_after_kill(system, templates, options.due, "due"),
            *_after_kill(system, templates, options.overdue, "overdue"),
            *_takeover(system, templates),
        ]
        return Measured(figures, postgres_version(system))


def _after_kill(system: LocalSystem, templates: Templates, count: int, name: str) -> list[Figure]:
    """Timers come due while the process is dead; the time runs from its start."""
    _start_and_kill(system)
    began_at = real_now()
    say(f"killed; {count:,} timers come due meanwhile")
    shift = (began_at - templates.fired_due_at).total_seconds()
    spread = Spread(first_seconds=shift, step_seconds=_DEAD_SECONDS / count)
    asyncio.run(copy_request(system, templates.fired, count, PARTITIONS, spread))
    asyncio.run(settle_tables(system))
    time.sleep(max(0.0, _DEAD_SECONDS - (real_now() - began_at).total_seconds()))
    started_at = real_now()
    system.process("sla_timer").start()
    first_at, last_at = asyncio.run(wait_for_fired(system, started_at, count, _LIMIT_SECONDS))
    fired = asyncio.run(fired_since(system, started_at))
    return [
        Figure(f"{name}: timers", count),
        Figure(f"{name}: process start to the first committed", (first_at - started_at).total_seconds(), "s"),
        Figure(f"{name}: process start to the last committed", (last_at - started_at).total_seconds(), "s"),
        Figure(f"{name}: fired", len(fired)),
        Figure(f"{name}: fired twice", asyncio.run(doubled(system))),
        Figure(f"{name}: transactions out of order", transactions_out_of_order(fired)),
    ]


def _start_and_kill(system: LocalSystem) -> None:
    service = system.process("sla_timer")
    service.start()
    service.wait_until_ready(60)
    wait_until_quiet(system)
    service.kill()


def _takeover(system: LocalSystem, templates: Templates) -> list[Figure]:
    """Two processes share the partitions, timers come due all the time, one is killed."""
    first = system.process("sla_timer")
    first.stop()
    count = int(_STEADY_RATE * _STEADY_SECONDS)
    begins_at = real_now() + timedelta(seconds=_SETTLE_SECONDS)
    spread = Spread((begins_at - templates.fired_due_at).total_seconds(), 1 / _STEADY_RATE)
    asyncio.run(copy_request(system, templates.fired, count, PARTITIONS, spread))
    first.start()
    first.wait_until_ready(60)
    system.add_process("sla_timer", "second")
    time.sleep(max(0.0, (begins_at - real_now()).total_seconds() + _SHARED_SECONDS))
    owners = asyncio.run(owners_of_partitions(system))
    first.kill()
    killed_at = real_now()
    time.sleep(_STEADY_SECONDS - _SHARED_SECONDS + _SETTLE_SECONDS)
    orphaned = {partition for partition, owner in owners.items() if owner.endswith("-" + _port(system))}
    fired = asyncio.run(fired_since(system, begins_at))
    taken = [entry.recorded_at for entry in fired if entry.partition in orphaned and entry.recorded_at > killed_at]
    return [
        Figure("takeover: partitions of the killed process", len(orphaned)),
        Figure("takeover: kill to the first of its timers", (min(taken) - killed_at).total_seconds(), "s"),
        Figure("takeover: timers due", count),
        Figure("takeover: fired", len(fired)),
        Figure("takeover: fired twice", asyncio.run(doubled(system))),
    ]


def _port(system: LocalSystem) -> str:
    return system.addresses["sla_timer"].rpartition(":")[2]
