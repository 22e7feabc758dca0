from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta

import httpx
import pytest

from services.intake.api.application import create_api
from services.intake.api.context import Context
from services.intake.handlers.change_feed import ChangeFeed
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.moving import Moving
from services.intake.handlers.processes import Processes
from shared.clock import ManualClock
from shared.outbox import Outbox
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from tests.integration.intake.front_door import KEYS, START, Intake
from tests.unit.intake.shipped import FILES, STATUS_PAGE, WORDED

PATIENCE = timedelta(seconds=5)


@pytest.fixture
async def intake(open_database: Callable[[str], Awaitable[Database]]) -> AsyncIterator[Intake]:
    database = await open_database("intake")
    broker = InMemoryBroker()
    outbox = Outbox(database, broker.publisher(), "intake")
    clock = ManualClock(START)
    processes = Processes(database, clock, FILES, WORDED)
    await processes.start()
    context = Context(
        database=database,
        outbox=outbox,
        clock=clock,
        keys=KEYS,
        processes=processes,
        moving=Moving(outbox, clock, processes),
        public_url="https://status.example",
        submissions=GroupCommit(database, outbox, key_patience=PATIENCE),
        feed=ChangeFeed(database),
        key_patience=PATIENCE,
    )

    async def readiness() -> Mapping[str, str | None]:
        await database.ping()
        return {"postgres": None}

    clients: list[httpx.AsyncClient] = []

    def connect(of: Context, caller: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer key of {caller}"} if caller else {}
        transport = httpx.ASGITransport(create_api(of, STATUS_PAGE, readiness))
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://intake", headers=headers))
        return clients[-1]

    yield Intake(
        database=database,
        broker=broker,
        outbox=outbox,
        clock=clock,
        context=context,
        connect=connect,
        app=connect(context, "app"),
        web=connect(context, "web"),
        staff=connect(context, "staff"),
        nobody=connect(context, None),
    )
    for client in clients:
        await client.aclose()
