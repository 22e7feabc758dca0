"""Many requests in the tables at once, as a year of work would leave them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from bench.stored_requests import copy_requests
from shared.postgres import Database
from tests.integration.intake.front_door import START, Intake


async def fill(intake: Intake, administrator: Database, count: int) -> None:
    """Copies of one request; their references are R1, R2, ..."""
    view = await intake.submit()
    async with administrator.transaction() as connection:
        await copy_requests(connection, UUID(view["id"]), 1, count, START - timedelta(days=365))
    async with administrator.connection() as connection:
        await connection.execute("VACUUM ANALYZE request, request_event, deadline")
