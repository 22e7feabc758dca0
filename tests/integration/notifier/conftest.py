"""A house on an empty schema, and relays to write to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from shared.postgres import Database
from tests.integration.notifier.house import House
from tests.integration.notifier.relays import CatchingRelay, catching_relay


@pytest.fixture
async def database(open_database: Callable[[str], Awaitable[Database]], database_urls: dict[str, str]) -> Database:
    admin = await asyncpg.connect(database_urls["admin"])
    await admin.execute(
        "TRUNCATE notifier.contact, notifier.request_view, notifier.notice, notifier.rendering, notifier.attempt,"
        " notifier.customer_key, notifier.access_record, notifier.outbox"
    )
    await admin.close()
    return await open_database("notifier")


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture
async def relay() -> AsyncIterator[CatchingRelay]:
    async with catching_relay() as relay:
        yield relay


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[Any]:
    """Sees and changes everything in the schema."""
    connection = await asyncpg.connect(database_urls["admin"], server_settings={"search_path": "notifier"})
    yield connection
    await connection.close()
