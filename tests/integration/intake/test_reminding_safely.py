"""Each reminder is said once, whoever looks, whoever works on the request and whoever dies."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from datetime import timedelta
from signal import SIGKILL

import asyncpg
import pytest

from services.intake.handlers.reminding import Reminding
from shared.contracts.casework import RequestReminded
from shared.contracts.topics import REQUESTS
from shared.errors import DatabaseUnavailable
from tests.integration.intake import remind_until_killed
from tests.integration.intake.front_door import START, Intake
from tests.integration.intake.reminding import (
    HOUR,
    alone_with_the_rules,
    history_of,
    reminder_of,
    said_of,
    sample,
    timers,
)


@pytest.fixture(autouse=True)
async def _alone_with_the_rules(intake: Intake, database_urls: dict[str, str]) -> AsyncIterator[None]:
    async with alone_with_the_rules(intake, database_urls["admin"]):
        yield


async def test_after_an_outage_the_earliest_comes_first_and_each_request_has_one(intake: Intake) -> None:
    views = []
    for _ in range(5):
        views.append(await intake.submit())
        intake.clock.advance(timedelta(minutes=1))
    intake.clock.advance(timedelta(days=2))
    before = sample("punctual_intake_reminder_lateness_seconds_sum")
    assert await reminder_of(intake).run_once() == 5
    told = [e for e in await intake.told(REQUESTS) if isinstance(e.data, RequestReminded)]
    due = [e.data.due_at for e in told if isinstance(e.data, RequestReminded)]
    assert sorted(str(event.subject) for event in told) == sorted(view["id"] for view in views)
    async with intake.database.connection() as connection:  # the outbox publishes each shard on its own
        rows = await connection.fetch("SELECT request_id FROM request_event WHERE type = 'reminded' ORDER BY ctid")
    assert [str(row["request_id"]) for row in rows] == [view["id"] for view in views]
    late = sample("punctual_intake_reminder_lateness_seconds_sum") - before
    assert late == pytest.approx(sum((intake.clock.now() - at).total_seconds() for at in due))


async def test_whoever_looks_at_the_same_time_each_is_said_once(intake: Intake) -> None:
    views = [await intake.submit() for _ in range(12)]
    intake.clock.advance(4 * HOUR)
    before = sample("punctual_intake_reminders_total", rule="nudge")
    await asyncio.gather(*(reminder_of(intake).run_once() for _ in range(4)))
    assert [await said_of(intake, view) for view in views] == [[1]] * 12
    assert sample("punctual_intake_reminders_total", rule="nudge") - before == 12


async def test_who_dies_before_the_commit_has_said_nothing_and_the_next_one_says_it(
    intake: Intake, database_urls: dict[str, str]
) -> None:
    view = await intake.submit()
    intake.clock.advance(5 * HOUR)
    with pytest.raises(DatabaseUnavailable):
        await _fire_and_die(intake, database_urls["admin"])
    assert await said_of(intake, view) == []
    for _ in range(2):
        await reminder_of(intake).run_once()
    assert await said_of(intake, view) == [1]


async def test_a_process_that_is_killed_while_two_say_reminders_leaves_none_out_and_doubles_none(
    intake: Intake, database_urls: dict[str, str]
) -> None:
    views = await asyncio.gather(*(intake.submit() for _ in range(60)))
    intake.clock.advance(5 * HOUR)
    arguments = ("-m", remind_until_killed.__name__, database_urls["intake"], intake.clock.now().isoformat())
    children = [
        await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE) for _ in range(2)
    ]
    try:
        async with asyncio.timeout(120):
            for child in children:
                assert await _line_of(child) == "ready"
            for child in children:
                _go(child)
            for _ in range(4):
                await _line_of(children[0])
            children[0].kill()
            assert await children[0].wait() == -SIGKILL
            while min((await timers(intake)).values()) <= timedelta(0):
                await _line_of(children[1])
    finally:
        for child in children:
            if child.returncode is None:
                child.kill()
                await child.wait()
    assert [await said_of(intake, view) for view in views] == [[1]] * 60


async def test_a_timer_that_was_forgotten_or_stands_too_early_changes_nothing(intake: Intake) -> None:
    """The history under the lock decides; the timer only says when to look."""
    view = await intake.submit()
    intake.clock.advance(4 * HOUR)
    reminder = reminder_of(intake)
    await reminder.run_once()
    for _ in range(3):
        async with intake.database.connection() as connection:
            await connection.execute("UPDATE reminder_timer SET look_at = $1", START)
        assert await reminder.run_once() == 1
    assert await said_of(intake, view) == [1]
    assert await timers(intake) == {view["reference"]: 2 * HOUR}


async def test_what_somebody_works_on_is_left_for_the_next_look(intake: Intake) -> None:
    busy, free = await intake.submit(), await intake.submit()
    intake.clock.advance(4 * HOUR)
    reminder = reminder_of(intake)
    async with intake.database.transaction() as connection:
        await connection.execute("SELECT FROM request WHERE reference = $1 FOR NO KEY UPDATE", busy["reference"])
        assert await reminder.run_once() == 1
    assert (await said_of(intake, busy), await said_of(intake, free)) == ([], [1])
    assert await reminder.run_once() == 1
    assert await said_of(intake, busy) == [1]


async def test_a_process_that_cannot_be_read_holds_up_nobody_else(
    intake: Intake, database_urls: dict[str, str]
) -> None:
    broken, whole = await intake.submit(), await intake.submit()
    intake.clock.advance(4 * HOUR)
    admin = await asyncpg.connect(database_urls["admin"])
    await admin.execute(
        "INSERT INTO intake.process_version (process, version, source, origin, author, applied_at)"
        " VALUES ('of_a_later_program', 1, 'format: 7', 'api', 'x', now());"
        "UPDATE intake.request SET process = 'of_a_later_program', process_version = 1"
        f" WHERE reference = '{broken['reference']}'"
    )
    assert await reminder_of(intake).run_once() == 2
    assert await said_of(intake, whole) == [1]
    assert (await timers(intake))[broken["reference"]] == HOUR
    await admin.execute("UPDATE intake.request SET process = 'claim' WHERE process = 'of_a_later_program'")
    await admin.execute("DELETE FROM intake.process_version WHERE process = 'of_a_later_program'")
    await admin.close()


async def test_moves_and_looks_at_the_same_time_never_remind_of_what_moved_on(intake: Intake) -> None:
    """Whichever comes first holds the lock; every reminder stands before the move that ended its stage."""
    views = [await intake.submit() for _ in range(10)]
    intake.clock.advance(4 * HOUR)
    looking = (reminder_of(intake).run_once() for _ in range(3))
    moving = (intake.move(view["reference"], "pause", reason="third_party") for view in views)
    await asyncio.gather(*moving, *looking)
    for view in views:
        types = [entry["type"] for entry in await history_of(intake, view["reference"])]
        assert types in (["submitted", "paused"], ["submitted", "reminded", "paused"])
    assert await timers(intake) == {}


async def _line_of(child: Process) -> str:
    assert child.stdout is not None
    return (await child.stdout.readline()).decode().strip()


def _go(child: Process) -> None:
    assert child.stdin is not None
    child.stdin.write(b"\n")


async def _fire_and_die(intake: Intake, admin_url: str) -> None:
    """Everything is written but for the commit when the connection is killed."""
    reminding = Reminding(intake.context.automations, intake.context.processes, intake.outbox, intake.clock)
    admin = await asyncpg.connect(admin_url)
    try:
        async with intake.database.transaction() as connection:
            assert len((await reminding.fire(connection, 10)).said) == 1
            assert await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
    finally:
        await admin.close()
