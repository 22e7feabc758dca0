"""Mails are deleted some time after they ended; what was told, and when, stays known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifier.ticker.retention import MailKeeper
from shared.clock import real_now
from shared.contracts.requests import RequestClosed
from shared.postgres import ClockCheck, ClocksDisagree, Database
from tests.integration.notifier.cases import Case
from tests.integration.notifier.house import House
from tests.integration.notifier.relays import CatchingRelay

YEAR = timedelta(days=365)


async def count_mails(house: House) -> int:
    async with house.database.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM rendering"))


async def test_a_mail_is_kept_for_the_time_that_is_set_and_then_deleted(
    database: Database, relay: CatchingRelay
) -> None:
    house, case = House(database, port=relay.port), Case()
    keeper = MailKeeper(database, house.clock, YEAR, ClockCheck("notifier"))
    await house.hear(*case.breach())
    await house.hear(case.contact(version=2), case.event(RequestClosed(request_id=case.request_id, outcome="paid")))
    await house.send_all()
    before = await house.notices()
    assert await count_mails(house) == 2
    house.clock.advance(YEAR)
    assert (await keeper.run_once(), await count_mails(house)) == (0, 2)
    house.clock.advance(timedelta(seconds=1))
    assert (await keeper.run_once(), await count_mails(house)) == (3, 0)  # one never had a mail
    after = await house.notices()
    assert [{**row, "is_mail_deleted": False} for row in after] == [dict(row) for row in before]
    assert await keeper.run_once() == 0


async def test_a_mail_that_has_not_ended_is_kept_however_old(house: House) -> None:
    case = Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    house.clock.advance(10 * YEAR)
    keeper = MailKeeper(house.database, house.clock, YEAR, ClockCheck("notifier"))
    assert (await keeper.run_once(), await count_mails(house)) == (0, 1)


@pytest.mark.parametrize("ahead", [2 * YEAR, timedelta(seconds=-65)])
async def test_a_process_whose_clock_is_wrong_deletes_no_mail(
    database: Database, relay: CatchingRelay, ahead: timedelta
) -> None:
    house, case = House(database, port=relay.port), Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await house.send_all()
    house.clock.advance(2 * YEAR)
    keeper = MailKeeper(database, house.clock, YEAR, ClockCheck("notifier", lambda: real_now() + ahead))
    with pytest.raises(ClocksDisagree):
        await keeper.run_once()
    assert await count_mails(house) == 1


async def test_few_are_deleted_at_a_time_oldest_first(
    database: Database, relay: CatchingRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.ticker.retention._BATCH", 2)
    house, cases = House(database, port=relay.port), [Case() for _ in range(3)]
    for case in cases:
        await house.hear(case.submitted(), case.contact(), case.clock())
        await house.send_all()
        house.clock.advance(timedelta(hours=1))
    house.clock.advance(YEAR)
    keeper = MailKeeper(database, house.clock, YEAR, ClockCheck("notifier"))
    assert await keeper.run_once() == 2
    left = [len((await house.held_on(case)).mails) for case in cases]
    assert left == [0, 0, 1]
    assert await keeper.run_once() == 1


async def test_what_is_heard_again_after_the_mail_was_deleted_is_not_told_again(
    database: Database, relay: CatchingRelay
) -> None:
    house, case = House(database, port=relay.port), Case()
    await house.hear(case.submitted(), case.contact(), case.clock())
    await house.send_all()
    house.clock.advance(2 * YEAR)
    await MailKeeper(database, house.clock, YEAR, ClockCheck("notifier")).run_once()
    await house.hear(case.submitted(), case.contact(), case.clock())
    assert await house.states(case) == [("received", "sent")]
    assert await count_mails(house) == 0
