from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from services.sla_timer.handlers.programs import Programs
from services.sla_timer.handlers.rulebooks import Rulebooks, RuleFiles
from shared.clock import ManualClock
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from tests.integration.sla_timer.client import Client, client_of
from tests.integration.sla_timer.customer import MONDAY
from tests.integration.sla_timer.desk import DATA, Desk

StartDesk = Callable[[], Awaitable[Desk]]

_TABLES = (
    "tracked_request, request_event, clock, clock_count, decision, mode_activation, rollout,"
    " rollout_progress, outbox, inbox_position, inbox_sequence, inbox_rejection"
)


@pytest.fixture
def rule_files(tmp_path: Path) -> RuleFiles:
    """A copy of the shipped rules that a test may change."""
    for name in ("policies.yml", "calendars.yml"):
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    return RuleFiles(tmp_path / "policies.yml", tmp_path / "calendars.yml")


@pytest.fixture
async def start_desk(
    database_urls: dict[str, str], open_database: Callable[[str], Awaitable[Database]], rule_files: RuleFiles
) -> StartDesk:
    """Starts processes of the service that share an emptied schema, a broker and a clock."""
    await empty(database_urls["admin"])
    broker, clock = InMemoryBroker(), ManualClock(MONDAY)

    async def start() -> Desk:
        desk = Desk(await open_database("sla_timer"), broker, clock, rule_files)
        await desk.start()
        return desk

    return start


@pytest.fixture
async def desk(start_desk: StartDesk) -> Desk:
    return await start_desk()


@pytest.fixture
async def client(desk: Desk, database_urls: dict[str, str]) -> AsyncIterator[Client]:
    programs = Programs(env={"PUNCTUAL_SLA_TIMER_DATABASE_URL": database_urls["sla_timer"]})
    async with client_of(desk, programs) as client:
        yield client


@pytest.fixture
def rules(database_urls: dict[str, str]) -> None:
    """The shipped rules are in force."""

    async def put() -> None:
        await empty(database_urls["admin"])
        async with AsyncExitStack() as stack:
            database = await Database.open(database_urls["sla_timer"], schema="sla_timer", application_name="tests")
            stack.push_async_callback(database.close)
            await Rulebooks(
                database, ManualClock(MONDAY), RuleFiles(DATA / "policies.yml", DATA / "calendars.yml")
            ).start()

    asyncio.run(put())


async def empty(admin_url: str, *, but_rules: bool = False) -> None:
    """Args:
    but_rules: keep the versions of the rules; reading new ones takes longer than a short test.
    """
    tables = _TABLES if but_rules else f"policy_version, {_TABLES}"
    admin = await asyncpg.connect(admin_url, server_settings={"search_path": "sla_timer"})
    try:
        await admin.execute(f"TRUNCATE {tables} RESTART IDENTITY")
    finally:
        await admin.close()
