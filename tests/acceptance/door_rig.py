"""A real intake whose way to Postgres leads through a proxy, and the faults that befall it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from punctual.local.system import LocalSystem
from tests.acceptance.database_proxy import DatabaseProxy, Passage
from tests.acceptance.door_load import MARK

_URL = "PUNCTUAL_INTAKE_DATABASE_URL"
_READY_SECONDS = 90
_MEET_SECONDS = 60


@contextmanager
def door(home: Path) -> Iterator[Door]:
    """Intake, Postgres and Kafka; nothing else."""
    system = LocalSystem(
        home,
        ports="auto",
        partitions=4,
        services=("intake",),
        foundations=("postgres", "kafka"),
        report=lambda _: None,
    )
    system.start()
    child = system.process("intake")
    url = urlsplit(child.program.env[_URL])
    assert url.port is not None
    proxy = DatabaseProxy(url.port, MARK.encode())
    try:
        child.kill()
        place = f"{url.netloc.rpartition(':')[0]}:{proxy.port}"
        child.program = replace(child.program, env={**child.program.env, _URL: urlunsplit(url._replace(netloc=place))})
        child.start()
        child.wait_until_ready(_READY_SECONDS)
        yield Door(system, proxy)
    finally:
        system.stop()
        proxy.close()


class Door:
    """What can be done to it. Each fault returns when intake serves again.

    Attributes:
        faults: by name, for campaigns.
    """

    def __init__(self, system: LocalSystem, proxy: DatabaseProxy) -> None:
        self.system = system
        self.proxy = proxy
        self.faults: dict[str, Callable[[Random], None]] = {
            "killed between commit and answer": lambda _: self.kill_at(Passage.HOLD),
            "killed before the commit": lambda _: self.kill_at(Passage.SWALLOW),
            "killed around a commit": self.kill_around_a_commit,
            "answer of a commit lost": lambda _: self.wait_for(self.proxy.meet(Passage.CUT)),
            "commit lost": lambda _: self.wait_for(self.proxy.meet(Passage.DROP)),
            "sessions ended at a commit": self.end_sessions,
            "Postgres killed at a commit": self.kill_postgres,
        }

    def wait_for(self, met: threading.Event) -> None:
        """Until the proxy met the COMMIT it was told to wait for."""
        assert met.wait(_MEET_SECONDS), f"no commit came by within {_MEET_SECONDS} s"

    def kill(self) -> None:
        self.system.process("intake").kill()

    def start(self) -> None:
        self.proxy.release()
        intake = self.system.process("intake")
        intake.start()
        intake.wait_until_ready(_READY_SECONDS)

    def kill_at(self, passage: Passage) -> None:
        """Kill it while it waits for the answer to a COMMIT."""
        self.wait_for(self.proxy.meet(passage))
        self.kill()
        self.start()

    def kill_around_a_commit(self, rng: Random) -> None:
        self._just_after_a_commit(rng)
        self.kill()
        self.start()

    def end_sessions(self, rng: Random) -> None:
        """The server ends all sessions of intake, as an administrator might; it must come back by itself."""
        self._just_after_a_commit(rng)
        asyncio.run(_end_sessions(self.system.admin_database_url))
        self.system.process("intake").wait_until_ready(_READY_SECONDS)

    def kill_postgres(self, rng: Random) -> None:
        postgres = self.system.process("postgres")
        self._just_after_a_commit(rng)
        postgres.kill()
        postgres.start()
        postgres.wait_until_ready(_READY_SECONDS)
        self.system.process("intake").wait_until_ready(_READY_SECONDS)

    def _just_after_a_commit(self, rng: Random) -> None:
        """A few milliseconds after a COMMIT passed: before, while or after Postgres makes it durable."""
        self.wait_for(self.proxy.meet(Passage.PASS))
        threading.Event().wait(rng.uniform(0, 0.008))


async def _end_sessions(admin_url: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'punctual_intake'"
        )
    finally:
        await connection.close()
