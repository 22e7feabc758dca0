"""A closed loop: so many connections, each sends its next request as soon as it has the answer to the last.

Runs as a process of its own (`python -m bench.load.closed_loop URLS KEY RUN CONNECTIONS SECONDS FIRST`) and prints one
line of JSON. Several URLs are one argument, with blanks between them.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

import uvloop

from bench.load.connection import Connection, connect
from bench.load.requests import PreparedRequests
from bench.quantiles import quantile
from shared.clock import monotonic

_GIVE_UP_SECONDS = 30.0


@dataclass
class Outcome:
    """What a closed loop reached.

    Attributes:
        accepted: answers 2xx inside the time.
        statuses: how often every status came; ``lost`` counts connections that ended.
        sent: requests sent; the next loop begins to number after them.
        answer_bytes: length of the last body.
        cpu_seconds: what the client itself used.
    """

    seconds: float = 0.0
    accepted: int = 0
    sent: int = 0
    answer_bytes: int = 0
    p50_seconds: float = 0.0
    p99_seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return self.accepted / self.seconds


class ClosedLoop:
    def __init__(self, prepared: PreparedRequests, first: int) -> None:
        self._prepared = prepared
        self._first = self._next = first
        self._sent_at: dict[Connection, float] = {}
        self._until = 0.0
        self._latencies: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._accepted = self._answer_bytes = 0
        self._all_answered = asyncio.Event()

    async def run(self, places: Sequence[tuple[str, int]], connections: int, seconds: float) -> Outcome:
        """
        Args:
            places: host and port of each server; they share the connections.
        """
        opened = [
            connection
            for host, port in places
            for connection in await connect(
                host, port, connections // len(places), lambda: Connection(self._on_answer, self._on_lost)
            )
        ]
        started_at = monotonic()
        self._until = started_at + seconds
        for connection in opened:
            self._send(connection)
        async with asyncio.timeout(seconds + _GIVE_UP_SECONDS):
            await self._all_answered.wait()
        for connection in opened:
            connection.close()
        return Outcome(
            seconds=seconds,
            accepted=self._accepted,
            sent=self._next - self._first,
            answer_bytes=self._answer_bytes,
            p50_seconds=quantile(self._latencies, 0.5),
            p99_seconds=quantile(self._latencies, 0.99),
            statuses=dict(self._statuses),
        )

    def _send(self, connection: Connection) -> None:
        self._sent_at[connection] = monotonic()
        connection.send(self._prepared.message(self._next))
        self._next += 1

    def _on_answer(self, connection: Connection, status: int, body: bytes) -> None:
        now = monotonic()
        sent_at = self._sent_at.pop(connection)
        if now < self._until:
            self._statuses[str(status)] += 1
            self._latencies.append(now - sent_at)
            self._accepted += 200 <= status < 300
            self._answer_bytes = len(body)
            self._send(connection)
        elif not self._sent_at:
            self._all_answered.set()

    def _on_lost(self, connection: Connection) -> None:
        if self._sent_at.pop(connection, None) is not None:
            self._statuses["lost"] += 1
        if not self._sent_at:
            self._all_answered.set()


def main(arguments: list[str]) -> None:
    urls, key, run, connections, seconds, first = arguments
    places = []
    for where in map(urlsplit, urls.split()):
        assert where.hostname is not None, urls
        assert where.port is not None, urls
        places.append((where.hostname, where.port))
    loop = ClosedLoop(PreparedRequests(urls.split()[0], key, run), int(first))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(loop.run(places, int(connections), float(seconds)))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(sys.argv[1:])
