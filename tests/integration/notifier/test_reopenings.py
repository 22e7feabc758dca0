"""Reopened requests in Postgres, where each topic is a transaction of its own."""

from __future__ import annotations

from datetime import timedelta

from shared.contracts.clocks import ClockMet, ClockStarted
from shared.contracts.requests import RequestClosed, RequestReopened
from shared.postgres import Database
from tests.integration.notifier.cases import DUE, NOW, Case
from tests.integration.notifier.house import House
from tests.integration.notifier.relays import CatchingRelay


async def test_a_new_expected_time_that_overtakes_its_reopening_is_told(
    database: Database, relay: CatchingRelay
) -> None:
    house, case, later = House(database, port=relay.port), Case(), DUE + timedelta(days=3)
    await house.hear(case.contact(), case.submitted(), case.clock())
    await house.send_all()
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="declined")))
    await house.hear(case.clock(ClockMet), case.clock(ClockStarted, cycle=2, due_at=later))
    await house.hear(case.event(RequestReopened(request_id=case.request_id, reason="new_evidence")))
    change = await house.notice(case, "expected_time_changed")
    assert (change["state"], change["told_expected_at"], change["cycle"]) == ("ready", later, 2)


async def test_a_clock_of_before_the_reopening_that_is_heard_of_after_it_is_told_to_nobody(
    database: Database, relay: CatchingRelay
) -> None:
    house, case, later = House(database, port=relay.port), Case(), DUE + timedelta(days=3)
    await house.hear(case.contact(), case.submitted())
    await house.hear(case.event(RequestClosed(request_id=case.request_id, outcome="declined")))
    await house.send_all()
    await house.hear(case.event(RequestReopened(request_id=case.request_id, reason="new_evidence")))
    await house.hear(case.clock(ClockStarted, started_at=NOW - timedelta(hours=1)))
    assert "expected_time_changed" not in dict(await house.states(case))
    await house.hear(case.clock(ClockStarted, cycle=2, started_at=NOW, due_at=later))
    change = await house.notice(case, "expected_time_changed")
    assert (change["told_expected_at"], change["cycle"]) == (later, 2)
