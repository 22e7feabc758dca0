"""What processes count is added up in the database; the streams are judged once, by whoever looks first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from services.intake.api.rate_limits import RateLimits
from services.intake.domain.anomalies.streams import LONGEST_GAP, hour_of, start_of
from services.intake.domain.rate import Rate
from services.intake.handlers.validation import Validation
from services.intake.handlers.watching import SETTLING, Watching
from services.intake.ticker.watching import Watcher
from shared.errors import DatabaseUnavailable
from shared.ids import new_id
from shared.postgres import ClockCheck
from tests.integration.intake.front_door import START, Gated, Intake, write
from tests.unit.intake.shipped import new_validation
from tests.unit.intake.validation.shipped import facts

WEEK = 168
NOW_HOUR = hour_of(START)


def watching(intake: Intake) -> tuple[Watching, Validation]:
    """Those of one process."""
    validation = new_validation()
    return Watching(intake.database, intake.clock, validation, ClockCheck("intake")), validation


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


async def look_until(intake: Intake, until: datetime, *processes: Watching) -> None:
    """As often as needed for a watch without a gap."""
    while intake.clock.now() < until:
        intake.clock.set(min(intake.clock.now() + LONGEST_GAP, until))
        for one in processes:
            await one.look()


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
    await look_until(intake, start_of(NOW_HOUR + 1) + SETTLING, *(one for one, _ in processes))
    view = await seen(intake, channel)
    assert view["alarms"] == [{"cause": "surge", "since": start_of(NOW_HOUR).isoformat().replace("+00:00", "Z")}]
    assert (view["accepted"], view["usual"]) == (120, 30)
    assert (rings(channel, "surge"), rings(channel, "silence")) == (1, 0)


@pytest.mark.parametrize(("holidays", "told"), [((), ["drop"]), ((date(2026, 11, 24),), [])])
async def test_a_channel_that_sends_nothing_is_not_blamed_on_a_holiday(
    intake: Intake, holidays: Collection[date], told: list[str]
) -> None:
    async with intake.database.connection() as connection:
        await connection.execute("DELETE FROM stream_hour")  # channels of other tests, down as well, would excuse it
    channel = f"holiday-{new_id().hex[:12]}"
    await with_past(intake, channel, per_hour=30)
    known = new_validation()
    book = replace(known.book, streams=replace(known.book.streams, holidays=frozenset(holidays)))
    validation = Validation(book, b"a secret", sha256=known.sha256, loaded_at=known.loaded_at)
    await look_until(
        intake,
        start_of(NOW_HOUR + 1) + SETTLING,
        Watching(intake.database, intake.clock, validation, ClockCheck("intake")),
    )
    assert [alarm["cause"] for alarm in (await seen(intake, channel))["alarms"]] == told


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

GOOD = json.dumps({"kind": "claim", "market": "HK", "customer": CUSTOMER}).encode()

GARBAGE: dict[str, bytes] = {
    "no JSON": b'{"kind":',
    "nothing": b"",
    "no UTF-8": b'{"kind": "\xff"}',
    "a wrong field": GOOD.replace(b"claim", b"lottery"),
    "an instant in the future": GOOD[:-1] + b', "occurred_at": "2027-01-01T00:00:00Z"}',
    "what cannot be true": GOOD[:-1] + b', "attributes": {"amount": -1}}',
    "a personal name": GOOD[:-1] + b', "attributes": {"hkid": "A1"}}',
}


async def with_key(intake: Intake) -> tuple[str, httpx.AsyncClient]:
    """A new channel."""
    channel = f"garbage-{new_id().hex[:12]}"
    made = await intake.staff.post(
        "/v1/keys", json={"name": channel, "role": "channel", "scopes": ["submit", "batch"]}, headers=write()
    )
    assert made.status_code == 201, made.text
    return channel, intake.call_with(intake.context, made.json()["key"])


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
@pytest.mark.parametrize("name", GARBAGE)
async def test_whatever_is_refused_for_what_it_says_counts_once(intake: Intake, name: str, content_type: str) -> None:
    channel, client = await with_key(intake)
    headers = write() | {"Content-Type": content_type}
    answer = await client.post("/v1/requests", content=GARBAGE[name], headers=headers)
    assert answer.status_code in {400, 422}
    assert intake.context.validation.tally.refused[channel, NOW_HOUR] == 1
    batch = {"Content-Type": "application/x-ndjson"}
    lines = GARBAGE[name].replace(b"{", b'{"idempotency_key": "k", ', 1) + b"\n"
    answer = await client.post("/v1/requests:batch", content=lines, headers=batch)
    assert answer.status_code == 200
    assert intake.context.validation.tally.refused[channel, NOW_HOUR] == 1 + (name != "nothing")


async def test_what_is_refused_for_another_reason_does_not_count(intake: Intake) -> None:
    channel, client = await with_key(intake)
    limited = replace(intake.context, limits=RateLimits(Rate(0.01, 1), elapsed=lambda: 0.0))
    before = dict(intake.context.validation.tally.refused)
    for caller, content, status in (
        (intake.nobody, GARBAGE["no JSON"], 401),
        (intake.call_with(intake.context, "key of a stranger"), GARBAGE["no JSON"], 401),
        (intake.nobody, GARBAGE["a wrong field"], 401),
        (intake.person("ann", "handler"), GARBAGE["a wrong field"], 403),
        (intake.connect(replace(intake.context, outbox_limit=-1), "app"), GOOD, 503),
        (intake.connect(limited, "app"), GOOD, 201),
        (intake.connect(limited, "app"), GOOD, 429),
        (client, GOOD, 201),
    ):
        headers = write() | {"Content-Type": "application/json"}
        assert (await caller.post("/v1/requests", content=content, headers=headers)).status_code == status
    assert intake.context.validation.tally.refused == before
    assert intake.context.validation.tally.accepted[channel, NOW_HOUR] == 1


async def test_a_channel_that_sends_only_garbage_rings_an_alarm_of_refusals(intake: Intake) -> None:
    channel, client = await with_key(intake)
    await with_past(intake, channel, per_hour=5)
    one = Watching(intake.database, intake.clock, intake.context.validation, ClockCheck("intake"))
    await one.look()
    for content in [GARBAGE["no JSON"], GARBAGE["a wrong field"]] * 10:
        await client.post("/v1/requests", content=content, headers=write() | {"Content-Type": "application/json"})
    await look_until(intake, start_of(NOW_HOUR + 1) + SETTLING, one)
    view = await seen(intake, channel)
    assert (view["accepted"], view["refused"]) == (0, 20)
    assert [alarm["cause"] for alarm in view["alarms"]] == ["refusals"]
    assert rings(channel, "refusals") == 1


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
        await Watching(Away(intake.database), intake.clock, validation, ClockCheck("intake")).look()
    await Watching(intake.database, intake.clock, validation, ClockCheck("intake")).look()
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
