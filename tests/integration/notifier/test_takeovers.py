"""Processes that die, hang and wake up too late; events and outages that come in the middle of an attempt."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from services.notifier.delivery.session import RelaySession
from services.notifier.domain.attempts import Answer, Step
from services.notifier.domain.words import NoticeKind
from services.notifier.handlers.claiming import Claim
from shared.contracts.clocks import ClockBreachWithdrawn, ClockResumed
from shared.contracts.envelope import Tombstone
from shared.contracts.requests import RequestClosed
from shared.postgres import Database
from tests.integration.notifier.cases import DUE, Case
from tests.integration.notifier.house import SENDER, House
from tests.integration.notifier.relays import CatchingRelay, ScriptedRelay, scripted_relay

TAKEN = Answer(Step.BODY, 250)


async def only_claim(house: House) -> Claim:
    (claim,) = await house.claiming.claim(10)
    return claim


async def hand_over(house: House, claim: Claim) -> Answer | None:
    session = RelaySession(house.options)
    try:
        return await session.hand_over(
            SENDER.address, claim.recipients, claim.rendering.message, lambda: house.journal.begin(claim)
        )
    finally:
        await session.close()


async def test_a_process_that_dies_before_the_body_costs_nothing(database: Database, relay: CatchingRelay) -> None:
    dying, case = House(database, claim_lease=0), Case()
    await dying.hear(*case.breach())
    await only_claim(dying)
    heir = House(database, port=relay.port)
    await heir.send_all()
    assert len(relay.mails) == 1
    assert (await heir.notice(case, "breach"))["attempt"] == 2


async def test_a_process_that_dies_in_the_body_leaves_a_doubt(database: Database, relay: CatchingRelay) -> None:
    dying, case = House(database, body_lease=0), Case()
    await dying.hear(case.submitted(), case.contact(), case.clock())
    async with dying.writing():
        assert await dying.journal.begin(await only_claim(dying))
    heir = House(database, port=relay.port, in_doubt_wait=0)
    await heir.claiming.attend()
    assert (await heir.notice(case, "received"))["state"] == "in_doubt"
    await heir.send_all()
    assert len(relay.mails) == 1
    assert (await heir.notice(case, "received"))["is_resend"]


async def test_a_zombie_may_neither_send_nor_report(database: Database, relay: CatchingRelay) -> None:
    zombie, case = House(database, port=relay.port, claim_lease=0), Case()
    await zombie.hear(*case.breach())
    stale = await only_claim(zombie)
    heir = House(database, port=relay.port)
    await heir.claiming.attend()
    fresh = await only_claim(heir)
    async with zombie.writing(), heir.writing():
        assert await hand_over(zombie, stale) is None
        assert relay.mails == []
        assert not await zombie.journal.conclude(stale, TAKEN)
        answer = await hand_over(heir, fresh)
        assert answer is not None
        assert await heir.journal.conclude(fresh, answer)
        assert not await zombie.journal.conclude(stale, TAKEN)
    assert len(relay.mails) == 1
    assert [event["type"] for event in await heir.said()] == ["suppressed.v1", "sent.v1"]


async def test_a_late_answer_counts_until_somebody_else_has_begun(database: Database) -> None:
    slow, case = House(database, body_lease=0), Case()
    await slow.hear(*case.breach())
    claim = await only_claim(slow)
    async with slow.writing():
        assert await slow.journal.begin(claim)
        await slow.claiming.attend()
        assert (await slow.notice(case, "breach"))["state"] == "in_doubt"
        assert await slow.journal.conclude(claim, TAKEN)
    assert (await slow.notice(case, "breach"))["state"] == "sent"


async def test_what_is_taken_back_after_the_claim_is_not_sent(database: Database) -> None:
    async with scripted_relay(ScriptedRelay()) as relay:
        house, case = House(database, port=relay.port), Case()
        await house.hear(*case.breach())
        claim = await only_claim(house)
        await house.hear(case.clock(ClockBreachWithdrawn))
        async with house.writing():
            assert await hand_over(house, claim) is None
        assert relay.begun == 0
        assert (await house.notice(case, "breach"))["reason"] == "breach_withdrawn"


async def test_what_is_taken_back_in_the_body_was_perhaps_read(database: Database) -> None:
    house, case = House(database), Case()
    await house.hear(*case.breach())
    claim = await only_claim(house)
    async with house.writing():
        assert await house.journal.begin(claim)
        await house.hear(case.clock(ClockBreachWithdrawn))
        assert await house.journal.conclude(claim, TAKEN)
    assert await house.states(case) == [("received", "suppressed"), ("breach", "sent"), ("breach_withdrawn", "ready")]


async def test_a_breach_in_doubt_is_not_sent_again_after_it_was_withdrawn(
    database: Database, relay: CatchingRelay
) -> None:
    house, case = House(database, port=relay.port, body_lease=0, in_doubt_wait=0), Case()
    await house.hear(*case.breach())
    async with house.writing():
        assert await house.journal.begin(await only_claim(house))
    await house.claiming.attend()
    await house.hear(case.clock(ClockBreachWithdrawn))
    await house.claiming.attend()
    await house.send_all()
    breach = await house.notice(case, "breach")
    assert (breach["state"], breach["reason"], breach["attempt"]) == ("failed", "superseded", 1)
    assert (await house.notice(case, "breach_withdrawn"))["state"] == "sent"


async def test_a_breach_that_failed_in_doubt_is_withdrawn_where_it_may_have_arrived(database: Database) -> None:
    house, case = House(database, body_lease=0, in_doubt_wait=0), Case()
    await house.hear(*case.breach())
    async with house.writing():
        for _ in range(2):
            assert await house.journal.begin(await only_claim(house))
            await house.claiming.attend()
            await house.claiming.attend()
    assert (await house.notice(case, "breach"))["reason"] == "in_doubt"
    await house.hear(case.clock(ClockBreachWithdrawn))
    assert (await house.notice(case, "breach_withdrawn"))["audience"] == "role:team_lead"


async def test_a_new_time_takes_back_a_claimed_confirmation_and_goes_out_instead(
    database: Database, relay: CatchingRelay
) -> None:
    house, case = House(database, port=relay.port), Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    claim = await only_claim(house)
    later = DUE.replace(year=2027)
    await house.hear(case.clock(ClockResumed, due_at=later))
    async with house.writing():
        assert await hand_over(house, claim) is None
    await house.send_all()
    assert await house.states(case) == [("received", "sent")]
    assert (await house.notice(case, "received"))["told_expected_at"] == later
    assert len(relay.mails) == 1


async def test_an_erasure_while_the_relay_talks_ends_the_retries(database: Database) -> None:
    house, case = House(database), Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    claim = await only_claim(house)
    async with house.writing():
        assert await house.journal.begin(claim)
        await house.hear(Tombstone(case.customer_id))
        assert await house.journal.conclude(claim, Answer(Step.BODY, 451))
    row = await house.notice(case, "received")
    assert (row["state"], row["reason"]) == ("failed", "erased")


async def test_a_released_claim_is_ready_again(database: Database) -> None:
    house, case = House(database), Case()
    await house.hear(*case.breach())
    async with house.writing():
        assert await house.journal.release(await only_claim(house))
    row = await house.notice(case, "breach")
    assert (row["state"], row["failures"]) == ("ready", 0)


async def test_an_outcome_survives_the_loss_of_every_connection(
    database: Database, database_urls: dict[str, str]
) -> None:
    house, case = House(database), Case()
    await house.hear(*case.breach())
    claim = await only_claim(house)
    async with house.writing():
        assert await house.journal.begin(claim)
        admin = await asyncpg.connect(database_urls["admin"])
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'punctual_notifier'"
        )
        await admin.close()
        assert await house.journal.conclude(claim, TAKEN)
    assert (await house.notice(case, "breach"))["state"] == "sent"


async def test_parallel_steps_share_transactions_and_keep_their_answers_apart(database: Database) -> None:
    house = House(database)
    cases = [Case() for _ in range(8)]
    for case in cases:
        await house.hear(*case.breach())
    claims = await house.claiming.claim(8)
    async with house.writing():
        assert all(await asyncio.gather(*(house.journal.begin(claim) for claim in claims)))
        answers = [Answer(Step.BODY, 250 if number % 2 else 554) for number in range(8)]
        assert all(await asyncio.gather(*map(house.journal.conclude, claims, answers)))
    states = [row["state"] for row in await house.notices() if row["kind"] == "breach"]
    assert sorted(states) == ["failed"] * 4 + ["sent"] * 4


async def test_customers_go_before_staff_but_never_all_of_the_way(database: Database) -> None:
    house = House(database)
    breaches, requests = [Case() for _ in range(20)], [Case() for _ in range(20)]
    await house.hear(*[event for case in breaches for event in case.breach()])
    await house.hear(*[event for c in requests for event in (c.contact(), c.submitted(), c.clock())])
    first = [claim.kind for claim in await house.claiming.claim(16)]
    assert (first.count(NoticeKind.RECEIVED), first.count(NoticeKind.BREACH)) == (12, 4)
    second = [claim.kind for claim in await house.claiming.claim(16)]
    assert (second.count(NoticeKind.RECEIVED), second.count(NoticeKind.BREACH)) == (8, 8)
    assert [claim.kind for claim in await house.claiming.claim(1)] == [NoticeKind.BREACH]


@pytest.mark.parametrize(("count", "breaches"), [(1, 1), (2, 4), (3, 4)])
async def test_a_flood_of_requests_silences_no_breach_however_few_are_claimed(
    database: Database, count: int, breaches: int
) -> None:
    house = House(database)
    for _ in range(8):
        case, other = Case(), Case()
        await house.hear(*case.breach(), other.contact(), other.submitted(), other.clock())
    kinds = [claim.kind for _ in range(4) for claim in await house.claiming.claim(count)]
    assert kinds.count(NoticeKind.BREACH) == breaches


async def test_whose_turn_it_is_waits_for_nobody(database: Database) -> None:
    house = House(database)
    for _ in range(5):
        case = Case()
        await house.hear(case.contact(), case.submitted(), case.clock())
    assert [len(await house.claiming.claim(1)) for _ in range(6)] == [1, 1, 1, 1, 1, 0]


async def test_stopping_gives_back_what_was_not_begun(database: Database) -> None:
    house, case = House(database, port=1), Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    async with house.sending():
        pass
    assert {row["state"] for row in await house.notices()} == {"ready"}
