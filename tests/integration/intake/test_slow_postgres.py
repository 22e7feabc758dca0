"""What callers are told while Postgres is away or slow, and that nothing is lost or doubled by it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.errors import DatabaseUnavailable
from shared.postgres import Connection, Database
from tests.integration.intake.front_door import SUBMISSION, Intake, write


class _Away(Database):
    is_away = True

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        if self.is_away:
            raise DatabaseUnavailable("away")
        async with super().connection() as connection:
            yield connection


async def test_every_503_tells_the_wait_that_is_set(intake: Intake) -> None:
    view = await intake.submit()
    client = intake.with_database(_Away(intake.database._pool), retry_after_seconds=7)
    moved = f"/v1/requests/{view['reference']}/acknowledge"
    framed = write() | {"Content-Type": "application/json; charset=utf-8"}  # not plain, so the framework answers
    answers = [
        await client.post("/v1/requests", json=SUBMISSION, headers=write()),
        await client.post("/v1/requests", content=json.dumps(SUBMISSION), headers=framed),
        await client.post(moved, json={}, headers=write()),
        await client.get("/v1/requests"),
        await client.get(view["status_url"].removeprefix("https://status.example")),
    ]
    assert [(answer.status_code, answer.headers.get("retry-after")) for answer in answers] == [(503, "7")] * 5
    line = json.dumps(SUBMISSION | {"idempotency_key": write()["Idempotency-Key"]}).encode()
    batch = await client.post("/v1/requests:batch", content=line, headers={"Content-Type": "application/x-ndjson"})
    assert [json.loads(one)["retry_after_seconds"] for one in batch.text.splitlines()] == [7, 7]
