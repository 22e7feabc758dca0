"""A database moved by a dump counts its transactions anew; the repair that a page names keeps changes right."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.intake.store.changes import read_changes
from tests.integration.intake.front_door import Intake

PAGE = Path(__file__).parents[3] / "docs/howto/back-up-and-restore.md"
AHEAD = 20


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(database_urls["admin"])
    yield connection
    await connection.close()


async def test_after_the_repair_a_new_reader_is_told_new_changes_only(
    intake: Intake, administrator: asyncpg.Connection[Any]
) -> None:
    (repair,) = re.findall(r'--command "(UPDATE intake[.][^"]+)"', PAGE.read_text(encoding="utf-8"))
    old = await intake.submit()
    await administrator.execute(
        "UPDATE intake.request_event SET transaction_id = (pg_current_xact_id()::text::bigint + $1)::text::xid8"
        " WHERE request_id = $2",
        AHEAD,
        UUID(old["id"]),
    )
    mark = await intake.context.feed.newest()

    async def told() -> list[str]:
        async with intake.database.connection() as connection:
            return [change.reference for change in await read_changes(connection, mark, 10)]

    assert await told() == []
    for _ in range(AHEAD + 1):
        await administrator.execute("SELECT pg_current_xact_id()")
    assert await told() == [old["reference"]], "without the repair it is told once the count has come to it"

    await administrator.execute(repair)
    assert await told() == []
    new = await intake.submit()
    assert await told() == [new["reference"]]
