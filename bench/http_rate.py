"""Accepted requests a second over HTTP, singly and in batches, against a bare FastAPI echo of the same bodies."""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bench.batch_rate import BatchTarget
from bench.figures import Figure, milliseconds
from bench.load.closed_loop import Outcome
from bench.load.requests import PreparedRequests
from bench.processes import CpuUse, cpu_per, cpu_use, memory_figures, wait_until_quiet
from bench.published import all_published_at
from bench.quantiles import median
from bench.rig import Measured, postgres_version, running_system, say
from punctual.local.ports import HOST, any_free
from punctual.local.program import http_ready
from punctual.local.settings import CHECKOUT
from punctual.local.system import SERVICES, LocalSystem
from shared.clock import monotonic
from shared.ids import new_id

SUMMARY = "accepted requests/s over HTTP, singly and in batches, and a bare FastAPI echo, in turns; ratio of medians"

_WARM_UP_SECONDS = 2.0
_START_SECONDS = 15.0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--connections", type=int, default=64, help="keep-alive connections (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (%(default)s)")
    parser.add_argument("--lines", type=int, default=20_000, help="lines of a round of batches (%(default)s)")
    parser.add_argument(
        "--batches", type=int, nargs="*", default=[1, 4], help="connections with a batch each, one run each (1 4)"
    )
    parser.add_argument("--processes", type=int, default=1, help="of intake, on the same machine (%(default)s)")
    parser.add_argument("--whole", action="store_true", help="run the other services too; they compete for the cores")


def run(options: argparse.Namespace) -> Measured:
    services = SERVICES if options.whole else ("intake",)
    with running_system(services=services) as system, _echo() as (echo_url, echo_pid):
        key = system.keys["app"]
        extra = {"echo": echo_pid}
        for number in range(2, options.processes + 1):
            pid = system.add_process("intake", f"intake-{number}").pid
            assert pid is not None
            extra[f"intake, process {number}"] = pid
        addresses = [url for name, url in system.addresses.items() if name.startswith("intake")]
        echo = Target([echo_url], key, options.connections)
        intake = Target(addresses, key, options.connections)
        batches = [BatchTarget(system, addresses, connections) for connections in options.batches]
        for target in (echo, intake):
            target.drive(_WARM_UP_SECONDS)
        memory_before = _memory(system)
        uses: list[CpuUse] = []
        echo_uses: list[CpuUse] = []
        batch_uses: list[CpuUse] = []
        for number in range(1, options.rounds + 1):
            wait_until_quiet(system)
            with cpu_use(system, extra) as use:
                echoed = echo.round(options.seconds)
            echo_uses.append(use)
            with cpu_use(system, extra) as use:
                taken = intake.round(options.seconds)
                intake.wait_until_published(system)
            uses.append(use)
            say(f"round {number}: echo {echoed.per_second:,.0f}/s, intake {taken.per_second:,.0f}/s, {taken.statuses}")
            for batch in batches:
                wait_until_quiet(system)
                with cpu_use(system, extra) as use:
                    outcome = batch.round(options.lines)
                batch_uses.append(use)
                say(f"round {number}: batch {outcome.accepted / outcome.seconds:,.0f}/s, {outcome.answers}")
        figures = _figures(echo, intake, uses, echo_uses)
        if batches:
            lines = sum(outcome.accepted for batch in batches for outcome in batch.outcomes)
            figures += [figure for batch in batches for figure in batch.figures()]
            figures += cpu_per("line of a batch", lines, batch_uses, with_client=True)
            figures += [replace(figure, name=f"{figure.name} before the batches") for figure in memory_before]
            figures += [replace(figure, name=f"{figure.name} after {lines:,} lines") for figure in _memory(system)]
        return Measured(figures, postgres_version(system))


class Target:
    """A server under load.

    Args:
        addresses: of its processes; they share the connections.

    Attributes:
        outcomes: of its rounds.
        published: requests a second until all of a round were on Kafka.
    """

    def __init__(self, addresses: Sequence[str], key: str, connections: int) -> None:
        self._urls = " ".join(f"{address}/v1/requests" for address in addresses)
        self._key = key
        self._connections = connections
        self._run = str(new_id())
        self._next = 0
        self.outcomes: list[Outcome] = []
        self.published: list[float] = []

    def drive(self, seconds: float) -> Outcome:
        """Load it for so long, from a process of its own."""
        where = [self._urls, self._key, self._run]
        numbers = [str(self._connections), str(seconds), str(self._next)]
        done = subprocess.run(
            [sys.executable, "-m", "bench.load.closed_loop", *where, *numbers],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            check=True,
        )
        outcome = Outcome(**json.loads(done.stdout))
        self._next += outcome.sent
        return outcome

    def round(self, seconds: float) -> Outcome:
        """A round that counts."""
        self.outcomes.append(self.drive(seconds))
        return self.outcomes[-1]

    def wait_until_published(self, system: LocalSystem) -> None:
        """After a round: the time counts on from its last answer."""
        began = monotonic()
        asyncio.run(all_published_at(system))
        outcome = self.outcomes[-1]
        self.published.append(outcome.accepted / (outcome.seconds + monotonic() - began))

    def figures(self, name: str) -> list[Figure]:
        rates = self.published
        published = [Figure(f"{name}: published, median of rounds", median(rates), "/s")] if rates else []
        return [
            Figure(f"{name}: accepted, median of rounds", self.rate, "/s"),
            Figure(f"{name}: accepted, lowest round", min(o.per_second for o in self.outcomes), "/s"),
            Figure(f"{name}: accepted, highest round", max(o.per_second for o in self.outcomes), "/s"),
            Figure(f"{name}: not accepted", sum(sum(o.statuses.values()) - o.accepted for o in self.outcomes)),
            milliseconds(f"{name}: p50, median of rounds", median([o.p50_seconds for o in self.outcomes])),
            milliseconds(f"{name}: p99, median of rounds", median([o.p99_seconds for o in self.outcomes])),
            Figure(f"{name}: bytes of an answer", self.outcomes[-1].answer_bytes),
            *published,
        ]

    @property
    def rate(self) -> float:
        return median([outcome.per_second for outcome in self.outcomes])


def _memory(system: LocalSystem) -> list[Figure]:
    return [figure for figure in memory_figures(system) if figure.name == "memory of intake"]


def _figures(echo: Target, intake: Target, uses: Sequence[CpuUse], echo_uses: Sequence[CpuUse]) -> list[Figure]:
    names = uses[0].cores
    return [
        *intake.figures("intake"),
        *echo.figures("echo"),
        Figure("intake / echo", intake.rate / echo.rate),
        Figure("bytes of a request's body, at most", PreparedRequests("http://x/", "", "").body_bytes),
        *cpu_per("request", sum(outcome.accepted for outcome in intake.outcomes), uses, with_client=True),
        *cpu_per("echo", sum(outcome.accepted for outcome in echo.outcomes), echo_uses, with_client=True),
        *(
            Figure(f"intake's rounds: cores used by {name}", median([use.cores[name] for use in uses]), "cores")
            for name in names
        ),
    ]


@contextmanager
def _echo() -> Iterator[tuple[str, int]]:
    """The echo's URL and process id."""
    port = any_free()
    with subprocess.Popen([sys.executable, "-m", "bench.echo", str(port)], cwd=CHECKOUT) as process:
        try:
            until = monotonic() + _START_SECONDS
            while (reason := http_ready(port, "/openapi.json")) is not None:
                if monotonic() > until:
                    raise TimeoutError(f"the echo does not answer: {reason}")
                time.sleep(0.05)
            yield f"http://{HOST}:{port}", process.pid
        finally:
            process.terminate()
