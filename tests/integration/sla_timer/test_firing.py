from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from shared.contracts.payload import RequestKind
from shared.contracts.topics import REQUESTS
from shared.errors import DatabaseUnavailable
from shared.postgres import Database
from tests.integration.sla_timer.conftest import StartDesk
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import Desk, standing, texts, timers

TICK = timedelta(microseconds=1)


async def test_a_timer_fires_at_its_instant_and_not_before(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    assert await desk.tick(MONDAY + 6 * HOUR - TICK) == 0
    assert await desk.tick(MONDAY + 6 * HOUR) == 1
    assert await standing(desk) == [(f"{customer.reference} response", "warning", 1)]


async def test_each_rung_fires_once_with_its_lateness(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits(kind=RequestKind.ENQUIRY))
    for hours in (3, 3, 4, 5, 8, 8, 28, 29):
        await desk.tick(MONDAY + hours * HOUR + timedelta(seconds=2))
    response = texts(await desk.words(customer), "response")
    assert response == ["started", "warned", "breached", "escalated", "escalated"]
    rows = await desk.rows(
        "SELECT lateness_ms, kind FROM decision JOIN clock USING (clock_id) WHERE objective = $1", "response"
    )
    assert [row["lateness_ms"] for row in rows] == [2000.0] * 4


async def test_what_is_overdue_after_an_outage_fires_earliest_first(start_desk: StartDesk) -> None:
    before = await start_desk()
    customers = [Customer() for _ in range(5)]
    await before.deliver(*(c.submits(MONDAY + n * HOUR / 6) for n, c in enumerate(customers)))
    await before.stop()
    after = await start_desk()
    await after.tick(MONDAY + 9 * HOUR)
    rows = await after.rows(
        "SELECT partition, true_at, recorded_at FROM decision JOIN clock USING (clock_id) ORDER BY decision_id"
    )
    assert len(rows) == 2 * len(customers)
    assert {row["recorded_at"] for row in rows} == {MONDAY + 9 * HOUR}
    for partition in {row["partition"] for row in rows}:
        fired = [row["true_at"] for row in rows if row["partition"] == partition]
        assert fired == sorted(fired)


async def test_the_earliest_of_all_partitions_fires_first_although_not_all_is_read(
    start_desk: StartDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await start_desk()
    customers = [Customer() for _ in range(40)]
    await before.deliver(*(c.submits(MONDAY + n * timedelta(minutes=1)) for n, c in enumerate(customers)))
    await before.stop()
    monkeypatch.setattr("services.sla_timer.ticker.firing._READ_AT_ONCE", 3)
    after = await start_desk()
    after.clock.set(MONDAY + 9 * HOUR)
    looks = 0
    while (await after.rows("SELECT count(*) FROM clock WHERE next_at <= $1", after.clock.now()))[0]["count"]:
        await after.ticker.run_once()
        looks += 1
        assert looks < 100
    rows = await after.rows("SELECT true_at FROM decision WHERE kind = 'warning' ORDER BY decision_id")
    fired = [row["true_at"] for row in rows]
    assert len(fired) == len(customers)
    assert fired == sorted(fired)


async def test_a_restart_decides_nothing_twice(start_desk: StartDesk) -> None:
    customer = Customer()
    for hours in (0, 6, 8, 10, 30):
        desk = await start_desk()
        if hours == 0:
            await desk.deliver(customer.submits())
        await desk.tick(MONDAY + hours * HOUR)
        await desk.tick()
        await desk.stop()
    assert texts(await desk.words(customer), "response") == ["started", "warned", "breached", "escalated"]


async def test_timers_wait_for_the_events_of_an_outage(start_desk: StartDesk) -> None:
    before = await start_desk()
    customer = Customer()
    await before.deliver(customer.submits())
    await before.stop()
    after = await start_desk()
    await after.send(customer.responded(MONDAY + HOUR))
    assert await after.tick(MONDAY + 20 * HOUR) == 0
    await after.consume()
    after.clock.advance(HOUR)
    assert await after.tick() == 0
    assert texts(await after.words(customer), "response") == ["started", "met"]


async def test_a_process_that_lost_its_partitions_drops_their_timers(start_desk: StartDesk) -> None:
    old = await start_desk()
    customers = [Customer() for _ in range(8)]
    await old.deliver(*(customer.submits() for customer in customers))
    await old.ticker.run_once()
    epochs = dict(old.ownership.epochs)
    new = await start_desk()  # takes half of the partitions
    lost = {where: epoch for where, epoch in epochs.items() if where not in old.ownership.epochs}
    old.ownership._epochs.update(lost)  # a zombie: nobody told it
    old.clock.set(MONDAY + 9 * HOUR)
    fired = await new.tick()
    for _ in range(1 + len(lost)):  # each refusal drops one partition
        fired += await old.tick()
    assert fired == 2 * len(customers)
    assert len(await standing(new)) == 2 * len(customers)
    assert await old.tick() == 0


async def test_a_partition_that_comes_back_is_served_again(start_desk: StartDesk) -> None:
    first = await start_desk()
    customers = [Customer() for _ in range(8)]
    await first.deliver(*(customer.submits() for customer in customers))
    second = await start_desk()
    await first.tick(MONDAY + 6 * HOUR)
    await second.stop()
    assert await first.tick(MONDAY + 8 * HOUR) >= len(customers)
    assert len(await standing(first)) == 2 * len(customers)


async def test_an_earlier_timer_wakes_the_loop(desk: Desk) -> None:
    await desk.deliver(Customer().submits())
    await desk.tick()
    desk.ticker._wake.clear()
    customer = Customer()
    await desk.deliver(customer.submits(MONDAY - 6 * HOUR + timedelta(seconds=30)))
    assert not desk.ticker._wake.is_set()  # closed hours: its warning comes no earlier
    await desk.deliver(Customer().submits(MONDAY - 1 * HOUR, kind=RequestKind.CLAIM, priority="urgent"))
    assert desk.ticker._wake.is_set()


async def test_the_loop_fires_by_itself_and_ends_when_asked(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    stopping = asyncio.Event()
    task = asyncio.create_task(desk.ticker.run(stopping))
    desk.clock.set(MONDAY + 8 * HOUR)
    async with asyncio.timeout(10):
        while not await standing(desk):
            await asyncio.sleep(0.02)
    stopping.set()
    async with asyncio.timeout(5):
        await task


async def test_timers_in_hand_are_not_lost_when_postgres_goes_away(
    desk: Desk, open_database: Callable[[str], Awaitable[Database]]
) -> None:
    await desk.deliver(Customer().submits())
    await desk.tick()
    desk.clock.set(MONDAY + 8 * HOUR)
    await desk.ticker._read_ahead()
    desk.database._pool.terminate()
    with pytest.raises(DatabaseUnavailable):
        await desk.ticker.run_once()
    assert len(desk.book) == 1
    database = await open_database("sla_timer")
    desk.ticker._database = desk.timers._database = desk.outbox._database = database
    assert await desk.tick() == 2


async def test_a_timer_that_memory_missed_is_found(desk: Desk) -> None:
    await desk.deliver(Customer().submits())
    assert await desk.tick(MONDAY + 6 * HOUR) == 1
    for partition in desk.ownership.partitions(REQUESTS.name):
        desk.book.drop(partition)
        desk.book.mark_read(partition, MONDAY + 9 * HOUR)
    desk.clock.set(MONDAY + 8 * HOUR)
    assert await desk.tick() == 0
    desk.clock.advance(timedelta(seconds=2))
    desk.ticker._swept_at = None  # a second of real time has passed
    assert await desk.tick() == 1


async def test_a_stale_timer_of_an_older_generation_decides_nothing(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    rows = await desk.rows("SELECT due_at FROM clock WHERE objective = 'resolution'")
    due_at = rows[0]["due_at"]
    desk.clock.set(due_at - timedelta(seconds=30))
    await desk.tick()
    await desk.deliver(
        customer.paused(due_at - timedelta(seconds=20)), customer.resumed(due_at - timedelta(seconds=10))
    )
    await desk.tick(due_at)
    words = texts(await desk.words(customer), "resolution")
    assert words == ["started", "warned", "paused", "resumed"]
    await desk.tick(due_at + timedelta(days=3))  # ten seconds of Monday
    assert texts(await desk.words(customer), "resolution")[4:] == ["breached", "escalated"]


async def test_more_timers_than_are_read_at_once_are_all_fired_even_when_due_together(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sla_timer.ticker.firing._READ_AT_ONCE", 3)
    customers = [Customer() for _ in range(20)]
    await desk.deliver(*(customer.submits() for customer in customers))
    assert await desk.tick(MONDAY + 8 * HOUR) == 40


async def test_a_batch_that_arms_timers_and_decides_them_leaves_none_of_them(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits(kind=RequestKind.ENQUIRY), customer.responded(MONDAY + 5 * HOUR))
    assert {kind for _, kind, _ in await standing(desk)} == {"warning", "breach"}
    assert await timers(desk) == {"resolution": 1}


async def test_of_a_ladder_only_the_next_rung_is_a_timer(desk: Desk) -> None:
    await desk.deliver(Customer().submits(kind=RequestKind.ENQUIRY))
    seen = []
    for hours in (0, 3, 4, 8, 28):
        await desk.tick(MONDAY + hours * HOUR)
        rows = await desk.rows("SELECT next_rung, generation FROM clock WHERE objective = 'response'")
        seen.append((rows[0]["next_rung"], rows[0]["generation"]))
    assert seen == [("warning:1", 1), ("breach:1", 2), ("escalation:1", 3), ("escalation:2", 4), (None, 5)]


async def test_a_timer_that_stands_too_early_is_set_anew_when_it_fires(desk: Desk) -> None:
    """Such as one that another program, or a hand, has written."""
    await desk.deliver(Customer().submits())
    await desk.rows("UPDATE clock SET next_at = $1 WHERE objective = 'response'", MONDAY + HOUR)
    desk.forget()
    assert await desk.tick(MONDAY + HOUR) == 1
    assert not await desk.rows("SELECT * FROM clock WHERE next_at <= $1", desk.clock.now())
    assert await standing(desk) == []
    await desk.tick(MONDAY + 6 * HOUR)
    assert [kind for _, kind, _ in await standing(desk)] == ["warning"]
