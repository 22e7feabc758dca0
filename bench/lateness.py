"""How late timers fire: many at a steady rate, while many others are pending."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import uvloop

from bench.clock_reader import Heard, listening
from bench.figures import Figure, milliseconds
from bench.positions import is_drained, open_positions
from bench.preload import FIRED, PENDING, submitted, write_all
from bench.processes import CpuUse, cpu_use, wait_until_quiet
from bench.quantiles import quantile
from bench.rig import POLICIES, Measured, postgres_version, running_system, say
from punctual.local.system import LocalSystem
from shared.clock import real_now
from shared.kafka import OutgoingRecord

SUMMARY = "timer lateness p50 and p99 at a steady rate of firing, with others pending"

_BUDGET = timedelta(hours=1)  # of the policy for `fired` in policies/lateness.yml
_LOAD_LIMIT_SECONDS = 900.0
_SETTLE_SECONDS = 5.0
_SLOWEST_LOAD = 500  # events/s that sla_timer takes at the very least; the first timer is due after all are loaded


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=float, default=200.0, help="timers fired per second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for so long (%(default)s)")
    parser.add_argument("--pending", type=int, default=20_000, help="other requests, with timers far off (%(default)s)")


def run(options: argparse.Namespace) -> Measured:
    policies = {"PUNCTUAL_SLA_TIMER_POLICIES_FILE": str(POLICIES / "lateness.yml")}
    count = int(options.rate * options.seconds)
    with running_system(services=("sla_timer",), environment=policies) as system:
        say(f"loading {options.pending:,} requests whose timers stay pending")
        asyncio.run(_load(system, _pending(options.pending), options.pending))
        wait_until_quiet(system)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            heard, use = runner.run(_fire(system, options, count))
        breaches = [event for event in heard if event.happened == "breached"]
        return Measured([*_figures(count, options.pending, breaches), *use.figures()], postgres_version(system))


async def _fire(system: LocalSystem, options: argparse.Namespace, count: int) -> tuple[list[Heard], CpuUse]:
    """Load what is to fire, and listen while it does."""
    async with listening(system.kafka_bootstrap) as reader:
        await reader.wait_until_silent()
        say(f"loading {count:,} requests whose timers fire at {options.rate:g}/s for {options.seconds:g} s")
        first_at = real_now() + timedelta(seconds=_SETTLE_SECONDS + count / _SLOWEST_LOAD)
        await _load(system, _fired(count, options.rate, first_at), options.pending + count)
        if real_now() > first_at:
            raise TimeoutError("loading took longer than the first timer waited; ask for fewer")
        await asyncio.sleep((first_at - real_now()).total_seconds())
        with cpu_use(system) as use:
            await asyncio.sleep(options.seconds)
        await reader.wait_until_silent()
    return reader.heard, use


async def _load(system: LocalSystem, records: Iterable[OutgoingRecord], count: int) -> None:
    """Return when sla_timer has handled ``count`` events in all."""
    await write_all(system.kafka_bootstrap, records)
    async with open_positions(system) as positions:
        await positions.wait_until(is_drained(count), _LOAD_LIMIT_SECONDS)


def _pending(count: int) -> Iterator[OutgoingRecord]:
    now = real_now()
    return (submitted(number, now, now, PENDING) for number in range(count))


def _fired(count: int, rate: float, first_at: datetime) -> Iterator[OutgoingRecord]:
    now = real_now()
    for number in range(count):
        due_at = first_at + timedelta(seconds=number / rate)
        yield submitted(number, due_at - _BUDGET, now, FIRED)


def _figures(count: int, pending: int, breaches: Sequence[Heard]) -> list[Figure]:
    seconds = [breach.lateness_seconds for breach in breaches]
    heard = [breach.delay_seconds for breach in breaches]
    clocks = {breach.payload.clock_id for breach in breaches}
    return [
        Figure("timers due", count),
        Figure("other requests with pending timers", pending),
        Figure("fired", len(clocks)),
        Figure("fired twice", len(breaches) - len(clocks)),
        Figure("fired early", sum(late < 0 for late in seconds)),
        milliseconds("lateness, p50", quantile(seconds, 0.5)),
        milliseconds("lateness, p99", quantile(seconds, 0.99)),
        milliseconds("lateness, longest", quantile(seconds, 1.0)),
        milliseconds("due to heard on Kafka, p50", quantile(heard, 0.5)),
        milliseconds("due to heard on Kafka, p99", quantile(heard, 0.99)),
    ]
