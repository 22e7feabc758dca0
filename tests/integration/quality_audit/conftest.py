"""quality_audit on a real Postgres, with a manual clock and a broker in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import httpx
import pytest

from services.quality_audit.api import create_api
from services.quality_audit.handlers.reviewing import Reviewing
from shared.clock import ManualClock
from shared.http import KeyRing, hash_key
from shared.http.access import Access, Identification
from shared.http.keys import ApiKey
from shared.outbox import Outbox
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from tests.access.issuing import NOW as ISSUED_AT
from tests.access.issuing import IssuerInMemory
from tests.access.opening import matrix_of
from tests.integration.quality_audit.audit import EVERY_CASE, MASTER, NOW, TABLES, Audit


@pytest.fixture
async def audit(
    open_database: Callable[[str], Awaitable[Database]], database_urls: dict[str, str]
) -> AsyncIterator[Audit]:
    database = await open_database("quality_audit")
    broker = InMemoryBroker()
    outbox = Outbox(database, broker.publisher(), "quality_audit")
    clock = ManualClock(NOW)
    keys = KeyRing(
        [
            ApiKey(name=name, role="staff" if name == "staff" else "channel", sha256=hash_key(f"key of {name}"))
            for name in ("app", "staff")
        ]
    )

    async def readiness() -> Mapping[str, str | None]:
        return {"postgres": None}

    api = create_api(
        database=database,
        access=Access(Identification(keys, IssuerInMemory().trusted(), lambda: ISSUED_AT), matrix_of("quality_audit")),
        reviewing=Reviewing(database, outbox, clock),
        plan=EVERY_CASE.plan,
        master=MASTER,
        clock=clock,
        readiness=readiness,
    )

    def client(name: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer key of {name}"} if name else {}
        return httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://quality", headers=headers)

    async with client("app") as app, client("staff") as staff, client(None) as nobody:
        found = Audit(database, database_urls["admin"], broker, outbox, clock, app, staff, nobody)
        await found.as_admin(f"TRUNCATE {', '.join(TABLES)}")
        yield found
