"""The timeline: the history, clocks, notices and reviews of a request in one order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.intake.consumer import HEARD, Listener
from shared.contracts.clocks import ClockStarted
from shared.contracts.envelope import Event, encode
from shared.contracts.notices import NoticeSent
from shared.contracts.payload import Language, Payload
from shared.contracts.quality import ReviewCompleted
from shared.contracts.topics import CLOCKS, DEADLETTERS, NOTICES, QUALITY, Topic
from shared.contracts.unread import decode_any
from shared.ids import new_id
from shared.inbox import InboxConsumer, Ownership
from shared.kafka import OutgoingRecord
from shared.telemetry.context import new_trace
from tests.integration.intake.front_door import START, Intake


def minutes(count: int) -> datetime:
    return START + timedelta(minutes=count)


@pytest.fixture
async def consumer(intake: Intake) -> AsyncIterator[InboxConsumer]:
    """Joined to the group; a test tells it when to read."""
    subscription = intake.broker.subscription([topic.name for topic in HEARD], group="intake")
    consumer = InboxConsumer(
        service="intake",
        database=intake.database,
        subscription=subscription,
        handler=Listener(),
        ownership=Ownership(intake.database, "intake", "tests"),
        outbox=intake.outbox,
        clock=intake.clock,
        decode=decode_any,
    )
    async with intake.database.connection() as connection:
        await connection.execute("UPDATE inbox_position SET next_offset = 0")
    await subscription.start(consumer._on_assigned, consumer._on_revoked)
    yield consumer
    await subscription.stop()


def record(topic: Topic, source: str, sequence: int, at: datetime, payload: Payload, subject: UUID) -> OutgoingRecord:
    trace = new_trace()
    event: Event[Payload] = Event(
        id=new_id(),
        source=f"/punctual/{source}",
        subject=subject,
        sequence=sequence,
        occurred_at=at,
        recorded_at=at,
        correlation_id=trace.correlation_id,
        traceparent=trace.traceparent,
        data=payload,
    )
    key, value, headers = encode(event)
    return OutgoingRecord(topic.name, key, value, headers)


def clock_started(request_id: UUID, at: datetime, sequence: int = 1) -> OutgoingRecord:
    payload = ClockStarted(
        clock_id=new_id(), request_id=request_id, reference="K7M4Q-2XD9C", objective="resolution", policy="default",
        policy_version=1, started_at=at, due_at=at + timedelta(hours=8), budget_seconds=28800.0, budget_kind="working",
        calendar="hk",
    )  # fmt: skip
    return record(CLOCKS, "sla_timer", sequence, at, payload, request_id)


def notice_sent(request_id: UUID, at: datetime, sequence: int = 1) -> OutgoingRecord:
    payload = NoticeSent(
        notice_id=new_id(), request_id=request_id, kind="received", audience="customer", cause="1", channel="email",
        language=Language.ENGLISH, sent_at=at,
    )  # fmt: skip
    return record(NOTICES, "notifier", sequence, at, payload, request_id)


def review_completed(request_id: UUID, at: datetime) -> OutgoingRecord:
    payload = ReviewCompleted(
        review_id=new_id(), sample_id=new_id(), request_id=request_id, reviewer="q-7", is_accurate=True,
        is_complete=True, is_timely=True,
    )  # fmt: skip
    return record(QUALITY, "quality_audit", 1, at, payload, request_id)


def renamed(outgoing: OutgoingRecord, event_type: str) -> OutgoingRecord:
    headers = tuple((name, event_type.encode() if name == "ce_type" else value) for name, value in outgoing.headers)
    return OutgoingRecord(outgoing.topic, outgoing.key, outgoing.value, headers)


async def hear(intake: Intake, consumer: InboxConsumer, *records: OutgoingRecord) -> None:
    await intake.broker.publisher().publish(list(records))
    while await consumer.run_once(asyncio.Event()):
        pass


async def shown(client: Any, view: dict[str, Any], **params: Any) -> list[tuple[str, str]]:
    answer = await client.get(f"/v1/requests/{view['reference']}/timeline", params=params)
    assert answer.status_code == 200, answer.text
    return [(line["source"], line["type"].removeprefix("punctual.")) for line in answer.json()["happenings"]]


async def pages(intake: Intake, address: str | None) -> list[Any]:
    """What the pages show together, from the first on."""
    found: list[Any] = []
    while address:
        answer = await intake.staff.get(address)
        found += answer.json()["happenings"]
        address = answer.links["next"]["url"] if "next" in answer.links else None
    return found


async def test_everything_about_a_request_comes_in_one_order(intake: Intake, consumer: InboxConsumer) -> None:
    view = await intake.submit()
    request_id = UUID(view["id"])
    intake.clock.advance(timedelta(minutes=10))
    await intake.move(view["reference"], "acknowledge")
    await hear(
        intake, consumer, review_completed(request_id, minutes(20)), notice_sent(request_id, minutes(1)),
        clock_started(request_id, minutes(0)),
    )  # fmt: skip
    expected = [
        ("intake", "request.submitted"),
        ("sla_timer", "clock.started"),
        ("notifier", "notice.sent"),
        ("intake", "request.acknowledged"),
        ("quality_audit", "review.completed"),
    ]
    assert await shown(intake.staff, view) == expected
    assert await shown(intake.app, view) == expected[:-1]
    assert await shown(intake.staff, view, source="notifier") == [("notifier", "notice.sent")]
    assert await shown(intake.app, view, source="quality_audit") == []
    assert (await intake.web.get(f"/v1/requests/{view['reference']}/timeline")).status_code == 404


async def test_the_pages_together_are_the_whole(intake: Intake, consumer: InboxConsumer) -> None:
    view = await intake.submit()
    for _ in range(4):
        await intake.move(view["reference"], "inform", until=None)
    request_id = UUID(view["id"])
    await hear(intake, consumer, clock_started(request_id, START), notice_sent(request_id, START))
    path = f"/v1/requests/{view['reference']}/timeline"
    whole = (await intake.staff.get(path)).json()["happenings"]
    assert await pages(intake, f"{path}?limit=2") == whole
    for cursor in ("x", "AAAA", "é"):
        assert (await intake.staff.get(path, params={"after": cursor})).status_code == 422


async def test_what_a_service_tells_late_stands_behind_what_it_told_before(
    intake: Intake, consumer: InboxConsumer
) -> None:
    submitted_at = START - timedelta(days=30)
    view = await intake.submit(occurred_at=submitted_at.isoformat())
    request_id, answered_at = UUID(view["id"]), submitted_at + timedelta(minutes=5)
    clock = [
        ("started", timedelta(0)), ("warned", timedelta(hours=6)), ("breached", timedelta(hours=8)),
        ("escalated", timedelta(hours=12)), ("breach_withdrawn", timedelta(minutes=5)), ("met", timedelta(minutes=5)),
    ]  # fmt: skip
    await hear(
        intake, consumer,
        *(
            renamed(clock_started(request_id, submitted_at + after, number), f"punctual.clock.{word}.v9")
            for number, (word, after) in enumerate(clock, start=1)
        ),
        notice_sent(request_id, submitted_at + timedelta(hours=8, minutes=1)),
    )  # fmt: skip
    await intake.move(view["reference"], "response", occurred_at=answered_at.isoformat())
    assert await shown(intake.staff, view) == [
        ("intake", "request.submitted"),
        ("sla_timer", "clock.started"),
        ("intake", "request.responded"),
        ("sla_timer", "clock.warned"),
        ("sla_timer", "clock.breached"),
        ("notifier", "notice.sent"),
        ("sla_timer", "clock.escalated"),
        ("sla_timer", "clock.breach_withdrawn"),
        ("sla_timer", "clock.met"),
    ]


async def test_what_is_said_to_happen_later_than_it_was_recorded_has_happened_then(
    intake: Intake, consumer: InboxConsumer
) -> None:
    view = await intake.submit(occurred_at=minutes(4).isoformat())
    await intake.move(view["reference"], "acknowledge")
    await hear(intake, consumer, clock_started(UUID(view["id"]), START), notice_sent(UUID(view["id"]), minutes(1)))
    assert await shown(intake.staff, view) == [
        ("intake", "request.submitted"),
        ("intake", "request.acknowledged"),
        ("sla_timer", "clock.started"),
        ("notifier", "notice.sent"),
    ]


@pytest.mark.parametrize("seed", range(5))
async def test_pages_of_any_size_keep_the_order_in_which_each_service_told(
    intake: Intake, consumer: InboxConsumer, seed: int
) -> None:
    random = Random(seed)
    view = await intake.submit(occurred_at=(START - timedelta(hours=9)).isoformat())
    for _ in range(4):
        await intake.move(view["reference"], "inform", occurred_at=minutes(-random.randrange(500)).isoformat())
    told = [
        tell(UUID(view["id"]), minutes(-random.randrange(500)), number)
        for tell in (clock_started, notice_sent)
        for number in range(1, 9)
    ]
    await hear(intake, consumer, *told)
    path = f"/v1/requests/{view['reference']}/timeline"
    whole = (await intake.staff.get(path)).json()["happenings"]
    assert len(whole) == 5 + len(told)
    latest: dict[str, str] = {}
    places = []
    for line in sorted(whole, key=lambda line: line["sequence"]):
        source = line["source"]
        latest[source] = max(latest.get(source, ""), line["occurred_at"])
        places.append((latest[source], source, line["sequence"]))
    assert [(line["source"], line["sequence"]) for line in whole] == [place[1:] for place in sorted(places)]
    for size in (1, 2, 7):
        assert await pages(intake, f"{path}?limit={size}") == whole
    mine = [line for line in whole if line["source"] == "sla_timer"]
    assert await pages(intake, f"{path}?limit=3&source=sla_timer") == mine
    assert [line["sequence"] for line in mine] == list(range(1, 9))


async def test_what_comes_twice_is_shown_once(intake: Intake, consumer: InboxConsumer) -> None:
    view = await intake.submit()
    record_ = notice_sent(UUID(view["id"]), minutes(1))
    await hear(intake, consumer, record_, record_)
    async with intake.database.connection() as connection:  # as after a restore: the sequences are forgotten
        await connection.execute("UPDATE inbox_sequence SET last_sequence = 1")
    await hear(intake, consumer, record_)
    assert await shown(intake.staff, view, source="notifier") == [("notifier", "notice.sent")]


async def test_events_of_a_newer_type_or_version_are_shown_as_they_are(intake: Intake, consumer: InboxConsumer) -> None:
    view = await intake.submit()
    request_id = UUID(view["id"])
    await hear(
        intake, consumer,
        renamed(clock_started(request_id, minutes(1)), "punctual.clock.started.v9"),
        renamed(notice_sent(request_id, minutes(2)), "punctual.notice.read_aloud.v1"),
    )  # fmt: skip
    assert await shown(intake.staff, view) == [
        ("intake", "request.submitted"),
        ("sla_timer", "clock.started"),
        ("notifier", "notice.read_aloud"),
    ]
    answer = (await intake.staff.get(f"/v1/requests/{view['reference']}/timeline")).json()
    assert answer["happenings"][2]["data"]["audience"] == "customer"
    assert await intake.told(DEADLETTERS) == []


async def test_events_that_come_before_the_request_wait_for_it(intake: Intake, consumer: InboxConsumer) -> None:
    view = await intake.submit()
    other = new_id()
    await hear(intake, consumer, clock_started(other, minutes(1)))
    async with intake.database.connection() as connection:
        known = await connection.fetchval("SELECT count(*) FROM heard_event WHERE request_id = $1", other)
    assert known == 1
    assert await shown(intake.staff, view, source="sla_timer") == []
