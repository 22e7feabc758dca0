"""A system to measure: started for one benchmark in a folder of its own, ended and forgotten with it."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.figures import Figure
from bench.processes import wait_until_quiet
from punctual.local.settings import CHECKOUT
from punctual.local.system import SERVICES, LocalSystem

POLICIES = Path(__file__).with_name("policies")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a benchmark hands back."""

    figures: list[Figure]
    postgres_version: str


def say(line: str) -> None:
    """Progress goes to standard error; standard output has the result."""
    print(line, file=sys.stderr, flush=True)


def use_the_checkouts_parts() -> None:
    """What was downloaded for `make demo` serves the benchmarks too."""
    os.environ.setdefault("PUNCTUAL_PARTS", str(CHECKOUT / ".punctual" / "parts"))


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A folder for a system; every account may pass through it, because Postgres may run as another one."""
    with tempfile.TemporaryDirectory(prefix="punctual-bench-") as name:
        home = Path(name)
        home.chmod(0o755)
        yield home


@contextmanager
def running_system(
    *, services: Sequence[str] = SERVICES, environment: Mapping[str, str] | None = None
) -> Iterator[LocalSystem]:
    """A fresh system, quiet, on free ports, at the speed of real time."""
    use_the_checkouts_parts()
    with temporary_home() as home:
        system = LocalSystem(home, ports="auto", services=services, extra_env=environment, report=say)
        say(f"starting a system with {', '.join(services)}")
        system.start()
        try:
            wait_until_quiet(system)
            yield system
        finally:
            system.stop()


def postgres_version(system: LocalSystem) -> str:
    async def ask() -> str:
        connection = await asyncpg.connect(system.admin_database_url)
        try:
            version: str = await connection.fetchval("SHOW server_version")
        finally:
            await connection.close()
        return version

    return asyncio.run(ask())
