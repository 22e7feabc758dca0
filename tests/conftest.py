"""Real servers for the tests: started once per session, unless the environment names running ones.

``PUNCTUAL_TEST_ADMIN_URL`` (Postgres, a superuser) and ``PUNCTUAL_TEST_KAFKA`` (bootstrap servers) make repeated runs
quicker.
Unit tests use neither and open no sockets.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import settings

from shared.postgres import Database
from shared.testing.databases import fresh_database
from shared.testing.plumbing import SERVICE, make_handled_table

# What was downloaded for `make demo` serves the tests too.
os.environ.setdefault("PUNCTUAL_PARTS", str(Path(__file__).parents[1] / ".punctual" / "parts"))

# A property is not about time: a machine with other work to do must not fail it.
settings.register_profile("house", settings(), deadline=None)
settings.load_profile("house")

SERVICES = sorted(path.parent.name for path in Path(__file__).parents[1].glob("services/*/migrations"))

OpenDatabase = Callable[[str], Awaitable[Database]]


class Servers:
    """Starts Kafka and Postgres when the first test asks for either."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self._home = home
        self._stack = stack
        self._started: tuple[str, str] | None = None

    def _start(self) -> tuple[str, str]:
        if self._started is None:
            from punctual.local.system import LocalSystem

            system = LocalSystem(self._home, ports="auto", services=(), foundations=("postgres", "kafka"))
            system.start()
            self._stack.callback(system.stop)
            self._started = (system.admin_database_url, system.kafka_bootstrap)
        return self._started

    @property
    def admin_url(self) -> str:
        return os.environ.get("PUNCTUAL_TEST_ADMIN_URL") or self._start()[0]

    @property
    def kafka_bootstrap(self) -> str:
        return os.environ.get("PUNCTUAL_TEST_KAFKA") or self._start()[1]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(tmp_path_factory.mktemp("servers"), stack)


@pytest.fixture(scope="session")
def kafka_bootstrap(servers: Servers) -> str:
    return servers.kafka_bootstrap


@pytest.fixture(scope="session")
def migrated(servers: Servers) -> Iterator[str]:
    """The name of a database with every service's schema, which nobody uses: the others are copies of it."""
    with asyncio.Runner() as runner:
        context = fresh_database(servers.admin_url, SERVICES)
        urls = runner.run(context.__aenter__())
        yield urlsplit(urls["admin"]).path[1:]
        runner.run(context.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def database_urls(servers: Servers, migrated: str) -> Iterator[dict[str, str]]:
    """Service -> URL of its role in a database made for this module; ``admin`` too."""
    with asyncio.Runner() as runner:
        context = fresh_database(servers.admin_url, SERVICES, template=migrated)
        urls = runner.run(context.__aenter__())
        yield urls
        runner.run(context.__aexit__(None, None, None))


@pytest.fixture
async def open_database(database_urls: dict[str, str]) -> AsyncIterator[OpenDatabase]:
    """Opens a service's schema of the module's database: ``database = await open_database("intake")``."""
    opened: list[Database] = []

    async def open_for(service: str) -> Database:
        database = await Database.open(database_urls[service], schema=service, application_name="tests")
        opened.append(database)
        return database

    yield open_for
    for database in opened:
        await database.close()


@pytest.fixture(scope="module")
def plumbing_urls(servers: Servers) -> Iterator[dict[str, str]]:
    with asyncio.Runner() as runner:
        context = fresh_database(servers.admin_url, [SERVICE])
        urls = runner.run(context.__aenter__())
        runner.run(_make_table(urls["admin"]))
        yield urls
        runner.run(context.__aexit__(None, None, None))


async def _make_table(admin_url: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        await make_handled_table(connection)
    finally:
        await connection.close()


@pytest.fixture
async def plumbing(plumbing_urls: dict[str, str]) -> AsyncIterator[Database]:
    """The plumbing's schema, emptied."""
    admin = await asyncpg.connect(plumbing_urls["admin"])
    await admin.execute(
        "TRUNCATE plumbing.outbox, plumbing.inbox_position, plumbing.inbox_sequence, plumbing.inbox_rejection,"
        " plumbing.handled"
    )
    await admin.close()
    database = await Database.open(plumbing_urls[SERVICE], schema=SERVICE, application_name="tests")
    yield database
    await database.close()
