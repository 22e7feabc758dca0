"""Moves and cancels of timers a second, and what an event costs while more and more clocks are open."""

from __future__ import annotations

import argparse
import asyncio
from uuid import UUID

from bench.figures import Figure
from bench.lives import Life, in_turns
from bench.positions import Position, is_drained, open_positions
from bench.preload import write_all
from bench.processes import cpu_per, cpu_use, memory_figures, wait_until_quiet
from bench.rig import Measured, postgres_version, say
from bench.seeding import copy_request, copy_request_as, settle_tables
from bench.timer_rig import PARTITIONS, Templates, make_templates, timer_system
from punctual.local.system import LocalSystem
from shared.clock import real_now
from shared.ids import new_id

SUMMARY = "timers moved and cancelled a second, and memory, with more and more clocks open"

_CLOCKS_PER_REQUEST = 2
_MOVES_PER_REQUEST = 5  # a pause, a resumption, another budget of the resolution, and the closing ends two clocks
_EVENTS_PER_REQUEST = 4
_LIMIT_SECONDS = 900.0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=10_000, help="requests whose timers move (%(default)s)")
    parser.add_argument(
        "--open", type=int, nargs="+", default=[10_000, 100_000], help="open clocks, one run each (%(default)s)"
    )


def run(options: argparse.Namespace) -> Measured:
    figures: list[Figure] = []
    with timer_system() as system:
        templates = asyncio.run(make_templates(system))
        handled, copied = 2, 0
        for wanted in options.open:
            handled, copied = _round(system, templates, options.requests, wanted, handled, copied, figures)
        return Measured(figures, postgres_version(system))


def _round(
    system: LocalSystem,
    templates: Templates,
    requests: int,
    wanted: int,
    handled: int,
    copied: int,
    figures: list[Figure],
) -> tuple[int, int]:
    """Fill up to ``wanted`` open clocks, then move timers of new requests among them."""
    service = system.process("sla_timer")
    service.stop()
    more = max(0, wanted // _CLOCKS_PER_REQUEST - copied - requests)
    say(f"filling up to {wanted:,} open clocks")
    asyncio.run(copy_request(system, templates.pending, more, PARTITIONS))
    lives = [Life(number, new_id(), sequence=1) for number in range(requests)]
    ids: list[UUID] = [life.request_id for life in lives]
    asyncio.run(copy_request_as(system, templates.pending, ids, PARTITIONS))
    asyncio.run(settle_tables(system))
    events = requests * _EVENTS_PER_REQUEST
    asyncio.run(write_all(system.kafka_bootstrap, in_turns(lives, real_now())))
    wait_until_quiet(system)
    service.start()
    with cpu_use(system) as use:
        seen = asyncio.run(_drain(system, handled + events))
    began_at = next(position for position in seen if position.handled > handled).read_at
    seconds = (seen[-1].read_at - began_at).total_seconds()
    name = f"{wanted:,} open clocks"
    figures += [
        Figure(f"{name}: events", events / seconds, "/s"),
        Figure(f"{name}: timers moved or cancelled", requests * _MOVES_PER_REQUEST / seconds, "/s"),
        *(Figure(f"{name}: {f.name}", f.value, f.unit) for f in cpu_per("event", events, [use])),
        *(Figure(f"{name}: {f.name}", f.value, f.unit) for f in memory_figures(system) if "sla_timer" in f.name),
    ]
    return handled + events, copied + more


async def _drain(system: LocalSystem, count: int) -> list[Position]:
    async with open_positions(system) as positions:
        return await positions.wait_until(is_drained(count), _LIMIT_SECONDS)
