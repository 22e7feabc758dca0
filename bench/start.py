"""From nothing running to the first accepted request, on data that are there already, as `make demo` does it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from bench.quantiles import median
from bench.rig import Measured, say, temporary_home, use_the_checkouts_parts
from punctual.local.settings import CHECKOUT
from shared.clock import monotonic

SUMMARY = "time from a warm start of the whole system, in a fresh process, to the first accepted request"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=3, help="warm starts after the cold one (%(default)s)")


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds.

    Attributes:
        total: from the command to the answer 201.
        ready: from the first line of the program until every service was ready.
    """

    total: float
    ready: float
    postgres_version: str


def run(options: argparse.Namespace) -> Measured:
    use_the_checkouts_parts()
    with temporary_home() as home:
        say("the first start, which makes the data")
        cold = _start(home)
        warm = []
        for number in range(1, options.runs + 1):
            warm.append(_start(home))
            say(f"warm start {number}: {warm[-1].total:.1f} s")
    totals = [start.total for start in warm]
    figures = [
        Figure("warm start to first accepted request, median", median(totals), "s"),
        Figure("warm start to first accepted request, longest", max(totals), "s"),
        Figure("of it until all services were ready, median", median([start.ready for start in warm]), "s"),
        Figure("first start (downloads done) to first accepted request", cold.total, "s"),
    ]
    return Measured(figures, cold.postgres_version)


def _start(home: Path) -> Start:
    began_at = monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "bench.warm_start", str(home)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        total = monotonic() - began_at
        if not line:
            raise RuntimeError(f"the start failed with code {process.wait()}")
        return Start(total, float(line), process.stdout.readline().strip())
