"""The command line that each peer has: what the benchmark asks of it, and the seconds it took as JSON.

    python -m bench.peers.command NAME prepare                               make its tables
    python -m bench.peers.command NAME store FIRST COUNT DUE_AT SPACING      timers COUNT, the first due at DUE_AT
    python -m bench.peers.command NAME alter FIRST COUNT DUE_AT SPACING     store as many, move each, then cancel each
    python -m bench.peers.command NAME work LOG                              fire what is due until it is ended

The database's URL is in the environment. Instants are seconds since 1970.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from bench.peers.fires import open_log
from shared.clock import monotonic

URL = "BENCH_PEER_DATABASE_URL"
CONCURRENCY = "BENCH_PEER_CONCURRENCY"
POLL_SECONDS = "BENCH_PEER_POLL_SECONDS"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A timer to store; due at ``due_at``, seconds since 1970."""

    number: int
    due_at: float


@dataclass(frozen=True, slots=True)
class Altered:
    """Seconds that moving and cancelling took."""

    move_seconds: float
    cancel_seconds: float


class Peer(Protocol):
    """What runs in a peer's process."""

    def prepare(self) -> None:
        """Make the tables."""

    def store(self, timers: Sequence[Wanted]) -> float:
        """Store timers in the peer's fastest documented way; the seconds it took."""

    def alter(self, timers: Sequence[Wanted], later_seconds: float) -> Altered:
        """Store timers, move each by so much, then cancel each."""

    def work(self) -> None:
        """Fire what is due; never returns."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a peer is set up.

    Attributes:
        concurrency: timers that fire at the same time.
        poll_seconds: between looks for due timers, where the peer looks.
    """

    url: str
    concurrency: int
    poll_seconds: float


_LATER_SECONDS = 3600.0


def main(arguments: Sequence[str]) -> None:
    name, what, *given = arguments
    make: Callable[[Setting], Peer] = import_module(f"bench.peers.on_{name}").make
    peer = make(Setting(os.environ[URL], int(os.environ[CONCURRENCY]), float(os.environ[POLL_SECONDS])))
    if what == "prepare":
        peer.prepare()
    elif what == "store":
        print(json.dumps({"seconds": peer.store(_wanted(given))}))
    elif what == "alter":
        print(json.dumps(asdict(peer.alter(_wanted(given), _LATER_SECONDS))))
    elif what == "work":
        open_log(Path(given[0]))
        peer.work()


def _wanted(given: Sequence[str]) -> list[Wanted]:
    first, count = int(given[0]), int(given[1])
    due_at, spacing = float(given[2]), float(given[3])
    return [Wanted(first + number, due_at + number * spacing) for number in range(count)]


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began_at = monotonic()

    def seconds(self) -> float:
        return monotonic() - self._began_at


if __name__ == "__main__":
    main(sys.argv[1:])
