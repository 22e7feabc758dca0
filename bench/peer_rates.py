"""What a user would otherwise pick, on the same Postgres: timers stored, fired, moved, and back after a kill."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

from bench.figures import Figure
from bench.peers.child import PROGRAMS, PeerOn
from bench.peers.environment import ensure_peers_python
from bench.peers.measures import Asked, Measures
from bench.rig import Measured, postgres_version, say, temporary_home, use_the_checkouts_parts
from punctual.local.system import LocalSystem

SUMMARY = "timers of Procrastinate and APScheduler on the same Postgres: stored, fired, moved, back after kill -9"


def add_options(parser: argparse.ArgumentParser) -> None:
    names = [program.name for program in PROGRAMS]
    parser.add_argument("--peer", choices=[*names, "all"], default="all", help="which one (%(default)s)")
    parser.add_argument("--pending", type=int, default=20_000, help="timers stored, pending all the time (%(default)s)")
    parser.add_argument("--rate", type=float, default=200.0, help="timers fired per second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=15.0, help="for so long (%(default)s)")
    parser.add_argument("--moves", type=int, default=2_000, help="timers moved, then cancelled (%(default)s)")
    parser.add_argument("--due", type=int, default=1_000, help="timers that become due around a kill (%(default)s)")
    parser.add_argument("--concurrency", type=int, default=20, help="jobs a peer does at once (%(default)s)")
    parser.add_argument(
        "--poll", type=float, default=0.05, help="seconds between Procrastinate's looks for due jobs (%(default)s)"
    )


def run(options: argparse.Namespace) -> Measured:
    python = ensure_peers_python()
    asked = Asked(options.pending, options.rate, options.seconds, options.moves, options.due)
    figures: list[Figure] = []
    with _postgres() as system, tempfile.TemporaryDirectory(prefix="punctual-peers-") as folder:
        for program in PROGRAMS:
            if options.peer in {program.name, "all"}:
                say(f"{program.name} {_version(python, program.name)}")
                peer = PeerOn(program, python, system.admin_database_url, options.concurrency, options.poll)
                figures += Measures(peer, system, Path(folder), asked).all()
        return Measured(figures, postgres_version(system))


@contextmanager
def _postgres() -> Iterator[LocalSystem]:
    """The Postgres of our own benchmarks, without the rest."""
    use_the_checkouts_parts()
    with temporary_home() as home:
        system = LocalSystem(home, ports="auto", services=(), foundations=("postgres",), report=say)
        system.start()
        try:
            yield system
        finally:
            system.stop()


def _version(python: Path, name: str) -> str:
    packages = [str(folder) for folder in python.parents[1].glob("lib/python*/site-packages")]
    return next((found.version for found in distributions(name=name, path=packages)), "of unknown version")
