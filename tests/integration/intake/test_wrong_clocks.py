"""A machine whose clock is wrong destroys nothing because of its age."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.intake.domain.retention import RetentionRules
from services.intake.handlers.erasing import Erasing
from services.intake.handlers.watching import Watching
from services.intake.ticker.keys import KeyKeeper
from services.intake.ticker.retention import Retention
from shared.clock import real_now
from shared.contracts.payload import RequestKind
from shared.postgres import ClockCheck, ClocksDisagree
from tests.integration.intake.front_door import START, SUBMISSION, Intake, write
from tests.unit.intake.shipped import new_validation

YEARS = timedelta(days=3653)
WRONG = [timedelta(seconds=65), timedelta(days=4), YEARS, timedelta(seconds=-65), -YEARS]


def off_by(span: timedelta) -> ClockCheck:
    return ClockCheck("intake", lambda: real_now() + span)


def new_retention(intake: Intake, check: ClockCheck) -> Retention:
    rules = RetentionRules(dict.fromkeys(RequestKind, timedelta(days=30)))
    return Retention(intake.database, Erasing(intake.outbox, intake.clock), rules, intake.clock, check)


async def closed_customer(intake: Intake) -> str:
    customer = SUBMISSION["customer"] | {"id": f"C-{intake.clock.now().timestamp()}"}
    view = await intake.submit(customer=customer)
    assert (await intake.move(view["reference"], "cancel", reason="submitted_by_mistake")).is_success
    found = await intake.staff.get("/v1/customers", params={"channel": "app", "external_id": customer["id"]})
    customer_id: str = found.json()["customer_id"]
    return customer_id


async def is_erased(intake: Intake, customer_id: str) -> bool:
    return (await intake.staff.get(f"/v1/customers/{customer_id}/erasure")).is_success


async def test_a_process_whose_clock_is_wrong_erases_nobody_until_it_is_right(intake: Intake) -> None:
    customer_id = await closed_customer(intake)
    intake.clock.advance(YEARS)  # as a process takes it to be whose machine is as far ahead
    for span in WRONG:
        with pytest.raises(ClocksDisagree):
            await new_retention(intake, off_by(span)).run_once()
        assert not await is_erased(intake, customer_id)
    right = new_retention(intake, off_by(timedelta(seconds=50)))
    while not await right.run_once():
        pass
    assert await is_erased(intake, customer_id)


async def test_a_process_whose_clock_is_wrong_goes_on_and_stops_when_asked_to(intake: Intake) -> None:
    customer_id = await closed_customer(intake)
    intake.clock.advance(YEARS)
    stopping, was_asked = asyncio.Event(), asyncio.Event()

    def ahead() -> timedelta:
        was_asked.set()
        return YEARS

    ticker = new_retention(intake, ClockCheck("intake", lambda: real_now() + ahead()))
    running = asyncio.create_task(ticker.run(stopping))
    await asyncio.wait_for(was_asked.wait(), 5)
    stopping.set()
    await asyncio.wait_for(running, 5)
    assert not await is_erased(intake, customer_id)


async def test_a_process_whose_clock_is_wrong_forgets_no_answer(intake: Intake) -> None:
    headers = write()
    first = await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)
    for span in WRONG:
        with pytest.raises(ClocksDisagree):
            await KeyKeeper(intake.database, timedelta(hours=72), off_by(span)).run_once()
    assert await KeyKeeper(intake.database, timedelta(hours=72), off_by(timedelta(seconds=50))).run_once() == 0
    again = await intake.app.post("/v1/requests", json=SUBMISSION, headers=headers)
    assert (again.status_code, again.json()["id"]) == (first.status_code, first.json()["id"])


async def test_a_process_whose_clock_is_wrong_forgets_nothing_of_the_streams(intake: Intake) -> None:
    await intake.submit()
    validation = new_validation()
    validation.tally.accept("app", START)
    await Watching(intake.database, intake.clock, validation, off_by(timedelta(0))).look()

    async def known() -> list[Any]:
        async with intake.database.connection() as connection:
            return [
                [tuple(row) for row in await connection.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")]
                for table in ("request_portrait", "stream_hour", "stream_watch")
            ]

    before = await known()
    assert all(before)
    intake.clock.advance(YEARS)
    with pytest.raises(ClocksDisagree):
        await Watching(intake.database, intake.clock, validation, off_by(YEARS)).look()
    assert await known() == before


@pytest.mark.parametrize("span", [timedelta(seconds=-30), timedelta(0), timedelta(seconds=30)])
async def test_how_far_a_clock_is_off_is_exported(intake: Intake, span: timedelta) -> None:
    async with intake.database.connection() as connection:
        await off_by(span).check(connection)
    exported = REGISTRY.get_sample_value("punctual_host_clock_ahead_seconds", {"service": "intake"})
    assert exported is not None
    assert abs(exported - span.total_seconds()) < 5
