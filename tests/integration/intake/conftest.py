from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta

import httpx
import pytest

from services.intake.api.context import Context
from services.intake.api.sealing import CursorSeal
from services.intake.handlers.acting import Acting
from services.intake.handlers.automations import Automations
from services.intake.handlers.change_feed import ChangeFeed
from services.intake.handlers.erasing import Erasing
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.key_book import KeyBook
from services.intake.handlers.moving import Moving
from services.intake.handlers.processes import Processes
from shared.clock import ManualClock
from shared.http.access import Access, Identification
from shared.outbox import Outbox
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from tests.access.issuing import NOW, IssuerInMemory
from tests.access.opening import matrix_of
from tests.integration.intake.applications import Applications
from tests.integration.intake.declared import check_declared
from tests.integration.intake.front_door import KEYS, START, UNHURRIED, Intake
from tests.unit.intake.shipped import AUTOMATION, CUSTOMER_KEYS, FILES, PERSONAL, WORDED, new_validation

PATIENCE = timedelta(seconds=5)


@pytest.fixture(scope="session")
def applications() -> Applications:
    return Applications()


@pytest.fixture
async def intake(
    open_database: Callable[[str], Awaitable[Database]], applications: Applications
) -> AsyncIterator[Intake]:
    database = await open_database("intake")
    broker = InMemoryBroker()
    outbox = Outbox(database, broker.publisher(), "intake")
    clock = ManualClock(START)
    processes = Processes(database, clock, FILES, WORDED, PERSONAL)
    await processes.start()
    automations = Automations(database, clock, AUTOMATION)
    await automations.start()
    acting = Acting(database, automations, outbox, processes, CUSTOMER_KEYS)
    keys = KeyBook(database)
    validation = new_validation()
    context = Context(
        database=database,
        outbox=outbox,
        clock=clock,
        keys=keys,
        processes=processes,
        moving=Moving(database, outbox, clock, processes, acting, CUSTOMER_KEYS, validation),
        acting=acting,
        customer_keys=CUSTOMER_KEYS,
        erasing=Erasing(outbox, clock),
        automations=automations,
        public_url="https://status.example",
        validation=validation,
        submissions=GroupCommit(
            database,
            outbox,
            customer_keys=CUSTOMER_KEYS,
            key_patience=PATIENCE,
            queue_patience=UNHURRIED,
            call_patience=UNHURRIED,
            validation=validation,
        ),
        feed=ChangeFeed(database),
        seal=CursorSeal("secret of the tests"),
        key_patience=PATIENCE,
        call_patience=UNHURRIED,
    )

    async def readiness() -> Mapping[str, str | None]:
        await database.ping()
        return {"postgres": None}

    clients: list[httpx.AsyncClient] = []
    applications.free()
    access = Access(Identification(KEYS, IssuerInMemory().trusted(), lambda: NOW, keys.find), matrix_of("intake"))

    def call_with(of: Context, secret: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        transport = httpx.ASGITransport(applications.of(of, access, readiness).app)
        hooks = {"response": [check_declared]}
        clients.append(
            httpx.AsyncClient(transport=transport, base_url="http://intake", headers=headers, event_hooks=hooks)
        )
        return clients[-1]

    def connect(of: Context, caller: str | None) -> httpx.AsyncClient:
        return call_with(of, f"key of {caller}" if caller else None)

    yield Intake(
        database=database,
        broker=broker,
        outbox=outbox,
        clock=clock,
        context=context,
        connect=connect,
        call_with=call_with,
        app=connect(context, "app"),
        web=connect(context, "web"),
        staff=connect(context, "staff"),
        nobody=connect(context, None),
    )
    for client in clients:
        await client.aclose()
