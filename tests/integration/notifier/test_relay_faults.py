"""A relay that refuses, hangs or hangs up at every step: what was sent for certain, for certain not, and in doubt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.contracts.clocks import ClockBreachWithdrawn, ClockEscalated, ClockWarned
from shared.postgres import Database
from tests.integration.notifier.cases import Case
from tests.integration.notifier.house import House
from tests.integration.notifier.relays import CatchingRelay, ScriptedRelay, Trick, scripted_relay


async def ended_or_tried_again(house: House, case: Case) -> bool:
    row = await house.notice(case, "breach")
    return row["state"] in {"sent", "failed", "in_doubt"} or (row["state"] == "ready" and row["attempt"] > 1)


@dataclass
class Fault:
    """A script, and what must become of a mail that meets it for ever."""

    name: str
    script: dict[str, Any]
    state: str
    reason: str | None = None
    bodies: int = 0
    failures: bool = field(default=False)


FAULTS = [
    Fault("the banner never comes", {"banner": [Trick.HANG]}, "ready"),
    Fault("the relay hangs up at once", {"banner": [Trick.DROP]}, "ready"),
    Fault("the relay is closing", {"banner": ["421 too many"]}, "ready"),
    Fault("a banner that is none", {"banner": ["hello?"]}, "ready"),
    Fault("hung up after EHLO", {"ehlo": [Trick.DROP]}, "ready"),
    Fault("the sender is put off", {"mail": ["451 4.3.2 later"]}, "ready"),
    Fault("the sender is refused", {"mail": ["550 5.7.1 not you"]}, "ready"),
    Fault("silence after the recipient", {"rcpt": [Trick.HANG]}, "ready", failures=True),
    Fault("hung up after the recipient", {"rcpt": [Trick.DROP]}, "ready", failures=True),
    Fault("the recipient is put off", {"rcpt": ["450 4.2.0 greylisted"]}, "ready", failures=True),
    Fault("the mailbox is full", {"rcpt": ["552 5.2.2 full"]}, "ready", failures=True),
    Fault("no such mailbox", {"rcpt": ["550 5.1.1 who?"]}, "failed", "bad_address"),
    Fault("the recipient is against policy", {"rcpt": ["550 5.7.1 no"]}, "failed", "message_refused"),
    Fault("silence after DATA", {"data": [Trick.HANG]}, "ready", failures=True),
    Fault("hung up after DATA", {"data": [Trick.DROP]}, "ready", failures=True),
    Fault("DATA is refused", {"data": ["554 5.5.1 no"]}, "failed", "message_refused"),
    Fault("DATA is put off", {"data": ["451 4.3.0 later"]}, "ready", failures=True),
    Fault("hung up in the body", {"body": [Trick.DROP_IN_BODY]}, "in_doubt", "in_doubt"),
    Fault("the body is put off", {"body": ["451 4.3.0 later"]}, "ready", bodies=1, failures=True),
    Fault("the body is refused", {"body": ["554 5.6.0 spam"]}, "failed", "message_refused", bodies=1),
    Fault("silence after the body", {"body": [Trick.HANG]}, "in_doubt", "in_doubt", bodies=1),
    Fault("hung up after the body", {"body": [Trick.DROP]}, "in_doubt", "in_doubt", bodies=1),
    Fault("an answer to the body that is none", {"body": ["what?"]}, "in_doubt", "in_doubt", bodies=1),
    Fault("hung up right after 250", {"body": [Trick.REPLY_THEN_DROP]}, "sent", bodies=1),
    Fault("250 byte by byte", {"body": [Trick.DRIP]}, "sent", bodies=1),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_every_fault_has_its_outcome(database: Database, fault: Fault) -> None:
    async with scripted_relay(ScriptedRelay(**fault.script)) as relay:
        house, case = House(database, port=relay.port), Case()
        await house.hear(*case.breach())
        await house.send_until(lambda: ended_or_tried_again(house, case))
        row = await house.notice(case, "breach")
    if fault.state == "ready":
        assert row["state"] in {"ready", "sending"}
        assert row["attempt"] > 1
        assert (row["failures"] > 0) is fault.failures
    else:
        assert (row["state"], row["reason"], row["attempt"]) == (fault.state, fault.reason, 1)
        assert len(relay.bodies) == fault.bodies
    if not fault.bodies:
        assert relay.bodies == []


async def test_an_absent_relay_is_waited_for_without_counting_tries(database: Database) -> None:
    house, case = House(database, port=1), Case()
    await house.hear(*case.breach())
    await house.send_until(lambda: ended_or_tried_again(house, case))
    assert (await house.notice(case, "breach"))["failures"] == 0
    async with scripted_relay(ScriptedRelay()) as relay:
        later = House(database, port=relay.port)
        await later.send_all()
        assert len(relay.bodies) == 1


async def test_what_must_arrive_goes_once_more_with_the_same_bytes(database: Database) -> None:
    async with scripted_relay(ScriptedRelay(body=[Trick.HANG, "250 2.0.0 taken"])) as relay:
        house, case = House(database, port=relay.port, in_doubt_wait=0), Case()
        await house.hear(case.submitted(), case.contact(), case.clock())
        await house.send_all()
        row = await house.notice(case, "received")
        assert (row["state"], row["is_resend"], row["attempt"]) == ("sent", True, 2)
        first, second = relay.bodies
        assert first == second
        assert [event["type"] for event in await house.said()] == ["sent.v1"]


async def test_what_must_arrive_is_given_up_after_the_second_doubt(database: Database) -> None:
    async with scripted_relay(ScriptedRelay(body=[Trick.DROP])) as relay:
        house, case = House(database, port=relay.port, in_doubt_wait=0), Case()
        await house.hear(case.submitted(), case.contact(), case.clock())
        await house.send_all()
        row = await house.notice(case, "received")
        assert (row["state"], row["reason"]) == ("failed", "in_doubt")
        assert len(relay.bodies) == 2


async def test_what_need_not_arrive_is_never_sent_twice(database: Database) -> None:
    async with scripted_relay(ScriptedRelay(body=[Trick.DROP])) as relay:
        house, case = House(database, port=relay.port, in_doubt_wait=0), Case()
        known = case.breach()[:-1]
        await house.hear(*known, case.clock(ClockWarned, level=1))
        await house.send_all()
        row = await house.notice(case, "warning")
        assert (row["state"], row["reason"]) == ("failed", "in_doubt")
        assert len(relay.bodies) == 1


async def test_a_connection_that_went_stale_costs_no_try(database: Database) -> None:
    async with scripted_relay(ScriptedRelay(body=[Trick.REPLY_THEN_DROP])) as relay:
        house = House(database, port=relay.port, connections=1)
        cases = [Case() for _ in range(5)]
        for case in cases:
            await house.hear(*case.breach())
        await house.send_all()
        assert [(await house.notice(case, "breach"))["attempt"] for case in cases] == [1] * 5
        assert len(relay.bodies) == 5


async def test_one_refused_address_of_a_role_does_not_stop_the_others(database: Database) -> None:
    async with scripted_relay(ScriptedRelay(rcpt=["550 5.1.1 who?", "250 2.1.5 fine"])) as relay:
        house, case = House(database, port=relay.port), Case()
        await house.hear(*case.breach())
        async with database.connection() as connection:
            await connection.execute("UPDATE rendering SET recipients = '{gone@insurer.example,here@insurer.example}'")
        await house.send_all()
        assert (await house.notice(case, "breach"))["state"] == "sent"


THREE = "UPDATE rendering SET recipients = '{a@insurer.example,b@insurer.example,c@insurer.example}'"


async def test_who_is_put_off_keeps_the_mail_from_nobody_and_gets_it_alone(database: Database) -> None:
    rcpt: list[Any] = ["250 2.1.5 fine", "452 4.2.2 full", "250 2.1.5 fine", "452 4.2.2 full", "250 2.1.5 fine"]
    async with scripted_relay(ScriptedRelay(rcpt=rcpt)) as relay:
        house, case = House(database, port=relay.port), Case()
        await house.hear(*case.breach())
        async with database.connection() as connection:
            await connection.execute(THREE)
        await house.send_all()
        assert relay.envelopes == [["a@insurer.example", "c@insurer.example"], ["b@insurer.example"]]
        first, second = relay.bodies
        assert first == second
        row = await house.notice(case, "breach")
        assert (row["state"], row["attempt"], row["failures"], row["remaining"]) == ("sent", 3, 2, None)
        async with database.connection() as connection:
            rows = await connection.fetch("SELECT outcome FROM attempt ORDER BY attempt")
        assert [row["outcome"] for row in rows] == ["partly_sent", "retry", "sent"]


@asynccontextmanager
async def left_by_a_relay(database: Database) -> AsyncIterator[Case]:
    """Two of three have the mail about a breach. The escalation was put off for all of them."""
    rcpt: list[Any] = ["250 2.1.5 fine", "452 4.2.2 full", "250 2.1.5 fine", Trick.DROP]
    async with scripted_relay(ScriptedRelay(rcpt=rcpt)) as strict:
        house, case = House(database, port=strict.port), Case()
        await house.hear(*case.breach())
        await house.hear(case.clock(ClockEscalated))
        async with database.connection() as connection:
            await connection.execute(THREE)
        await house.send_until(lambda: ended_or_tried_again(house, case))
        # Who is left holds up nothing that follows.
        assert (await house.notice(case, "escalation"))["attempt"] > 0
        yield case


async def test_who_is_left_is_known_to_whoever_goes_on(database: Database, relay: CatchingRelay) -> None:
    async with left_by_a_relay(database) as case:
        pass
    house = House(database, port=relay.port)
    await house.send_all()
    states = dict(await house.states(case))
    assert (states["breach"], states["escalation"]) == ("sent", "sent")
    assert ("b@insurer.example",) in [mail.recipients for mail in relay.mails]


async def test_what_some_have_is_corrected_and_not_sent_to_who_is_left(
    database: Database, relay: CatchingRelay
) -> None:
    async with left_by_a_relay(database) as case:
        house = House(database, port=relay.port)
        await house.hear(case.clock(ClockBreachWithdrawn))
        await house.send_all()
    states = dict(await house.states(case))
    assert (states["breach"], states["escalation"], states["breach_withdrawn"]) == ("sent", "withdrawn", "sent")
    assert (await house.notice(case, "breach"))["remaining"] == [1]
    assert ("b@insurer.example",) not in [mail.recipients for mail in relay.mails]


async def test_what_ends_in_doubt_for_who_is_left_was_sent_to_the_others(database: Database) -> None:
    rcpt: list[Any] = ["250 2.1.5 fine", "452 4.2.2 full", "250 2.1.5 fine"]
    relay_script = ScriptedRelay(rcpt=rcpt, body=["250 2.0.0 taken", Trick.DROP])
    async with scripted_relay(relay_script) as relay:
        house, case = House(database, port=relay.port, in_doubt_wait=0), Case()
        await house.hear(*case.breach())
        async with database.connection() as connection:
            await connection.execute(THREE)
        await house.send_all()
        assert relay.envelopes[1:] == [["b@insurer.example"]] * 2
        row = await house.notice(case, "breach")
        assert (row["state"], row["reason"], row["remaining"]) == ("sent", None, [1])
        assert [event["type"] for event in await house.said()] == ["suppressed.v1", "sent.v1"]


async def test_a_refused_mail_leaves_the_connection_to_the_next(database: Database) -> None:
    async with scripted_relay(ScriptedRelay(rcpt=["550 5.1.1 who?", "250 2.1.5 fine"])) as relay:
        house = House(database, port=relay.port, connections=1)
        first, second = Case(), Case()
        await house.hear(*first.breach())
        await house.hear(*second.breach())
        await house.send_all()
        assert {(await house.notice(case, "breach"))["state"] for case in (first, second)} == {"failed", "sent"}
        assert relay.connections == 1


async def test_every_answer_is_kept(database: Database) -> None:
    async with scripted_relay(ScriptedRelay(rcpt=["450 4.2.0 greylisted", "250 2.1.5 fine"])) as relay:
        house, case = House(database, port=relay.port), Case()
        await house.hear(*case.breach())
        await house.send_all()
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT * FROM attempt ORDER BY attempt")
    assert [(row["outcome"], row["step"], row["reply_code"], row["enhanced_code"]) for row in rows] == [
        ("retry", "recipient", 450, "4.2.0"),
        ("sent", "body", 250, "2.0.0"),
    ]


async def test_a_later_notice_waits_while_an_earlier_one_is_put_off(database: Database, relay: CatchingRelay) -> None:
    async with scripted_relay(ScriptedRelay(rcpt=["450 4.2.0 later"])) as strict:
        house, case = House(database, port=strict.port), Case()
        await house.hear(*case.breach())
        await house.hear(case.clock(ClockEscalated))
        await house.send_until(lambda: ended_or_tried_again(house, case))
        assert (await house.notice(case, "escalation"))["attempt"] == 0
    await House(database, port=relay.port).send_all()
    assert len(relay.mails) == 2
