"""Deliver, repeat, tick and restart in any interleaving: the standing decisions end as those of an undisturbed run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.sla_timer.handlers.rulebooks import RuleFiles
from shared.clock import ManualClock
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload, RequestKind
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from tests.integration.sla_timer.conftest import empty
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import DATA, Desk, standing, wrong_counts

FILES = RuleFiles(DATA / "policies.yml", DATA / "calendars.yml")
Outcome = tuple[list[tuple[str, str, int]], list[tuple[str, ...]]]


@dataclass
class Script:
    """Attributes:
    events: at which hour each event is recorded.
    end: the hour at which everything is compared.
    """

    events: list[tuple[float, Event[Payload]]] = field(default_factory=list)
    end: float = 40.0


_ACTS = [
    Customer.responded,
    Customer.paused,
    Customer.resumed,
    Customer.closed,
    Customer.reopened,
    Customer.cancelled,
]


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    script = Script()
    for _ in range(draw(st.integers(1, 3))):
        customer = Customer()
        hour = draw(st.integers(0, 4)) / 2
        script.events.append((hour, customer.submits(_at(hour), kind=RequestKind.ENQUIRY)))
        for _ in range(draw(st.integers(0, 4))):
            hour += draw(st.integers(1, 12)) / 2
            occurred_at = _at(max(0.0, hour - draw(st.sampled_from([0, 0, 1, 6]))))
            act = draw(st.sampled_from(_ACTS))
            script.events.append((hour, act(customer, occurred_at, _at(hour))))
    script.events.sort(key=lambda entry: entry[0])
    return script


disturbances = st.lists(
    st.tuples(st.sampled_from(["tick", "restart", "second process", "repeat", "outage"]), st.integers(0, 10)),
    max_size=10,
)


def _at(hour: float) -> datetime:
    return MONDAY + hour * HOUR


async def _undisturbed(database: Database, script: Script) -> Outcome:
    desk = Desk(database, InMemoryBroker(), ManualClock(MONDAY), FILES)
    await desk.start()
    for hour, event in script.events:
        await desk.tick(_at(hour))
        await desk.deliver(event)
    await desk.tick(_at(script.end))
    return await _outcome(desk)


async def _disturbed(database: Database, script: Script, disturbances: list[tuple[str, int]]) -> Outcome:
    broker, clock = InMemoryBroker(), ManualClock(MONDAY)
    desks = [Desk(database, broker, clock, FILES)]
    await desks[0].start()
    is_out = False
    for index, (hour, event) in enumerate(script.events):
        clock.set(max(clock.now(), _at(hour)))
        await desks[0].send(event)
        for what, place in disturbances:
            if place != index:
                continue
            if what == "tick":
                await asyncio.gather(*(desk.tick() for desk in desks))
            elif what == "repeat":
                await desks[0].send(*(earlier for _, earlier in script.events[: index + 1]))
            elif what == "outage":
                is_out = not is_out
            elif what == "second process" and len(desks) == 1:
                desks.append(Desk(database, broker, clock, FILES))
                await desks[1].start()
            elif what == "restart":
                await desks.pop(0).stop()
                desks.append(Desk(database, broker, clock, FILES))
                await desks[-1].start()
        if not is_out:
            for desk in desks:
                await desk.consume()
    for desk in desks:
        await desk.consume()
    clock.set(_at(script.end))
    for desk in desks:
        await desk.tick()
    return await _outcome(desks[0])


async def _outcome(desk: Desk) -> Outcome:
    clocks = await desk.rows(
        "SELECT reference, objective, cycle::text, state, due_at::text, ended_at::text"
        " FROM clock JOIN tracked_request USING (request_id) ORDER BY 1, 2, 3"
    )
    overdue = await desk.rows("SELECT * FROM clock WHERE next_at <= $1", desk.clock.now())
    assert not overdue, "all is settled, and timers are left that would be looked at for ever"
    assert await wrong_counts(desk) == []
    return sorted(await standing(desk)), [tuple(row) for row in clocks]


@pytest.mark.usefixtures("rules")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=scripts(), disturbed_by=disturbances)
def test_any_interleaving_ends_as_the_undisturbed_run(
    database_urls: dict[str, str], script: Script, disturbed_by: list[tuple[str, int]]
) -> None:
    async def run() -> tuple[Outcome, Outcome]:
        database = await Database.open(database_urls["sla_timer"], schema="sla_timer", application_name="tests")
        try:
            await empty(database_urls["admin"], but_rules=True)
            expected = await _undisturbed(database, script)
            await empty(database_urls["admin"], but_rules=True)
            return expected, await _disturbed(database, script, disturbed_by)
        finally:
            await database.close()

    expected, got = asyncio.run(run())
    assert got == expected
