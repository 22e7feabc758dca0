"""What processes count is added up in the database; the streams are judged once, by whoever looks first."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.intake.domain.anomalies.streams import hour_of, start_of
from services.intake.handlers.validation import Validation
from services.intake.handlers.watching import SETTLING, Watching
from services.intake.ticker.watching import Watcher
from shared.errors import DatabaseUnavailable
from shared.ids import new_id
from tests.integration.intake.front_door import START, Gated, Intake
from tests.unit.intake.shipped import new_validation
from tests.unit.intake.validation.shipped import facts

WEEK = 168
NOW_HOUR = hour_of(START)


def watching(intake: Intake) -> tuple[Watching, Validation]:
    """Those of one process."""
    validation = new_validation()
    return Watching(intake.database, intake.clock, validation), validation


async def with_past(intake: Intake, channel: str, per_hour: int, weeks: int = 6) -> None:
    """The channel was watched for weeks, up to the hour that is under way."""
    hours = list(range(NOW_HOUR - weeks * WEEK, NOW_HOUR))
    async with intake.database.connection() as connection:
        await connection.execute(
            "INSERT INTO stream_hour SELECT $1, hour, $2, 0, true FROM unnest($3::integer[]) AS hour",
            channel,
            per_hour,
            hours,
        )
        await connection.execute(
            "INSERT INTO stream_watch VALUES ($1, $2, $3, $4)",
            channel,
            start_of(hours[0]),
            START - SETTLING,
            f'{{"judged": {NOW_HOUR - 1}, "ringing": {{}}}}',
        )


async def seen(intake: Intake, channel: str) -> dict[str, Any]:
    answer = await intake.staff.get("/v1/streams")
    assert answer.status_code == 200
    view: dict[str, Any] = next(each for each in answer.json() if each["channel"] == channel)
    return view


def rings(channel: str, cause: str) -> float | None:
    return REGISTRY.get_sample_value("punctual_intake_stream_alarm", {"channel": channel, "cause": cause})


async def test_a_surge_that_two_processes_saw_half_of_is_told_after_its_hour(intake: Intake) -> None:
    channel = f"surge-{new_id().hex[:12]}"
    await with_past(intake, channel, per_hour=30)
    processes = [watching(intake) for _ in range(2)]
    for _, validation in processes:
        for _ in range(60):
            validation.tally.accept(channel, intake.clock.now())
    for one, _ in processes:
        await one.look()
    assert (await seen(intake, channel))["alarms"] == []
    intake.clock.set(start_of(NOW_HOUR + 1) + SETTLING)
    for one, _ in processes:
        await one.look()
    view = await seen(intake, channel)
    assert view["alarms"] == [{"cause": "surge", "since": start_of(NOW_HOUR).isoformat().replace("+00:00", "Z")}]
    assert (view["accepted"], view["usual"]) == (120, 30)
    assert (rings(channel, "surge"), rings(channel, "silence")) == (1, 0)


async def test_what_is_refused_at_the_door_is_counted_for_the_channel(intake: Intake) -> None:
    before = sum(intake.context.validation.tally.refused.values())
    answer = await intake.app.post(
        "/v1/requests",
        json={"kind": "claim", "market": "HK", "attributes": {"amount": -1}, "customer": CUSTOMER},
        headers={"Idempotency-Key": new_id().hex},
    )
    assert answer.status_code == 422
    tally = intake.context.validation.tally
    assert (sum(tally.refused.values()), tally.refused["app", NOW_HOUR]) == (before + 1, before + 1)


CUSTOMER = {"id": "C-9", "name": "Ann", "language": "en"}


async def test_pasts_of_two_processes_add_up_and_are_known_after_a_restart(intake: Intake) -> None:
    line = f"line-{new_id().hex[:12]}"
    processes = [watching(intake) for _ in range(2)]
    for _, validation in processes:
        for number in range(120):
            validation.pasts.record(facts({"amount": 10_000 + 10 * number}, line=line))
    strange = facts({"amount": 5_000_000}, line=line)
    assert list(processes[0][1].pasts.judge(strange)) == []  # 120 say nothing yet
    for one, _ in processes:
        await one.store()
    restarted, validation = watching(intake)
    await restarted.start()
    (oddity,) = validation.pasts.judge(strange)
    assert (oddity.code, oddity.observations) == ("implausibly_high", 240)
    await processes[0][0].look()
    assert len(list(processes[0][1].pasts.judge(strange))) == 1


async def test_an_implausible_value_goes_into_quarantine(intake: Intake) -> None:
    line = f"line-{new_id().hex[:12]}"
    for number in range(200):
        intake.context.validation.pasts.record(facts({"amount": 10_000 + 10 * number}, line=line))
    usual = await intake.submit(product_line=line, attributes={"amount": 12_000})
    strange = await intake.submit(product_line=line, attributes={"amount": 5_000_000})
    assert usual["findings"] == {}
    assert strange["findings"] == {"implausibly_high": "open"}
    assert strange["history"][1]["data"] == {"findings": {"implausibly_high": ["amount"]}}


async def test_what_could_not_be_stored_is_stored_by_the_next_look(intake: Intake) -> None:
    channel = f"kept-{new_id().hex[:12]}"
    _, validation = watching(intake)
    validation.tally.accept(channel, START)
    with pytest.raises(DatabaseUnavailable):
        await Watching(Away(intake.database), intake.clock, validation).look()
    await Watching(intake.database, intake.clock, validation).look()
    async with intake.database.connection() as connection:
        stored = await connection.fetchval("SELECT sum(accepted) FROM stream_hour WHERE channel = $1", channel)
    assert stored == 1


async def test_the_last_minute_is_stored_when_the_service_stops(intake: Intake) -> None:
    channel = f"last-{new_id().hex[:12]}"
    one, validation = watching(intake)
    stopping = asyncio.Event()
    stopping.set()
    validation.tally.accept(channel, START)
    await Watcher(one).run(stopping)
    async with intake.database.connection() as connection:
        stored = await connection.fetchval("SELECT sum(accepted) FROM stream_hour WHERE channel = $1", channel)
    assert stored == 1


async def test_portraits_that_nothing_can_be_like_any_more_are_forgotten(intake: Intake) -> None:
    view = await intake.submit()
    one, validation = watching(intake)
    intake.clock.advance(validation.book.duplicates.within + timedelta(seconds=1))
    await one.look()
    async with intake.database.connection() as connection:
        left = await connection.fetchval("SELECT count(*) FROM request_portrait WHERE request_id = $1", view["id"])
    assert left == 0


class Away(Gated):
    """A database that does not answer."""

    def __init__(self, known: Any) -> None:
        super().__init__(known._pool)

    def transaction(self) -> Any:
        raise DatabaseUnavailable("Postgres is away")
