"""A process that says reminders, one request a transaction, until it is killed: ``URL INSTANT``.

It says ``ready``, waits for a line, and then writes one after each commit: how many requests it looked at.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from services.intake.handlers.automations import Automations
from services.intake.handlers.processes import Processes
from services.intake.handlers.reminding import Reminding
from shared.clock import ManualClock
from shared.outbox import Outbox
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from tests.unit.intake.shipped import AUTOMATION, FILES, PERSONAL, WORDED

_OPEN_SECONDS = 0.01  # how long everything but the commit is done, so that a kill often comes then


async def main(url: str, now: datetime) -> None:
    database = await Database.open(url, schema="intake", application_name="tests")
    clock = ManualClock(now)
    processes, automations = (
        Processes(database, clock, FILES, WORDED, PERSONAL),
        Automations(database, clock, AUTOMATION),
    )
    await processes.start()
    await automations.start()
    outbox = Outbox(database, InMemoryBroker().publisher(), "intake")
    reminding = Reminding(automations, processes, outbox, clock)
    _say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    while True:
        async with database.transaction() as connection:
            done = await reminding.fire(connection, 1)
            await asyncio.sleep(_OPEN_SECONDS)
        _say(str(done.looked))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
