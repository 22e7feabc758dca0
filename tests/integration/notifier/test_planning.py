"""News becomes notices in Postgres, in whatever order it comes and however often."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import permutations

import asyncpg
import pytest

from shared.contracts.clocks import ClockBreached, ClockBreachWithdrawn, ClockEscalated, ClockResumed, ClockWarned
from shared.contracts.envelope import Event, Tombstone
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestClosed, RequestPaused
from shared.postgres import Database
from tests.integration.notifier.cases import DUE, Case, received, replaced
from tests.integration.notifier.house import House, eventually

LATER = DUE + timedelta(hours=8)


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_confirmation_waits_for_all_it_needs_in_any_order(house: House, order: tuple[int, ...]) -> None:
    case = Case()
    events = [case.submitted(), case.contact(), case.clock()]
    for count, number in enumerate(order, start=1):
        await house.hear(events[number])
        states = await house.states(case)
        assert states in ([], [("received", "held")]) if count < 3 else states == [("received", "ready")]
    assert (await house.notice(case, "received"))["told_expected_at"] == DUE


async def test_what_is_heard_twice_is_told_once(house: House) -> None:
    case = Case()
    events: list[Event[Payload] | Tombstone] = [
        case.contact(),
        case.submitted(),
        case.clock(),
        case.clock(ClockWarned),
        case.clock(ClockBreached),
    ]
    for _ in range(2):
        await house.hear(*events)
    for event in events:
        await house.hear(event)
    assert await house.states(case) == [("received", "ready"), ("warning", "ready"), ("breach", "ready")]


async def test_documents_that_are_needed_are_named_when_the_contact_comes(house: House) -> None:
    case = Case()
    asking = case.event(RequestPaused(request_id=case.request_id, reason="documents", documents=("receipts", "x_ray")))
    await house.hear(case.submitted(), case.clock(), asking)
    assert (await house.notice(case, "documents_needed"))["state"] == "held"
    await house.hear(case.contact(), asking)
    assert await house.states(case) == [("received", "ready"), ("documents_needed", "ready")]
    mails = (await house.held_on(case)).mails
    assert "receipts, x ray" in str(mails[-1].message)


async def test_a_late_duplicate_makes_no_second_notice_after_the_first_ended(house: House) -> None:
    case = Case(email=None)
    await house.hear(case.contact(), case.submitted(), case.clock())
    await house.hear(case.submitted())
    assert await house.states(case) == [("received", "suppressed")]
    assert len(await house.said()) == 1


async def test_contacts_and_requests_that_come_at_once_strand_no_notice(database: Database) -> None:
    cases = [Case() for _ in range(30)]
    one, two, three = House(database), House(database), House(database)
    await asyncio.gather(
        *(one.hear(case.submitted()) for case in cases),
        *(two.hear(case.contact()) for case in cases),
        *(three.hear(case.clock()) for case in cases),
    )
    assert {state for _, state in await one.states()} == {"ready"}
    assert len(await one.states()) == 30


async def test_a_request_that_commits_while_its_clock_waits_for_it_finds_its_contact(
    house: House, database_urls: dict[str, str]
) -> None:
    case = Case()
    await house.hear(case.contact())
    admin = await asyncpg.connect(database_urls["admin"])

    async def is_waiting() -> bool:
        return bool(await admin.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    async with house.database.transaction() as connection:
        await house.handler.handle(connection, [received(case.submitted())])
        clock = asyncio.create_task(house.hear(case.clock()))
        await eventually(is_waiting)
    await clock
    await admin.close()
    assert await house.states(case) == [("received", "ready")]


async def test_without_an_address_the_silence_is_said(house: House) -> None:
    case = Case(email=None)
    await house.hear(case.submitted(), case.contact(), case.clock())
    row = await house.notice(case, "received")
    assert (row["state"], row["reason"]) == ("suppressed", "no_address")
    (said,) = await house.said()
    assert (said["type"], said["reason"], said["audience"]) == ("suppressed.v1", "no_address", "customer")
    assert said["correlation_id"] == "corr-42"


async def test_events_about_one_request_are_numbered_without_holes(house: House) -> None:
    case = Case(email=None)
    await house.hear(case.submitted(), case.contact(), case.clock())
    await house.hear(
        case.clock(ClockBreached, notify_roles=["nobody"]), case.clock(ClockWarned, notify_roles=["ghost"])
    )
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    said = await house.said()
    assert [event["sequence"] for event in said] == [1, 2, 3, 4]
    assert [event["reason"] for event in said] == ["no_address", "unknown_role", "unknown_role", "no_address"]


async def test_a_moved_deadline_before_the_confirmation_went_is_told_by_it(house: House) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await house.hear(case.clock(ClockResumed, due_at=LATER))
    assert await house.states(case) == [("received", "ready")]
    assert (await house.notice(case, "received"))["told_expected_at"] == LATER


async def test_what_is_over_before_its_time_is_known_is_confirmed_and_then_told(house: House) -> None:
    case = Case()
    await house.hear(case.contact(), case.submitted())
    assert await house.states(case) == [("received", "held")]
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    assert await house.states(case) == [("received", "ready"), ("closed", "ready")]
    (claim,) = await house.claiming.claim(10)
    assert claim.kind == "received"
    await house.hear(case.clock())
    assert (await house.notice(case, "received"))["told_expected_at"] == DUE


async def test_a_new_address_is_used_for_what_was_not_sent_and_an_old_version_is_not(house: House) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(version=2), case.clock())
    await house.hear(case.contact(version=3, email="new@customer.example"))
    await house.hear(case.contact(version=1, email="old@customer.example"))
    (claim,) = await house.claiming.claim(10)
    assert claim.rendering.recipients == ("new@customer.example",)
    assert b"To: new@customer.example\r\n" in claim.rendering.message


async def test_a_withdrawn_breach_takes_back_what_was_not_sent(house: House) -> None:
    case = Case()
    await house.hear(*case.breach(), case.clock(ClockEscalated))
    await house.hear(case.clock(ClockBreachWithdrawn))
    assert await house.states(case) == [
        ("received", "suppressed"),
        ("breach", "withdrawn"),
        ("escalation", "withdrawn"),
    ]
    assert [event["reason"] for event in await house.said()] == ["no_address", "breach_withdrawn", "breach_withdrawn"]


async def test_a_clock_heard_before_its_request_holds_its_notices(house: House) -> None:
    case = Case()
    await house.hear(case.clock(), case.clock(ClockBreached))
    assert (await house.notice(case, "breach"))["reason"] == "waiting_request"
    await house.hear(case.submitted())
    assert (await house.notice(case, "breach"))["state"] == "ready"


async def test_an_event_that_contradicts_itself_is_rejected_and_the_rest_is_not(house: House) -> None:
    case, other = Case(), Case()
    wrong = other.submitted()
    wrong = Event(**{**{name: getattr(wrong, name) for name in Event.__dataclass_fields__}, "subject": case.request_id})
    rejections = await house.hear(wrong, case.submitted())
    assert [rejection.reason for rejection in rejections] == ["subject_mismatch"]
    assert await house.states() == [("received", "held")]


async def test_a_tombstone_outside_the_contacts_is_rejected(house: House) -> None:
    case = Case()
    stray = received(Tombstone(case.request_id))
    stray = type(stray)(stray.event, stray.record._replace(topic="punctual.requests"))
    async with house.database.transaction() as connection:
        rejections = await house.handler.handle(connection, [stray])
    assert [rejection.reason for rejection in rejections] == ["unexpected_tombstone"]


async def test_a_batch_of_everything_at_once_is_planned(house: House) -> None:
    cases = [Case() for _ in range(50)]
    events: list[Event[Payload] | Tombstone] = []
    for case in cases:
        events += [case.clock(), case.clock(ClockBreached), case.contact(), case.submitted()]
    await house.hear(*events)
    assert sorted(await house.states()) == [("breach", "ready")] * 50 + [("received", "ready")] * 50


async def test_a_second_request_of_a_known_customer_waits_for_no_contact(house: House) -> None:
    first = Case()
    await house.hear(first.contact(), first.submitted(), first.clock())
    second = replaced(first, request_id=Case().request_id, reference=Case().reference)
    await house.hear(second.submitted(), second.clock())
    assert await house.states(second) == [("received", "ready")]


async def test_the_role_of_the_service_cannot_rewrite_attempts(house: House) -> None:
    async with house.database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM attempt")


async def test_a_reminder_is_told_to_its_roles_once_however_often_it_is_heard(house: House) -> None:
    case = Case()
    both = case.reminded(notify_roles=("claims_assessor", "team_lead"))
    await house.hear(case.submitted(), both)
    await house.hear(both, both)
    reminders = [row for row in await house.notices(case) if row["kind"] == "reminder"]
    assert [(row["audience"], row["state"]) for row in reminders] == [
        ("role:claims_assessor", "ready"),
        ("role:team_lead", "ready"),
    ]


async def test_reminders_that_did_not_go_give_way_to_newer_ones_and_to_the_end_of_the_wait(house: House) -> None:
    case = Case(email=None)
    await house.hear(case.submitted(), case.reminded(1))
    await house.hear(case.reminded(2))
    await house.hear(case.event(RequestPaused(request_id=case.request_id, reason="third_party")))
    await house.hear(case.reminded(1))  # from a dead letter
    reminders = [row for row in await house.notices(case) if row["kind"] == "reminder"]
    assert [(row["cause"], row["state"], row["reason"]) for row in reminders] == [
        ("stage_waits:2:1", "withdrawn", "superseded"),
        ("stage_waits:2:2", "withdrawn", "wait_ended"),
    ]
    assert [event["reason"] for event in await house.said()] == ["superseded", "wait_ended"]


async def test_a_role_with_the_longest_name_stops_nothing(house: House) -> None:
    case = Case(email=None)
    roles = ["team_lead", "r" * 64, "r" * 63]
    await house.hear(*case.breach()[:-1], case.clock(ClockBreached, notify_roles=roles))
    breaches = [row for row in await house.notices(case) if row["kind"] == "breach"]
    assert [(row["audience"], row["state"]) for row in breaches] == [
        ("role:team_lead", "ready"),
        (f"role:{'r' * 59}", "suppressed"),
    ]
