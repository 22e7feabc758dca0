"""Reminders over a real Postgres: at the instant and as often as the rule says; none for what moved on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from services.intake.handlers.reminding import Progress, Reminding
from shared.contracts.casework import RequestReminded
from shared.contracts.topics import REQUESTS
from tests.integration.intake.batch_call import NDJSON, line
from tests.integration.intake.front_door import START, Intake
from tests.integration.intake.reminding import (
    HOUR,
    NOW,
    NUDGE,
    alone_with_the_rules,
    history_of,
    reminder_of,
    said_of,
    sample,
    timers,
)
from tests.integration.intake.test_automation import put
from tests.unit.intake.shipped import AUTOMATION

INSTANT = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
async def _alone_with_the_rules(intake: Intake, database_urls: dict[str, str]) -> AsyncIterator[None]:
    async with alone_with_the_rules(intake, database_urls["admin"]):
        yield


async def test_it_comes_at_the_instant_and_is_one_entry_and_one_event(intake: Intake) -> None:
    reminder = reminder_of(intake)
    view = await intake.submit()
    intake.clock.advance(4 * HOUR - INSTANT)
    assert await reminder.run_once() == 0
    intake.clock.advance(INSTANT)
    assert await reminder.run_once() == 1
    assert await reminder.run_once() == 0
    entry = (await history_of(intake, view["reference"]))[-1]
    assert (entry["type"], entry["by"], entry["cause"]) == ("reminded", "automation", "rule:nudge")
    assert datetime.fromisoformat(entry["occurred_at"]) == START + 4 * HOUR
    event = (await intake.told_about(REQUESTS, view["id"]))[-1]
    assert (event.sequence, event.occurred_at) == (2, START + 4 * HOUR)
    assert event.data == RequestReminded(
        request_id=view["id"],
        rule="nudge",
        stage="received",
        stage_entry=1,
        number=1,
        entered_at=START,
        due_at=START + 4 * HOUR,
        notify_roles=("claims_intake", "team_lead"),
    )
    verdict = (await intake.staff.get(f"/v1/requests/{view['reference']}/verification")).json()
    assert verdict["problems"] == []
    timeline = (await intake.staff.get(f"/v1/requests/{view['reference']}/timeline")).json()["happenings"]
    assert [each["type"] for each in timeline] == ["punctual.request.submitted", "punctual.request.reminded"]
    assert await timers(intake) == {view["reference"]: 2 * HOUR}


async def test_it_is_repeated_as_often_as_the_rule_says(intake: Intake) -> None:
    reminder = reminder_of(intake)
    view = await intake.submit()
    for hours in (4, 2, 2, 2, 100):
        intake.clock.advance(hours * HOUR)
        await reminder.run_once()
    assert await said_of(intake, view) == [1, 2, 3]
    assert await timers(intake) == {}


async def test_what_moves_on_pauses_or_ends_gets_none(intake: Intake) -> None:
    reminder = reminder_of(intake)
    moved, paused, closed, doing_nothing = [await intake.submit() for _ in range(4)]
    intake.clock.advance(3 * HOUR)
    await intake.move(moved["reference"], "stage", stage="assessment")
    await intake.move(paused["reference"], "pause", reason="customer_documents")
    await intake.move(closed["reference"], "close", outcome="withdrawn")
    assert await timers(intake) == {moved["reference"]: 4 * HOUR, doing_nothing["reference"]: HOUR}
    intake.clock.advance(HOUR)
    await reminder.run_once()
    assert [await said_of(intake, view) for view in (moved, paused, closed, doing_nothing)] == [[], [], [], [1]]
    await intake.move(paused["reference"], "resume", reason="customer_documents")
    assert (await timers(intake))[paused["reference"]] == HOUR  # it had waited three hours
    intake.clock.advance(HOUR)
    await reminder.run_once()
    assert await said_of(intake, paused) == [1]


async def test_a_move_that_is_told_late_counts_from_when_it_happened(intake: Intake) -> None:
    view = await intake.submit()
    intake.clock.advance(6 * HOUR)
    at = (START + 3 * HOUR).isoformat()
    await intake.move(view["reference"], "stage", stage="assessment", occurred_at=at)
    assert await timers(intake) == {view["reference"]: HOUR}


async def test_a_batch_and_a_part_that_is_split_off_have_timers_too(intake: Intake) -> None:
    content = line() + line() + line(kind="enquiry")
    answer = await intake.app.post("/v1/requests:batch", content=content, headers=NDJSON)
    one, two, enquiry = [json.loads(text)["reference"] for text in answer.text.splitlines()]
    split = await intake.move(one, "split", kind="claim", description="the other car")
    assert split.status_code == 201, split.text
    found = await timers(intake)
    assert found == dict.fromkeys([one, two, split.json()["reference"]], 4 * HOUR)
    assert enquiry not in found


async def test_rules_that_are_new_reach_requests_to_which_nothing_happens(intake: Intake) -> None:
    await put(intake, AUTOMATION)
    views = [await intake.submit() for _ in range(3)]
    over = await intake.submit()
    await intake.move(over["reference"], "close", outcome="withdrawn")
    intake.clock.advance(5 * HOUR)
    reminder = reminder_of(intake)
    assert await reminder.sweep_once() is Progress.DONE  # nothing that reminds is on
    assert await timers(intake) == {}
    await put(intake, NUDGE)
    assert await reminder_of(intake, grace=timedelta(minutes=5)).sweep_once() is Progress.WAITING
    assert await reminder.sweep_once() is Progress.DONE
    assert await timers(intake) == dict.fromkeys((view["reference"] for view in views), NOW)
    before = sample("punctual_intake_reminder_lateness_seconds_sum")
    assert await reminder.run_once() == 3
    assert sample("punctual_intake_reminder_lateness_seconds_sum") == before  # who could not know is not late
    assert [await said_of(intake, view) for view in views] == [[1]] * 3


async def test_a_sweep_goes_on_where_it_was_and_comes_back_to_what_somebody_worked_on(intake: Intake) -> None:
    await put(intake, AUTOMATION)
    references = [(await intake.submit())["reference"] for _ in range(5)]
    await put(intake, NUDGE)
    context = intake.context
    reminding = Reminding(context.automations, context.processes, intake.outbox, intake.clock)

    async def sweep() -> Progress:
        async with intake.database.transaction() as connection:
            return await reminding.sweep(connection, 2, NOW)

    assert await sweep() is Progress.GOING
    assert set(await timers(intake)) == set(references[:2])
    async with intake.database.transaction() as connection:
        await connection.execute("SELECT FROM request WHERE reference = $1 FOR NO KEY UPDATE", references[2])
        assert await sweep() is Progress.GOING
        assert set(await timers(intake)) == {*references[:2], references[3]}
    assert [await sweep(), await sweep(), await sweep()] == [Progress.GOING, Progress.DONE, Progress.DONE]
    assert set(await timers(intake)) == set(references)


async def test_rules_that_are_switched_off_say_nothing_of_what_was_set_before(intake: Intake) -> None:
    view = await intake.submit()
    await put(intake, AUTOMATION)
    intake.clock.advance(4 * HOUR)
    assert await reminder_of(intake).run_once() == 1
    assert await said_of(intake, view) == []
    assert await timers(intake) == {}


async def test_what_the_customer_asked_for_before_is_asked_when_it_comes(intake: Intake) -> None:
    await put(intake, NUDGE.replace("kind: claim,", "requests_before: {at_least: 1},"))
    customer = {"id": "R-1", "name": "Ann", "email": "ann@example.com", "language": "en"}
    first = await intake.submit(customer=customer)
    intake.clock.advance(timedelta(minutes=1))
    second = await intake.submit(customer=customer)
    intake.clock.advance(5 * HOUR)
    assert await reminder_of(intake).run_once() == 2
    assert (await said_of(intake, first), await said_of(intake, second)) == ([], [1])


async def test_the_component_wakes_by_itself_and_stops_when_told_to(intake: Intake) -> None:
    view = await intake.submit()
    intake.clock.advance(4 * HOUR)
    stopping = asyncio.Event()
    running = asyncio.create_task(reminder_of(intake).run(stopping))
    async with asyncio.timeout(20):
        while len(await history_of(intake, view["reference"])) == 1:
            await asyncio.sleep(0.01)
    stopping.set()
    await running
    assert await said_of(intake, view) == [1]


async def test_a_trial_counts_reminders(intake: Intake) -> None:
    since = intake.clock.now().isoformat()
    waiting, quick = await intake.submit(), await intake.submit()
    await intake.move(quick["reference"], "close", outcome="withdrawn")
    intake.clock.advance(7 * HOUR)
    body = {"source": NUDGE, "submitted_from": since, "submitted_to": "9000-01-01T00:00:00Z"}
    page = (await intake.staff.post("/v1/automation:try", json=body)).json()
    (found,) = page["rules"]
    assert (page["requests"], found["rule"], found["acted"], found["times"]) == (2, "nudge", 1, 2)
    assert {each["reference"] for each in found["listed"]} == {waiting["reference"]}
    first, second = [datetime.fromisoformat(each["at"]) for each in found["listed"]]
    assert (first, second - first) == (datetime.fromisoformat(since) + 4 * HOUR, 2 * HOUR)
