"""How late timers fire: many at a steady rate, while many others are pending."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import uvloop

from bench.clock_reader import Heard, listening
from bench.figures import Figure, milliseconds
from bench.processes import CpuUse, cpu_per, cpu_use, memory_figures, wait_until_quiet
from bench.quantiles import quantile
from bench.rig import Measured, postgres_version, say
from bench.seeding import Spread, copy_request, settle_tables
from bench.timer_rig import PARTITIONS, Fired, doubled, fired_since, make_templates, timer_system
from punctual.local.system import LocalSystem
from shared.clock import real_now

SUMMARY = "timer lateness p50 and p99 at a steady rate of firing, with others pending"

_START_SECONDS = 20.0  # from loading the tables to a service that has rested


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=float, default=1000.0, help="timers fired per second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for so long (%(default)s)")
    parser.add_argument("--pending", type=int, default=100_000, help="others, with timers far off (%(default)s)")


def run(options: argparse.Namespace) -> Measured:
    count = int(options.rate * options.seconds)
    with timer_system() as system:
        templates = asyncio.run(make_templates(system))
        system.process("sla_timer").stop()
        say(f"copying {options.pending:,} requests whose timers stay pending, {count:,} whose timers fire")
        asyncio.run(copy_request(system, templates.pending, options.pending, PARTITIONS))
        asyncio.run(settle_tables(system))
        first_at = real_now() + timedelta(seconds=_START_SECONDS + count / 5000)
        shift = (first_at - templates.fired_due_at).total_seconds()
        spread = Spread(first_seconds=shift, step_seconds=1 / options.rate)
        asyncio.run(copy_request(system, templates.fired, count, PARTITIONS, spread))
        system.process("sla_timer").start()
        system.process("sla_timer").wait_until_ready(60)
        wait_until_quiet(system)
        if real_now() > first_at:
            raise TimeoutError("copying took longer than the first timer waited; ask for fewer")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            heard, use, pending_memory = runner.run(_listen(system, first_at, options.seconds))
        fired = asyncio.run(fired_since(system, first_at))
        twice = asyncio.run(doubled(system))
        return Measured(
            [
                *_figures(count, options.pending, fired, twice, heard),
                *pending_memory,
                *cpu_per("timer", count, [use]),
                *use.figures(),
            ],
            postgres_version(system),
        )


async def _listen(system: LocalSystem, first_at: datetime, seconds: float) -> tuple[list[Heard], CpuUse, list[Figure]]:
    async with listening(system.kafka_bootstrap) as reader:
        await reader.wait_until_silent()
        await asyncio.sleep(max(0.0, (first_at - real_now()).total_seconds()))
        with cpu_use(system) as use:
            await asyncio.sleep(seconds)
        await reader.wait_until_silent()
        memory = memory_figures(system)
    return [event for event in reader.heard if event.happened == "breached"], use, memory


def _figures(count: int, pending: int, fired: Sequence[Fired], twice: int, heard: Sequence[Heard]) -> list[Figure]:
    seconds = [entry.lateness_seconds for entry in fired]
    delays = [event.delay_seconds for event in heard]
    return [
        Figure("timers due", count),
        Figure("other requests with pending timers", pending),
        Figure("fired", len(fired)),
        Figure("fired twice", twice),
        Figure("fired early", sum(late < 0 for late in seconds)),
        milliseconds("lateness, p50", quantile(seconds, 0.5)),
        milliseconds("lateness, p99", quantile(seconds, 0.99)),
        milliseconds("lateness, longest", quantile(seconds, 1.0)),
        milliseconds("due to heard on Kafka, p50", quantile(delays, 0.5)),
        milliseconds("due to heard on Kafka, p99", quantile(delays, 0.99)),
    ]
