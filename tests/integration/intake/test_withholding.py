"""Postgres repeats the row that it refuses; neither a log nor an answer may."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from shared.postgres import Database
from tests.integration.intake.front_door import SUBMISSION, Intake, write

CANARY = "Canary"
PRIVATE: dict[str, Any] = {
    "description": CANARY,
    "customer": SUBMISSION["customer"] | {"name": CANARY, "id": CANARY},
}


@pytest.fixture
async def administrator(database_urls: dict[str, str]) -> AsyncIterator[Database]:
    database = await Database.open(database_urls["admin"], schema="intake", application_name="tests")
    yield database
    await database.close()


@asynccontextmanager
async def refusing(administrator: Database, table: str) -> AsyncIterator[None]:
    """Nothing more can be written to the table."""
    async with administrator.connection() as connection:
        await connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT refusing CHECK (false) NOT VALID")
    try:
        yield
    finally:
        async with administrator.connection() as connection:
            await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT refusing")


def is_told_of_the_constraint_only(answer: httpx.Response, logs: list[Any]) -> bool:
    (line,) = [line for line in logs if line["event"] == "unexpected error"]
    trace = "".join(traceback.format_exception(line["exc_info"]))
    assert answer.status_code == 500
    assert "Unstorable: CheckViolationError at refusing" in trace
    return not any(text in trace + answer.text for text in (CANARY, "DETAIL", "Failing row"))


@pytest.mark.parametrize("table", ["idempotency_key", "customer", "request", "request_event", "outbox"])
async def test_a_refused_submission_is_not_repeated_in_the_log(
    intake: Intake, administrator: Database, table: str
) -> None:
    async with refusing(administrator, table):
        with capture_logs() as logs:
            answer = await intake.app.post("/v1/requests", json=SUBMISSION | PRIVATE, headers=write())
    assert is_told_of_the_constraint_only(answer, logs)


@pytest.mark.parametrize("table", ["idempotency_key", "request", "request_event", "outbox"])
async def test_a_refused_move_does_not_put_the_request_into_the_log(
    intake: Intake, administrator: Database, table: str
) -> None:
    reference = (await intake.submit(**PRIVATE))["reference"]
    async with refusing(administrator, table):
        with capture_logs() as logs:
            answer = await intake.move(reference, "stage", stage="assessment")
    assert is_told_of_the_constraint_only(answer, logs)
