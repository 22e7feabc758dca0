"""A gap is told once; what leaves no entry in a history is no gap, and what is read twice is a repeat."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.sla_timer.handlers.rulebooks import RuleFiles
from shared.clock import ManualClock
from shared.contracts.casework import (
    RequestAbsorbed,
    RequestAttached,
    RequestComplained,
    RequestDoubted,
    RequestFeedbackGiven,
    RequestHeldBack,
    RequestNoted,
    RequestSplit,
)
from shared.contracts.envelope import Event, encode
from shared.contracts.payload import Payload
from shared.contracts.topics import REQUESTS
from shared.ids import new_id
from shared.kafka.records import OutgoingRecord
from shared.postgres import Database
from shared.telemetry import metrics
from shared.testing.broker import InMemoryBroker
from tests.integration.sla_timer.conftest import StartDesk, empty
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import DATA, Desk

FILES = RuleFiles(DATA / "policies.yml", DATA / "calendars.yml")


class Alarms:
    """What was counted since it was made."""

    def __init__(self) -> None:
        self._gaps, self._repeats = _counted()

    @property
    def gaps(self) -> int:
        return int(_counted()[0] - self._gaps)

    @property
    def repeats(self) -> int:
        return int(_counted()[1] - self._repeats)


def _counted() -> tuple[float, float]:
    gaps = metrics.INBOX_GAPS.labels("sla_timer", REQUESTS.name)
    return gaps._value.get(), metrics.INBOX_EVENTS.labels("sla_timer", REQUESTS.name, "repeated")._value.get()


async def one_by_one(desk: Desk, *events: Event[Payload], forgets: bool = False) -> None:
    """Each in a batch of its own.

    Args:
        forgets: no request is in memory when an event comes.
    """
    for event in events:
        if forgets:
            desk.forget()
        await desk.deliver(event)


async def replay_dead_letters(desk: Desk, *events: Event[Payload]) -> None:
    """All of them, as the command line does it."""
    letters = await desk.rows("SELECT deadletter_id FROM inbox_rejection WHERE state = 'dead' ORDER BY record_offset")
    records = []
    for letter, event in zip(letters, events, strict=True):
        key, value, headers = encode(event)
        replay = (
            ("punctual-replay-of", str(letter["deadletter_id"]).encode()),
            ("punctual-replay-for", b"sla_timer"),
        )
        records.append(OutgoingRecord(REQUESTS.name, key, value, (*headers, *replay)))
    await desk.broker.append(records)


def passed_over(customer: Customer) -> Sequence[Event[Payload]]:
    """One of each sort, or nearly."""
    mine = customer.request_id
    return [
        customer.says(data, MONDAY)
        for data in (
            RequestNoted(request_id=mine),
            RequestAttached(request_id=mine, attachment_id=new_id(), sha256="0" * 64),
            RequestAbsorbed(request_id=mine, from_request_id=new_id()),
            RequestSplit(request_id=mine, into_request_id=new_id()),
            RequestComplained(request_id=mine, complaint_request_id=new_id()),
            RequestFeedbackGiven(request_id=mine, score=5),
            RequestHeldBack(request_id=mine, rule="small_claims"),
            RequestDoubted(request_id=mine, findings={"odd": ("amount",)}),
        )
    ]


@pytest.mark.parametrize("forgets", [False, True])
async def test_events_that_mean_nothing_to_clocks_are_no_gaps(desk: Desk, *, forgets: bool) -> None:
    customer, alarms = Customer(), Alarms()
    life = [customer.submits(), *passed_over(customer), customer.enters("assessment", MONDAY + HOUR)]
    await one_by_one(desk, *life, forgets=forgets)
    assert alarms.gaps == 0


async def test_they_are_no_gaps_either_when_a_batch_holds_some_of_them(desk: Desk) -> None:
    customer, alarms = Customer(), Alarms()
    await desk.deliver(customer.submits(), customer.notes(MONDAY))
    await desk.deliver(customer.notes(MONDAY), customer.enters("assessment", MONDAY), customer.notes(MONDAY))
    await desk.deliver(customer.responded(MONDAY + HOUR))
    assert alarms.gaps == 0


async def test_a_restart_remembers_what_was_passed_over(desk: Desk, start_desk: StartDesk) -> None:
    customer, alarms = Customer(), Alarms()
    await one_by_one(desk, customer.submits(), note := customer.notes(MONDAY), last := customer.notes(MONDAY))
    await desk.stop()
    again = await start_desk()
    await one_by_one(again, note, last)
    assert alarms.repeats == 2
    await one_by_one(again, customer.responded(MONDAY + HOUR))
    assert alarms.gaps == 0


@pytest.mark.parametrize("forgets", [False, True])
async def test_a_gap_among_them_is_told_once(desk: Desk, *, forgets: bool) -> None:
    customer, alarms = Customer(), Alarms()
    await one_by_one(desk, customer.submits(), customer.notes(MONDAY), forgets=forgets)
    customer.loses(2)
    await one_by_one(desk, customer.notes(MONDAY), forgets=forgets)
    assert alarms.gaps == 1
    await one_by_one(desk, customer.notes(MONDAY), customer.responded(MONDAY + HOUR), forgets=forgets)
    assert alarms.gaps == 1
    customer.loses()
    await one_by_one(desk, customer.writes(MONDAY + HOUR), customer.notes(MONDAY + HOUR), forgets=forgets)
    assert alarms.gaps == 2


async def test_what_was_rejected_was_heard_nevertheless(desk: Desk) -> None:
    customer, alarms = Customer(), Alarms()
    life = [customer.submits(), customer.extended("response", timedelta(days=367), MONDAY)]
    await one_by_one(desk, *life, customer.responded(MONDAY + HOUR))
    assert [row["reason"] for row in await desk.rows("SELECT reason FROM inbox_rejection")] == ["extension_too_long"]
    assert alarms.gaps == 0


async def test_a_submission_that_never_came_is_one_gap(desk: Desk, start_desk: StartDesk) -> None:
    customer, alarms = Customer(), Alarms()
    customer.loses()
    await one_by_one(desk, note := customer.notes(MONDAY), customer.notes(MONDAY), customer.responded(MONDAY))
    await desk.stop()
    again = await start_desk()
    await one_by_one(again, customer.notes(MONDAY), note)
    assert (alarms.gaps, alarms.repeats) == (1, 1)


async def test_of_requests_from_before_this_was_kept_the_first_news_is_believed_to_follow(desk: Desk) -> None:
    customer, alarms = Customer(), Alarms()
    await one_by_one(desk, customer.submits(), reply := customer.responded(MONDAY + HOUR), customer.notes(MONDAY))
    await desk.rows("UPDATE tracked_request SET last_heard = NULL")
    desk.forget()
    await one_by_one(desk, reply, customer.writes(MONDAY + HOUR), forgets=True)
    assert (alarms.gaps, alarms.repeats) == (0, 1)
    customer.loses()
    await one_by_one(desk, customer.writes(MONDAY + HOUR), customer.notes(MONDAY + HOUR), forgets=True)
    assert alarms.gaps == 1


async def test_dead_letters_that_are_replayed_after_later_events_make_no_gap(desk: Desk) -> None:
    customer = Customer()
    submitted = customer.submits()
    later = [customer.responded(MONDAY + HOUR), customer.writes(MONDAY + HOUR)]
    await one_by_one(desk, *later, note := customer.notes(MONDAY + HOUR))
    alarms = Alarms()
    # The submission could not be read then.
    await desk.rows("INSERT INTO inbox_rejection VALUES ($1, $2, 0, -1, 'unreadable')", new_id(), REQUESTS.name)
    await replay_dead_letters(desk, submitted, *later)
    await desk.deliver(customer.informed(MONDAY + HOUR), note)
    await one_by_one(desk, customer.notes(MONDAY + HOUR), forgets=True)
    assert (alarms.gaps, alarms.repeats) == (0, 1)
    rows = await desk.rows("SELECT happening FROM request_event WHERE origin = 'intake' ORDER BY sequence")
    assert [row["happening"] for row in rows] == ["submitted", "responded", "message_received", "customer_informed"]


async def test_the_schema_refuses_a_number_before_the_first(desk: Desk) -> None:
    await desk.deliver(Customer().submits())
    with pytest.raises(asyncpg.CheckViolationError):
        await desk.rows("UPDATE tracked_request SET last_heard = -1")


steps = st.lists(
    st.sampled_from(["heard", "passed over", "passed over", "lost", "consume", "restart", "forget", "repeat"]),
    max_size=25,
)


@pytest.mark.usefixtures("rules")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_however_it_is_read_there_are_as_many_gaps_as_were_made(
    database_urls: dict[str, str], steps: Sequence[str]
) -> None:
    async def run() -> tuple[int, int]:
        database = await Database.open(database_urls["sla_timer"], schema="sla_timer", application_name="tests")
        try:
            await empty(database_urls["admin"], but_rules=True)
            return await _play(database, steps)
        finally:
            await database.close()

    made, told = asyncio.run(run())
    assert told == made


async def _play(database: Database, steps: Sequence[str]) -> tuple[int, int]:
    """How many gaps were made, and how many told."""
    broker, clock, customer, alarms = InMemoryBroker(), ManualClock(MONDAY), Customer(), Alarms()
    desk = Desk(database, broker, clock, FILES)
    await desk.start()
    sent, made, is_missing = [customer.submits()], 0, False
    await desk.send(*sent)
    for step in steps:
        if step in ("heard", "passed over"):
            sent.append(customer.writes(MONDAY) if step == "heard" else customer.notes(MONDAY))
            await desk.send(sent[-1])
            made, is_missing = made + is_missing, False
        elif step == "lost":
            customer.loses()
            is_missing = True
        elif step == "consume":
            await desk.consume()
        elif step == "forget":
            desk.forget()
        elif step == "repeat":
            await desk.send(*sent[-3:])
        else:
            await desk.stop()
            desk = Desk(database, broker, clock, FILES)
            await desk.start()
    await desk.consume()
    await desk.stop()
    return made, alarms.gaps
