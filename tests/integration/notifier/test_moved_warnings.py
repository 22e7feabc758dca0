"""A warning that waits, for the relay or for its request, while its deadline moves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifier.domain.wording.reading import read_mail
from shared.contracts.clocks import ClockResumed, ClockWarned
from shared.postgres import Database
from tests.integration.notifier.cases import DUE, Case
from tests.integration.notifier.house import House
from tests.integration.notifier.relays import CatchingRelay


@pytest.mark.parametrize("is_request_known", [True, False])
async def test_a_warning_leaves_with_the_deadline_it_was_moved_to(
    database: Database, relay: CatchingRelay, is_request_known: bool
) -> None:
    house, case = House(database, port=relay.port), Case()
    if is_request_known:
        await house.hear(case.submitted())
    await house.hear(case.clock(), case.clock(ClockWarned, notify_roles=["head_of_operations"]))
    await house.hear(case.clock(ClockResumed, due_at=DUE + timedelta(hours=8)))
    await house.hear(case.submitted())
    await house.send_until(lambda: is_sent(relay))
    ((subject, _),) = [read_mail(mail.content) for mail in relay.mails]
    assert subject.endswith("is due Thursday 26 November 2026, 07:00 (Hong Kong time)")


async def is_sent(relay: CatchingRelay) -> bool:
    return bool(relay.mails)
