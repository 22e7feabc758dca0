"""Events a second through sla_timer: Kafka in, committed in Postgres, clock events out on Kafka."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import datetime

from bench.clock_reader import hear_all
from bench.figures import Figure
from bench.lives import EVENTS_OF_A_LIFE, interleaved
from bench.positions import Position, is_drained, middle_rate, open_positions
from bench.preload import write_all
from bench.processes import CpuUse, cpu_per, cpu_use, memory_figures, wait_until_quiet
from bench.rig import POLICIES, Measured, postgres_version, running_system, say
from punctual.local.child import Child
from punctual.local.system import LocalSystem
from shared.clock import real_now

SUMMARY = "request events/s through sla_timer: Kafka in -> committed in Postgres -> clock events on Kafka"

_WARM_UP_REQUESTS = 200
_LIMIT_SECONDS = 900.0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=20_000, help="whole lives of six events each (%(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="of sla_timer, on the same machine (%(default)s)")
    parser.add_argument("--at-once", type=int, default=2000, help="requests under way at a time (%(default)s)")


def run(options: argparse.Namespace) -> Measured:
    warm_up, events = _WARM_UP_REQUESTS * EVENTS_OF_A_LIFE, options.requests * EVENTS_OF_A_LIFE
    policies = {"PUNCTUAL_SLA_TIMER_POLICIES_FILE": str(POLICIES / "fold.yml")}
    with running_system(services=("sla_timer",), environment=policies) as system:
        processes = [system.process("sla_timer")]
        processes += [system.add_process("sla_timer", f"process{n}") for n in range(2, options.processes + 1)]
        asyncio.run(_load(system, _WARM_UP_REQUESTS, options.at_once))
        asyncio.run(_drain(system, warm_up))
        for process in processes:
            process.stop()
        say(f"preloading {events:,} events of {options.requests:,} requests")
        asyncio.run(_load(system, options.requests, options.at_once))
        wait_until_quiet(system)
        say("starting sla_timer on them")
        started_at = real_now()
        for process in processes:
            process.start()
        seen, use = asyncio.run(_drain(system, warm_up + events, processes[1:]))
        say("reading the clocks topic")
        clock_events = len(asyncio.run(hear_all(system.kafka_bootstrap)))
        figures = [
            *_figures(events, started_at, seen),
            Figure("clock events per request", clock_events / (_WARM_UP_REQUESTS + options.requests)),
            *memory_figures(system),
            *cpu_per("event", events, [use]),
            *use.figures(),
        ]
        return Measured(figures, postgres_version(system))


async def _load(system: LocalSystem, count: int, at_once: int) -> None:
    await write_all(system.kafka_bootstrap, interleaved(count, real_now(), at_once))


async def _drain(system: LocalSystem, count: int, further: Sequence[Child] = ()) -> tuple[list[Position], CpuUse]:
    pids = {f"sla_timer, process {n}": child.pid for n, child in enumerate(further, start=2) if child.pid is not None}
    with cpu_use(system, pids) as use:
        async with open_positions(system) as positions:
            seen = await positions.wait_until(is_drained(count), _LIMIT_SECONDS)
    return seen, use


def _figures(count: int, started_at: datetime, seen: list[Position]) -> list[Figure]:
    last = seen[-1]
    taken_at = next(p.taken_at for p in seen if p.taken_at is not None and p.taken_at >= started_at)
    total = last.handled
    committed = next(position for position in seen if position.handled >= total)
    to_commit = (committed.read_at - taken_at).total_seconds()
    to_kafka = (last.read_at - taken_at).total_seconds()
    fresh = [Position(p.read_at, p.handled - (total - count), p.taken_at, p.has_unpublished) for p in seen]
    return [
        Figure("events", count),
        Figure("partitions taken to all clock events on Kafka", to_kafka, "s"),
        Figure("events through sla_timer", count / to_kafka, "/s"),
        Figure("events committed in Postgres", count / to_commit, "/s"),
        Figure("events committed, without first and last tenth", middle_rate(fresh, count), "/s"),
        Figure("process started to partitions taken", (taken_at - started_at).total_seconds(), "s"),
    ]
