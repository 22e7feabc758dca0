"""Rules that remind, for tests over a real Postgres, and what came of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
from prometheus_client import REGISTRY

from services.intake.handlers.reminding import Reminding
from services.intake.ticker.reminders import Reminder
from shared.contracts.casework import RequestReminded
from shared.contracts.topics import REQUESTS
from tests.integration.intake.front_door import Intake
from tests.integration.intake.test_automation import put
from tests.unit.intake.shipped import AUTOMATION

HOUR = timedelta(hours=1)
NOW = timedelta(0)

NUDGE = """\
format: "1"
rules:
  - rule: nudge
    when: {kind: claim, stage: [received, assessment]}
    remind: {after: 4h elapsed, every: 2h elapsed, at_most: 3, to: [owner, team_lead]}
"""


@asynccontextmanager
async def alone_with_the_rules(intake: Intake, admin_url: str) -> AsyncIterator[None]:
    """The requests of other tests are gone, and ``NUDGE`` when the block ends."""
    admin = await asyncpg.connect(admin_url)
    await admin.execute("TRUNCATE intake.request, intake.outbox CASCADE")
    await admin.close()
    await put(intake, NUDGE)
    yield
    await put(intake, AUTOMATION)


def reminder_of(intake: Intake, grace: timedelta = NOW) -> Reminder:
    automations = intake.context.automations
    reminding = Reminding(automations, intake.context.processes, intake.outbox, intake.clock)
    return Reminder(intake.database, reminding, automations, intake.clock, grace)


async def history_of(intake: Intake, reference: str) -> list[dict[str, Any]]:
    history: list[dict[str, Any]] = (await intake.app.get(f"/v1/requests/{reference}")).json()["history"]
    return history


async def said_of(intake: Intake, view: dict[str, Any]) -> list[int]:
    """The numbers of the reminders in the history, which are those of its events."""
    numbers = [e["data"]["number"] for e in await history_of(intake, view["reference"]) if e["type"] == "reminded"]
    events = [event.data for event in await intake.told_about(REQUESTS, view["id"])]
    assert [data.number for data in events if isinstance(data, RequestReminded)] == numbers
    return numbers


async def timers(intake: Intake) -> dict[str, timedelta]:
    """By reference, as spans from now."""
    async with intake.database.connection() as connection:
        rows = await connection.fetch("SELECT reference, look_at FROM reminder_timer JOIN request USING (request_id)")
    return {row["reference"]: row["look_at"] - intake.clock.now() for row in rows}


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0
