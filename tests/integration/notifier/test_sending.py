"""What the customer and the staff really receive, from a real SMTP server."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy

from services.notifier.domain.wording.dates import format_deadline
from shared.contracts.clocks import ClockBreached, ClockBreachWithdrawn, ClockEscalated, ClockResumed
from shared.contracts.payload import Language, Market
from shared.contracts.requests import RequestClosed
from shared.postgres import Database
from tests.integration.notifier.cases import DUE, Case
from tests.integration.notifier.house import House
from tests.integration.notifier.relays import CatchingRelay, addresses

LATER = DUE + timedelta(hours=8)


async def test_a_customer_reads_the_confirmation_in_the_language_of_the_request(
    database: Database, relay: CatchingRelay
) -> None:
    house = House(database, port=relay.port)
    languages = [
        (Language.TRADITIONAL_CHINESE, Market.TAIWAN),
        (Language.SIMPLIFIED_CHINESE, Market.MAINLAND_CHINA),
        (Language.ENGLISH, Market.HONG_KONG),
    ]
    cases = {f"{language}@customer.example": Case(language, market) for language, market in languages}
    for address, case in cases.items():
        await house.hear(case.submitted(), case.contact(email=address), case.clock())
    await house.send_all()
    assert addresses(relay.mails) == sorted(cases)
    for sent in relay.mails:
        case = cases[sent.recipients[0]]
        mail = message_from_bytes(sent.content, policy=policy.default)
        plain = mail.get_body(["plain"])
        assert plain is not None
        text = plain.get_content()
        assert case.reference in mail["Subject"]
        assert format_deadline(DUE, case.language, case.market) in text
        assert "https://status.insurer.example/t/token" in text
        assert mail["X-Correlation-ID"] == "corr-42"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Content-Language"] == case.language


async def test_what_was_told_is_said_on_the_topic(database: Database, relay: CatchingRelay) -> None:
    house = House(database, port=relay.port)
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await house.send_all()
    (said,) = await house.said()
    row = await house.notice(case, "received")
    assert (said["type"], said["kind"], said["audience"]) == ("sent.v1", "received", "customer")
    assert said["notice_id"] == str(row["notice_id"])
    assert (said["channel"], said["language"]) == ("email", "en")
    assert said["told_expected_at"] == DUE.isoformat().replace("+00:00", "Z")
    assert (said["correlation_id"], said["sequence"]) == ("corr-42", 1)


async def test_a_customer_who_was_told_a_time_is_told_the_new_one_and_the_end(
    database: Database, relay: CatchingRelay
) -> None:
    house = House(database, port=relay.port)
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await house.send_all()
    await house.hear(case.clock(ClockResumed, due_at=LATER))
    await house.send_all()
    await house.hear(case.clock(ClockResumed, due_at=LATER))
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    await house.send_all()
    subjects = [message_from_bytes(mail.content, policy=policy.default)["Subject"] for mail in relay.mails]
    assert subjects == [
        f"We have received your claim {case.reference}",
        f"New expected time for your claim {case.reference}",
        f"Your claim {case.reference} is completed",
    ]
    assert [event["sequence"] for event in await house.said()] == [1, 2, 3]


async def test_notices_of_one_request_leave_in_their_order(database: Database, relay: CatchingRelay) -> None:
    house = House(database, port=relay.port)
    cases = [Case() for _ in range(20)]
    for case in cases:
        await house.hear(case.contact(), case.submitted(), case.clock())
        await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    await house.send_all()
    subjects = [message_from_bytes(mail.content, policy=policy.default)["Subject"] for mail in relay.mails]
    for case in cases:
        mine = [subject for subject in subjects if case.reference in subject]
        assert mine == [f"We have received your claim {case.reference}", f"Your claim {case.reference} is completed"]


async def test_a_role_reads_of_breaches_and_of_their_withdrawal(database: Database, relay: CatchingRelay) -> None:
    house = House(database, port=relay.port)
    case = Case()
    await house.hear(*case.breach(), case.clock(ClockEscalated, notify_roles=["team_lead", "head_of_operations"]))
    await house.send_all()
    assert addresses(relay.mails) == [
        "head-of-operations@insurer.example",
        "team-lead@insurer.example",
        "team-lead@insurer.example",
    ]
    await house.hear(case.clock(ClockBreachWithdrawn))
    await house.hear(case.clock(ClockBreachWithdrawn))
    await house.send_all()
    assert addresses(relay.mails[3:]) == ["head-of-operations@insurer.example", "team-lead@insurer.example"]


async def test_several_processes_send_each_mail_once(database: Database, relay: CatchingRelay) -> None:
    houses = [House(database, port=relay.port) for _ in range(3)]
    cases = [Case(email=f"c{number}@customer.example") for number in range(60)]
    await houses[0].hear(*[event for case in cases for event in (case.contact(), case.submitted(), case.clock())])
    async with houses[0].sending(), houses[1].sending():
        await houses[2].send_all()
    assert addresses(relay.mails) == sorted(f"c{number}@customer.example" for number in range(60))


async def test_sessions_are_used_for_many_mails(database: Database, relay: CatchingRelay) -> None:
    house = House(database, port=relay.port)
    cases = [Case() for _ in range(40)]
    await house.hear(*[event for case in cases for event in (case.contact(), case.submitted(), case.clock())])
    await house.send_all()
    message_ids = {message_from_bytes(mail.content)["Message-ID"] for mail in relay.mails}
    assert len(message_ids) == len(relay.mails) == 40


async def test_nothing_personal_stands_in_what_is_said(database: Database, relay: CatchingRelay) -> None:
    house = House(database, port=relay.port)
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock(), case.clock(ClockBreached))
    await house.send_all()
    assert "customer.example" not in str(await house.said())
    assert "陳大文" not in str(await house.said())


async def test_staff_read_a_reminder_in_the_language_of_their_role(database: Database, relay: CatchingRelay) -> None:
    house = House(database, port=relay.port)
    case = Case(email=None)
    roles = ("claims_assessor", "head_of_operations")
    await house.hear(case.contact(), case.submitted(), case.clock(), case.reminded(2, notify_roles=roles))
    await house.send_all()
    assert addresses(relay.mails) == ["claims-assessor@insurer.example", "head-of-operations@insurer.example"]
    texts = {}
    for sent in relay.mails:
        mail = message_from_bytes(sent.content, policy=policy.default)
        plain = mail.get_body(["plain"])
        assert plain is not None
        texts[sent.recipients[0]] = f"{mail['Subject']} {plain.get_content()}"
    assert f"催辦（第 2 次）：{case.reference} 正在等候審核" in texts["claims-assessor@insurer.example"]
    assert f"Reminder 2: {case.reference} waits at assessment" in texts["head-of-operations@insurer.example"]
    assert not [text for text in texts.values() if "陳大文" in text]
