"""An open loop: requests are due at fixed instants whatever the server does, and waiting counts from those instants.

A client that waits for an answer before it sends the next request measures only what the server lets it measure
(coordinated omission).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.load.connection import Connection, connect
from bench.load.requests import PreparedRequests
from shared.clock import real_now

_CREATED = 201


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that was answered 201.

    Attributes:
        number: what was filled into the prepared request.
        due_at: when it should have been sent, real time.
        accepted_at: when the answer was here, real time.
    """

    number: int
    request_id: str
    due_at: datetime
    accepted_at: datetime


class OpenLoop:
    """Sends ``rate`` requests a second for ``seconds`` seconds over keep-alive connections.

    Args:
        first: number of the first request.

    Attributes:
        count: requests in all.
        accepted: in the order of the answers.
        errors: other outcomes, by status; ``lost`` for connections that ended, ``unanswered`` for the rest.
    """

    def __init__(self, prepared: PreparedRequests, rate: float, seconds: float, first: int = 0) -> None:
        self._prepared = prepared
        self._first = first
        self._rate = rate
        self.count = int(rate * seconds)
        self._idle: deque[Connection] = deque()
        self._waiting: deque[tuple[int, datetime]] = deque()
        self._in_flight: dict[Connection, tuple[int, datetime]] = {}
        self._done = asyncio.Event()
        self._outcomes = 0
        self.accepted: list[Accepted] = []
        self.errors: Counter[str] = Counter()

    async def run(self, host: str, port: int, connections: int, patience_seconds: float = 30.0) -> None:
        """Return when all are answered, or ``patience_seconds`` after the last one was due."""
        opened = await connect(host, port, connections, lambda: Connection(self._on_answer, self._on_lost))
        self._idle.extend(opened)
        loop = asyncio.get_running_loop()
        begin, begin_at = loop.time() + 0.1, real_now() + timedelta(seconds=0.1)
        for turn in range(self.count):
            after = turn / self._rate
            loop.call_at(begin + after, self._due, self._first + turn, begin_at + timedelta(seconds=after))
        try:
            async with asyncio.timeout(0.1 + self.count / self._rate + patience_seconds):
                await self._done.wait()
        except TimeoutError:
            self.errors["unanswered"] += self.count - self._outcomes
        for connection in opened:
            connection.close()

    def _due(self, number: int, due_at: datetime) -> None:
        self._waiting.append((number, due_at))
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting and self._idle:
            connection = self._idle.popleft()
            self._in_flight[connection] = self._waiting.popleft()
            connection.send(self._prepared.message(self._in_flight[connection][0]))

    def _on_answer(self, connection: Connection, status: int, body: bytes) -> None:
        accepted_at = real_now()
        number, due_at = self._in_flight.pop(connection)
        if status == _CREATED:
            self.accepted.append(Accepted(number, json.loads(body)["id"], due_at, accepted_at))
        else:
            self.errors[str(status)] += 1
        self._idle.append(connection)
        self._one_more()
        self._send_waiting()

    def _on_lost(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        if self._in_flight.pop(connection, None) is not None:
            self.errors["lost"] += 1
            self._one_more()

    def _one_more(self) -> None:
        self._outcomes += 1
        if self._outcomes == self.count:
            self._done.set()
