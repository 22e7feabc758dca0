"""A peer's processes, started and ended from here."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bench.peers.command import CONCURRENCY, POLL_SECONDS, URL, Setting
from punctual.local.settings import CHECKOUT


@dataclass(frozen=True, slots=True)
class PeerProgram:
    """A peer by name.

    Attributes:
        overdue_query: the number of its jobs that should have been done by now.
    """

    name: str
    overdue_query: str


PROGRAMS = (
    PeerProgram(
        "procrastinate",
        "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND scheduled_at <= now()",
    ),
    PeerProgram(
        "apscheduler", "SELECT count(*) FROM apscheduler_jobs WHERE next_run_time <= extract(epoch FROM now())::float8"
    ),
)


class PeerOn:
    """A peer with a database of its own on the server of a system.

    Args:
        python: the interpreter that has it.
    """

    def __init__(
        self, program: PeerProgram, python: Path, admin_url: str, concurrency: int, poll_seconds: float
    ) -> None:
        self._program = program
        self._python = python
        self._admin_url = admin_url
        self._setting = Setting(_with_database(admin_url, f"peer_{program.name}"), concurrency, poll_seconds)

    @property
    def name(self) -> str:
        return self._program.name

    def prepare(self) -> None:
        """Make the database and the peer's tables in it."""
        asyncio.run(_ask(self._admin_url, f"CREATE DATABASE peer_{self.name}"))
        self._ran("prepare")

    def store(self, first: int, count: int, due_at: float, spacing: float) -> float:
        """Store timers; the seconds it took, without the start of the process."""
        seconds: float = json.loads(self._ran("store", first, count, due_at, spacing))["seconds"]
        return seconds

    def alter(self, first: int, count: int, due_at: float, spacing: float) -> Mapping[str, float]:
        """Store timers, move each and cancel each; `Altered` as a mapping."""
        altered: dict[str, float] = json.loads(self._ran("alter", first, count, due_at, spacing))
        return altered

    def tidy(self) -> None:
        """What autovacuum would do after a while: the planner learns how many rows there are."""
        asyncio.run(_ask(self._setting.url, "VACUUM ANALYZE"))

    def overdue(self) -> int:
        return int(asyncio.run(_ask(self._setting.url, self._program.overdue_query)))

    @contextmanager
    def working(self, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A process that fires what is due; killed at the end, if it still runs."""
        with subprocess.Popen(self._command("work", log), cwd=CHECKOUT, env=self._environment()) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGKILL)

    def _ran(self, *words: object) -> str:
        done = subprocess.run(
            self._command(*words), cwd=CHECKOUT, env=self._environment(), stdout=subprocess.PIPE, check=True, text=True
        )
        return done.stdout

    def _command(self, *words: object) -> list[str]:
        return [str(self._python), "-m", "bench.peers.command", self.name, *(str(word) for word in words)]

    def _environment(self) -> dict[str, str]:
        setting = self._setting
        ours = {URL: setting.url, CONCURRENCY: str(setting.concurrency), POLL_SECONDS: str(setting.poll_seconds)}
        return {**os.environ, **ours}


def _with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def _ask(url: str, statement: str) -> int:
    """The first value of the first row; 0 when there is none."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement) or 0
    finally:
        await connection.close()
