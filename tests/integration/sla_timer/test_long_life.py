"""A long life is followed, read in one batch, and lived with a restart between all its events: it ends the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from services.sla_timer.handlers.rulebooks import RuleFiles
from shared.clock import ManualClock
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload, Priority
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from tests.integration.sla_timer.conftest import empty
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import DATA, Desk, texts, wrong_counts
from tests.integration.sla_timer.test_new_events import Shown, begin, shown

FILES = RuleFiles(DATA / "policies.yml", DATA / "calendars.yml")

Act = Callable[[Customer, datetime], Event[Payload]]

LIFE: list[tuple[float, Act]] = [
    (0, lambda customer, at: customer.submits(at)),
    (1, lambda customer, at: customer.signalled("survey_ordered", at)),
    (2, lambda customer, at: customer.writes(at)),
    (3, lambda customer, at: customer.extended("resolution", 6 * HOUR, at)),
    (7, lambda customer, at: customer.responded(at)),
    (8, lambda customer, at: customer.writes(at)),
    (9, lambda customer, at: customer.responded(at)),
    (10, lambda customer, at: customer.paused(at)),
    (12, lambda customer, at: customer.informed(at)),
    (14, lambda customer, at: customer.signalled("survey_done", at)),
    (20, lambda customer, at: customer.resumed(at)),
    (30, lambda customer, at: customer.closed(at)),
    (31, lambda customer, at: customer.writes(at)),
    (40, lambda customer, at: customer.reopened(at)),
    (41, lambda customer, at: customer.becomes(Priority.URGENT, at)),
    (60, lambda customer, at: customer.becomes(Priority.NORMAL, at)),
    (61, lambda customer, at: customer.writes(at)),
    (70, lambda customer, at: customer.cancelled(at)),
]
"""A long one, in which every sort of event is heard, rungs come and cycles begin again."""

Outcome = tuple[Shown, list[str], list[tuple[object, ...]]]
Live = Callable[..., Awaitable[Outcome]]


async def _outcome(desk: Desk, customer: Customer) -> Outcome:
    told = await desk.told()
    assert [event.sequence for event in told] == list(range(1, len(told) + 1))
    assert await wrong_counts(desk) == []
    decisions = await desk.rows(
        "SELECT objective, cycle, kind, level, true_at, withdrawn_at IS NULL AS stands FROM decision"
        " JOIN clock USING (clock_id, cycle) ORDER BY 1, 2, 3, 4, 5"
    )
    return await shown(desk, customer), await desk.words(customer), [tuple(row) for row in decisions]


@pytest.fixture
async def live(database_urls: dict[str, str], open_database: Callable[[str], Awaitable[Database]]) -> Live:
    """Lives the life from an empty schema to its end."""
    database = await open_database("sla_timer")

    async def run(*, is_ticked: bool, has_restarts: bool = False, in_one_batch: bool = False) -> Outcome:
        await empty(database_urls["admin"])
        broker, clock, customer = InMemoryBroker(), ManualClock(MONDAY), Customer()
        desk = Desk(database, broker, clock, FILES)
        await desk.start()
        await begin(desk)
        for hour, act in LIFE:
            clock.set(MONDAY + hour * HOUR)
            if is_ticked:
                await desk.tick()
            await desk.send(act(customer, clock.now()))
            if has_restarts:
                await desk.stop()
                desk = Desk(database, broker, clock, FILES)
                await desk.start()
            if not in_one_batch:
                await desk.consume()
        await desk.consume()
        await desk.tick(MONDAY + 200 * HOUR)
        outcome = await _outcome(desk, customer)
        await desk.stop()
        return outcome

    return run


async def test_a_long_life_ends_as_it_should(live: Live) -> None:
    clocks, words, decisions = await live(is_ticked=True)
    assert clocks == {
        ("response", 1): ("met", 8),
        ("resolution", 1): ("met", 96),  # six hours were granted, ten waited for
        ("resolution", 2): ("cancelled", 120),
        ("reply", 1): ("missed", 6),
        ("reply", 2): ("met", 12),
        ("reply", 3): ("cancelled", 65),
        ("update", 1): ("met", 24),
        ("update", 2): ("met", 31),
        ("update", 3): ("met", 33),
        ("update", 4): ("met", 36),
        ("survey", 1): ("missed", 13),
    }
    assert [(objective, cycle, kind, stands) for objective, cycle, kind, _, _, stands in decisions] == [
        ("reply", 1, "breach", True),
        ("reply", 3, "breach", True),
        ("response", 1, "warning", True),
        ("survey", 1, "breach", True),
    ]
    resolution = ["started", "retargeted", "paused", "resumed", "met"]
    assert texts(words, "resolution") == [*resolution, "started", "retargeted", "retargeted", "cancelled"]


@pytest.mark.parametrize("is_ticked", [False, True])
async def test_restarts_between_all_events_change_nothing(live: Live, *, is_ticked: bool) -> None:
    undisturbed = await live(is_ticked=is_ticked)
    assert await live(is_ticked=is_ticked, has_restarts=True) == undisturbed


async def test_a_life_read_in_one_batch_ends_as_one_that_was_followed(live: Live) -> None:
    followed, batch = await live(is_ticked=True), await live(is_ticked=False, in_one_batch=True)
    assert (batch[0], batch[2]) == (followed[0], followed[2])
    assert sorted(batch[1]) == sorted(followed[1])
