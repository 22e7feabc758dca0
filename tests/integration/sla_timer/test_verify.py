"""Every stored clock is what its history says; where it is not, the command finds it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.payload import Priority, RequestKind
from tests.integration.sla_timer.client import Client
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import Desk
from tests.integration.sla_timer.test_modes_and_rollouts import put


async def verify(client: Client) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    lines = await client.lines("/v1/clocks:verify", {})
    return [line for line in lines if line["kind"] == "difference"], lines[-1]


async def live(desk: Desk) -> Customer:
    """A little of everything; gives a request whose response is breached."""
    one, two, three, four = (Customer() for _ in range(4))
    await desk.deliver(
        one.submits(),
        two.submits(kind=RequestKind.ENQUIRY),
        three.submits(priority=Priority.HIGH),
        four.submits(),
    )
    await desk.tick(MONDAY + 3 * HOUR)
    await desk.deliver(
        two.responded(MONDAY + 2 * HOUR, recorded_at=MONDAY + 3 * HOUR),
        two.paused(MONDAY + 3 * HOUR),
        three.becomes(Priority.URGENT, MONDAY + 3 * HOUR),
        four.closed(MONDAY + 3 * HOUR, outcome="withdrawn"),
        four.reopened(MONDAY + 3 * HOUR),
    )
    await desk.tick(MONDAY + 9 * HOUR)
    await desk.deliver(
        two.resumed(MONDAY + 8 * HOUR, recorded_at=MONDAY + 9 * HOUR),
        three.extended("resolution", 5 * HOUR, MONDAY + 9 * HOUR),
        four.responded(MONDAY + 4 * HOUR, recorded_at=MONDAY + 9 * HOUR),
    )
    policies = desk.rulebooks.in_force.sources.policies
    await put(desk, policies.replace("budget: 90h working", "budget: 45h working"), moves_running=True)
    await desk.roll_out()
    await desk.tick(MONDAY + 48 * HOUR)
    return one


async def test_what_is_stored_is_what_the_histories_say(desk: Desk, client: Client) -> None:
    await live(desk)
    differences, result = await verify(client)
    assert differences == []
    assert (result["kind"], result["requests"], result["differences"]) == ("result", 4, 0)
    assert result["clocks"] >= 8


_WITHDRAW = (
    "UPDATE decision SET withdrawn_at = recorded_at FROM clock"
    " WHERE kind = 'breach' AND clock.clock_id = decision.clock_id AND request_id = $1"
)


@pytest.mark.parametrize(
    ("statement", "fields"),
    [
        ("UPDATE clock SET due_at = due_at + '1h' WHERE request_id = $1 AND objective = 'response'", {"due_at"}),
        ("UPDATE clock SET next_at = next_at + '1h' WHERE request_id = $1 AND objective = 'resolution'", {"next_at"}),
        ("UPDATE clock SET mode = 'peak' WHERE request_id = $1 AND objective = 'response'", {"mode"}),
        (
            "UPDATE clock SET held = 'breach:1' WHERE request_id = $1 AND objective = 'response'",
            {"held", "decisions"},
        ),
        (_WITHDRAW, {"decisions"}),
    ],
)
async def test_a_clock_that_is_something_else_is_found(
    desk: Desk, client: Client, statement: str, fields: set[str]
) -> None:
    customer = await live(desk)
    await desk.rows(statement, customer.request_id)
    differences, result = await verify(client)
    assert {difference["field"] for difference in differences} == fields
    assert {difference["reference"] for difference in differences} == {customer.reference}
    assert result["differences"] == len(differences)


async def test_a_number_of_clocks_that_is_wrong_is_found(desk: Desk, client: Client) -> None:
    await live(desk)
    await desk.rows("UPDATE clock_count SET clocks = clocks + 1 WHERE objective = 'response' AND state = 'met'")
    differences, _ = await verify(client)
    assert {(difference["field"], difference["objective"]) for difference in differences} == {("count", "response")}
