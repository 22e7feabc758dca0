"""Batches beside single requests: lines a second that are accepted, and that are on Kafka."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime

from bench.figures import Figure
from bench.load.batches import BatchOutcome
from bench.published import all_published_at
from bench.quantiles import median
from punctual.local.settings import CHECKOUT
from punctual.local.system import LocalSystem
from shared.ids import new_id


class BatchTarget:
    """Intake under batches.

    Args:
        addresses: of its processes; they share the connections.

    Attributes:
        outcomes: of its rounds.
        published: lines a second until all of a round were on Kafka.
    """

    def __init__(self, system: LocalSystem, addresses: Sequence[str], connections: int) -> None:
        self._system = system
        self._addresses = addresses
        self._connections = connections
        self._run = str(new_id())
        self._next = 0
        self.outcomes: list[BatchOutcome] = []
        self.published: list[float] = []

    def drive(self, lines: int) -> BatchOutcome:
        """Send so many lines, from a process of its own."""
        urls = " ".join(f"{address}/v1/requests:batch" for address in self._addresses)
        numbers = [str(self._connections), str(lines), str(self._next)]
        done = subprocess.run(
            [sys.executable, "-m", "bench.load.batches", urls, self._system.keys["app"], self._run, *numbers],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            check=True,
        )
        self._next += lines
        return BatchOutcome(**json.loads(done.stdout))

    def round(self, lines: int) -> BatchOutcome:
        """A round that counts."""
        outcome = self.drive(lines)
        published_at = asyncio.run(all_published_at(self._system))
        seconds = (published_at - datetime.fromisoformat(outcome.began_at)).total_seconds()
        self.outcomes.append(outcome)
        self.published.append(outcome.accepted / seconds)
        return outcome

    def figures(self) -> list[Figure]:
        name = f"batch, {self._connections} connection{'s' * (self._connections > 1)}"
        rates = [outcome.accepted / outcome.seconds for outcome in self.outcomes]
        return [
            Figure(f"{name}: accepted, median of rounds", median(rates), "/s"),
            Figure(f"{name}: accepted, lowest round", min(rates), "/s"),
            Figure(f"{name}: accepted, highest round", max(rates), "/s"),
            Figure(f"{name}: not accepted", sum(sum(o.answers.values()) - o.accepted for o in self.outcomes)),
            Figure(f"{name}: published, median of rounds", median(self.published), "/s"),
        ]
