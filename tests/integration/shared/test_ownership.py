"""Who may write for a partition: other processes by its epoch, this process's own tasks by turns."""

from __future__ import annotations

import asyncio

import pytest

from shared.contracts.topics import REQUESTS
from shared.errors import Fenced
from shared.ids import new_id
from shared.inbox import Ownership
from shared.kafka.records import TopicPartition
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from shared.testing.plumbing import SERVICE, Member, handled, pause_event, wait_until

ZERO, ONE, TWO = (TopicPartition(REQUESTS.name, number) for number in range(3))


def ownership(database: Database, owner: str) -> Ownership:
    return Ownership(database, SERVICE, owner)


async def owns(database: Database, one: Ownership, where: TopicPartition) -> bool:
    try:
        async with database.transaction() as connection:
            await one.check(connection, *where)
    except Fenced:
        return False
    return True


async def test_a_restarted_process_resumes_what_it_was_the_last_to_take(plumbing: Database) -> None:
    before = ownership(plumbing, "a")
    await before.take([ZERO, ONE, TWO])
    await ownership(plumbing, "b").take([TWO])
    async with plumbing.transaction() as connection:
        await connection.execute("UPDATE inbox_position SET next_offset = 7 WHERE partition = 1")

    after = ownership(plumbing, "a")

    assert await after.resume() == {ZERO: 0, ONE: 7}
    assert [await owns(plumbing, after, where) for where in (ZERO, ONE, TWO)] == [True, True, False]
    assert not await owns(plumbing, before, ZERO)


async def test_what_was_resumed_is_lost_as_soon_as_another_process_takes_it(plumbing: Database) -> None:
    await ownership(plumbing, "a").take([ZERO])
    resumed = ownership(plumbing, "a")
    await resumed.resume()

    await ownership(plumbing, "b").take([ZERO])

    assert not await owns(plumbing, resumed, ZERO)


async def test_work_begun_under_an_older_epoch_is_refused_although_the_partition_is_ours_again(
    plumbing: Database,
) -> None:
    one = ownership(plumbing, "a")
    await one.take([ZERO])
    begun_under = dict(one.epochs)
    await one.take([ZERO])

    with pytest.raises(Fenced):
        async with plumbing.transaction() as connection:
            await one.check_all(connection, [ZERO], begun_under)
    async with plumbing.transaction() as connection:
        assert await one.check_all(connection, [ZERO]) == {ZERO: 0}


async def test_what_was_resumed_and_not_assigned_is_dropped(plumbing: Database) -> None:
    broker = InMemoryBroker(partitions=1)
    one = Member(plumbing, broker.subscription([REQUESTS.name], group=SERVICE), broker.publisher())
    await one.ownership.take([ZERO, ONE])
    one.start()
    await one.send([pause_event(new_id(), 1)])

    async def has_come() -> bool:
        return len(await handled(plumbing)) == 1

    await wait_until(has_come)
    assert one.ownership.partitions(REQUESTS.name) == {0}
    await one.stop()


async def test_tasks_take_turns_on_a_partition_in_the_order_they_came(plumbing: Database) -> None:
    one, turns = ownership(plumbing, "a"), []

    async def work(name: str, *partitions: TopicPartition) -> None:
        async with one.exclusive(partitions):
            turns.append(f"{name} begins")
            await asyncio.sleep(0)
            turns.append(f"{name} ends")

    await asyncio.gather(work("first", ONE, ZERO), work("second", ZERO, ONE), work("third", ZERO), work("other", TWO))
    own = [turn for turn in turns if not turn.startswith("other")]
    assert own == [f"{name} {verb}" for name in ("first", "second", "third") for verb in ("begins", "ends")]


async def test_a_turn_that_is_given_up_while_waiting_blocks_nobody(plumbing: Database) -> None:
    one = ownership(plumbing, "a")

    async def work(*partitions: TopicPartition) -> None:
        async with one.exclusive(partitions):
            pass

    async with one.exclusive([ONE]):
        waiting = asyncio.ensure_future(work(ZERO, ONE))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await work(ZERO, ONE)
