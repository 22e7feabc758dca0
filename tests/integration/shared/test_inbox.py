"""The promise of the inbox: every event has its effect exactly once, whatever fails in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from shared.contracts.deadletters import EventRejected
from shared.contracts.envelope import Event, decode, encode
from shared.contracts.topics import DEADLETTERS, REQUESTS
from shared.errors import CircuitOpen, DatabaseUnavailable, Fenced
from shared.ids import new_id
from shared.inbox import Received
from shared.kafka.records import OutgoingRecord, TopicPartition
from shared.postgres import Database
from shared.telemetry import metrics
from shared.testing.broker import InMemoryBroker
from shared.testing.plumbing import SERVICE, Member, RecordingHandler, handled, pause_event, wait_until

NULL: Any = None  # a header's value, which Kafka allows and our own types do not


@pytest.fixture
def broker() -> InMemoryBroker:
    return InMemoryBroker(partitions=2)


def member(database: Database, broker: InMemoryBroker, handler: RecordingHandler | None = None) -> Member:
    subscription = broker.subscription([REQUESTS.name], group=SERVICE)
    return Member(database, subscription, broker.publisher(), handler)


async def dead_letters(broker: InMemoryBroker, one: Member) -> list[EventRejected]:
    await one.outbox.run_once()
    events = [decode(r.key, r.value, r.headers) for r in broker.log(DEADLETTERS.name)]
    return [e.data for e in events if isinstance(e, Event) and isinstance(e.data, EventRejected)]


async def test_every_event_is_handled_once_and_in_order(plumbing: Database, broker: InMemoryBroker) -> None:
    subjects = [new_id() for _ in range(5)]
    one = member(plumbing, broker)
    one.start()
    await one.send([pause_event(s, n) for n in range(1, 21) for s in subjects])
    await wait_until(lambda: _count_is(plumbing, 100))
    await one.stop()
    rows = await handled(plumbing)
    for subject in subjects:
        assert [sequence for s, sequence in rows if s == subject] == list(range(1, 21))


async def _count_is(database: Database, count: int) -> bool:
    return len(await handled(database)) == count


async def test_a_repeat_is_dropped(plumbing: Database, broker: InMemoryBroker) -> None:
    one, subject = member(plumbing, broker), new_id()
    one.start()
    await one.send([pause_event(subject, 1), pause_event(subject, 2)])
    await one.send([pause_event(subject, 1), pause_event(subject, 2), pause_event(subject, 3)])
    await wait_until(lambda: _count_is(plumbing, 3))
    await one.stop()
    assert [sequence for _, sequence in await handled(plumbing)] == [1, 2, 3]


async def test_a_gap_is_counted_and_the_events_after_it_are_handled(plumbing: Database, broker: InMemoryBroker) -> None:
    gaps = metrics.INBOX_GAPS.labels(SERVICE, REQUESTS.name)
    before = gaps._value.get()
    one, subject = member(plumbing, broker), new_id()
    one.start()
    await one.send([pause_event(subject, 1), pause_event(subject, 4)])
    await wait_until(lambda: _count_is(plumbing, 2))
    await one.stop()
    assert gaps._value.get() == before + 1


async def test_a_restart_goes_on_at_the_position_in_postgres(plumbing: Database, broker: InMemoryBroker) -> None:
    subject = new_id()
    first = member(plumbing, broker)
    first.start()
    await first.send([pause_event(subject, 1)])
    await wait_until(lambda: _count_is(plumbing, 1))
    await first.stop()
    second = member(plumbing, broker)
    second.start()
    await second.send([pause_event(subject, 2)])
    await wait_until(lambda: _count_is(plumbing, 2))
    await second.stop()


async def test_a_failed_batch_leaves_nothing_and_is_repeated(plumbing: Database, broker: InMemoryBroker) -> None:
    failures = 3
    one, subject = member(plumbing, broker), new_id()

    async def fail_first(_: Sequence[Received]) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            assert await handled(plumbing) == []
            raise DatabaseUnavailable("as if Postgres had gone away")

    one.handler.before = fail_first
    one.start()
    await one.send([pause_event(subject, 1)])
    await wait_until(lambda: _count_is(plumbing, 1))
    await one.stop()
    assert failures < 0


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (OutgoingRecord(REQUESTS.name, b"k", b"\xff\xfe not an event", ()), "not_a_cloudevent"),
        (
            OutgoingRecord(REQUESTS.name, b"", b"{}", (("ce_specversion", b"1.0"), ("ce_type", b"x.v1"))),
            "unknown_type",
        ),
        (
            OutgoingRecord(
                REQUESTS.name, b"k", b"{}", (("ce_specversion", b"1.0"), ("ce_type", b"punctual.request.paused.v9"))
            ),
            "newer_version",
        ),
        (
            OutgoingRecord(
                REQUESTS.name, b"k", b'{"a":', (("ce_specversion", b"1.0"), ("ce_type", b"punctual.request.paused.v1"))
            ),
            "bad_payload",
        ),
    ],
)
async def test_an_unreadable_record_becomes_a_dead_letter_and_does_not_stop_the_others(
    plumbing: Database, broker: InMemoryBroker, record: OutgoingRecord, reason: str
) -> None:
    one, subject = member(plumbing, broker), new_id()
    one.start()
    await broker.publisher().publish([record])
    await one.send([pause_event(subject, 1)])
    await wait_until(lambda: _count_is(plumbing, 1))
    await wait_until(lambda: _letters_are(plumbing, 1))
    await one.stop()
    (letter,) = await dead_letters(broker, one)
    assert letter.reason == reason
    assert letter.origin_topic == REQUESTS.name
    assert letter.service == SERVICE


async def _letters_are(database: Database, count: int) -> bool:
    async with database.connection() as connection:
        return bool(await connection.fetchval("SELECT count(*) = $1 FROM inbox_rejection", count))


async def test_a_replayed_dead_letter_is_handled_once_although_later_events_were(
    plumbing: Database, broker: InMemoryBroker
) -> None:
    one, subject = member(plumbing, broker), new_id()
    one.start()
    await one.send([pause_event(subject, 1, "refuse_me"), pause_event(subject, 2)])
    await wait_until(lambda: _letters_are(plumbing, 1))
    (letter,) = await dead_letters(broker, one)
    mended = pause_event(subject, 1, "third_party")
    headers = (
        *encode(mended)[2],
        ("punctual-replay-of", str(letter.deadletter_id).encode()),
        ("punctual-replay-for", SERVICE.encode()),
    )
    replayed = OutgoingRecord(REQUESTS.name, str(subject).encode(), mended.data.model_dump_json().encode(), headers)
    other = replayed._replace(headers=(*headers[:-1], ("punctual-replay-for", b"another_service")))
    await broker.publisher().publish([other, replayed, replayed])
    await one.send([pause_event(subject, 3)])
    await wait_until(lambda: _count_is(plumbing, 3))
    await one.stop()
    assert [sequence for _, sequence in await handled(plumbing)] == [2, 1, 3]


async def test_a_former_owner_cannot_write(plumbing: Database, broker: InMemoryBroker) -> None:
    one, two = member(plumbing, broker), member(plumbing, broker)
    where = [TopicPartition(REQUESTS.name, 0)]
    await one.ownership.take(where)
    await two.ownership.take(where)
    with pytest.raises(Fenced):
        async with plumbing.transaction() as connection:
            await one.ownership.check(connection, *where[0])
    async with plumbing.transaction() as connection:
        assert await two.ownership.check(connection, *where[0]) == 0


async def test_a_program_that_rejects_nearly_everything_stops(plumbing: Database, broker: InMemoryBroker) -> None:
    one = member(plumbing, broker)
    await one.send([pause_event(new_id(), 1, "refuse_me") for _ in range(200)])
    one.start()
    async with asyncio.timeout(timedelta(seconds=20).total_seconds()):
        with pytest.raises(CircuitOpen):
            await one.join()


async def test_a_broker_that_is_down_loses_nothing_of_the_outbox(plumbing: Database, broker: InMemoryBroker) -> None:
    one, subject = member(plumbing, broker), new_id()
    one.start()
    broker.is_down = True
    async with plumbing.transaction() as connection:
        await one.outbox.append(connection, REQUESTS, [pause_event(subject, n) for n in (1, 2, 3)])
    relay = asyncio.create_task(one.outbox.run(one.stopping))
    failures = metrics.OUTBOX_FAILURES.labels(SERVICE)
    before = failures._value.get()

    async def has_failed() -> bool:
        return bool(failures._value.get() > before)

    await wait_until(has_failed)
    broker.is_down = False
    await wait_until(lambda: _count_is(plumbing, 3))
    await one.stop()
    await relay
    assert [sequence for _, sequence in await handled(plumbing)] == [1, 2, 3]


async def test_what_the_database_refuses_becomes_a_dead_letter_and_the_rest_of_the_batch_is_handled(
    plumbing: Database, broker: InMemoryBroker
) -> None:
    one, subject = member(plumbing, broker), new_id()
    one.handler.refused_sequence = 2
    await one.send([pause_event(subject, n) for n in (1, 2, 3)])
    one.start()
    await wait_until(lambda: _count_is(plumbing, 2))
    await wait_until(lambda: _letters_are(plumbing, 1))
    await one.stop()
    assert [sequence for _, sequence in await handled(plumbing)] == [1, 3]
    (letter,) = await dead_letters(broker, one)
    assert (letter.reason, letter.detail) == ("unstorable", "the database refuses it: CheckViolationError")


@pytest.mark.parametrize(
    "record",
    [
        OutgoingRecord(REQUESTS.name, b"k", b"x" * 3_600_000, ()),
        OutgoingRecord(REQUESTS.name, b"k", b"{}", (("ce_specversion", NULL), ("traceparent", NULL))),
        OutgoingRecord(REQUESTS.name, b"k", b"{}", (("ce_specversion", b"1.0"), ("ce_type", b"punctual.x.v\xc2\xb2"))),
    ],
    ids=["large", "null headers", "superscript version"],
)
async def test_no_record_however_odd_blocks_the_outbox_or_ends_the_consumer(
    plumbing: Database, broker: InMemoryBroker, record: OutgoingRecord
) -> None:
    one = member(plumbing, broker)
    one.start()
    await broker.publisher().publish([record])
    await wait_until(lambda: _letters_are(plumbing, 1))
    await one.stop()
    (letter,) = await dead_letters(broker, one)
    assert letter.value_sha256 is not None
    assert all(len(r.value or b"") < 2_000_000 for r in broker.log(DEADLETTERS.name))


async def test_an_error_of_the_database_does_not_repeat_the_row(plumbing: Database) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as raised:
        async with plumbing.transaction() as connection:
            await connection.execute("INSERT INTO handled (topic, sequence) VALUES ('王小明', -1)")
    assert "王小明" not in str(raised.value)
