"""The commands for people, against the service's own API over a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.command_line import Run, command_line, listening
from tests.integration.sla_timer.client import Client
from tests.integration.sla_timer.desk import HOUR, MONDAY, Customer, Desk
from tests.integration.sla_timer.test_modes_and_rollouts import RULES, due, put


@pytest.fixture
async def run(client: Client, tmp_path: Path) -> AsyncIterator[Run]:
    async with listening(client.app) as url:
        yield command_line(PUNCTUAL_SLA_TIMER_URL=url, PUNCTUAL_STAFF_KEY="key of lead", PUNCTUAL_HOME=str(tmp_path))


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    file = tmp_path / "draft.yml"
    file.write_text(RULES.replace("budget: 8h", "budget: 5h"), encoding="utf-8")
    return file


async def test_a_deadline_is_explained_as_a_table(desk: Desk, run: Run) -> None:
    customer = Customer()
    await desk.deliver(
        customer.submits(),
        customer.paused(MONDAY + HOUR),
        customer.resumed(MONDAY + 4 * HOUR),
        customer.extended("resolution", 2 * HOUR, MONDAY + 5 * HOUR),
    )
    code, text = await run("clocks", "explain", customer.reference)
    assert code == 0
    text = " ".join(text.split())
    for shown in (
        "90h working and 2h granted on hong_kong",
        "Mon 2026-06-01 01:00:00 Mon 2026-06-01 02:00:00 1h 1h",
        "customer_documents",
        "extended resolution (reason agreed_with_customer, approved_by lead, by 2h)",
        "warning 1",
    ):
        assert shown in text
    answer = json.loads((await run("clocks", "explain", customer.reference, "--json"))[1])
    resolution = next(clock for clock in answer["clocks"] if clock["objective"] == "resolution")
    assert resolution["windows"][-1]["total_seconds"] == 92 * 3600


async def test_what_a_request_got_its_policy_for_is_shown(desk: Desk, run: Run) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    _, text = await run("policy", "explain", customer.reference)
    assert "priority urgent (is normal)" in text
    assert "yes claim" in text


async def test_a_policy_is_compared_shown_and_applied(desk: Desk, run: Run, draft: Path) -> None:
    await put(desk, RULES)
    customer = Customer()
    await desk.deliver(customer.submits())
    desk.clock.set(MONDAY + HOUR)
    _, text = await run("policy", "diff", str(draft), "--history-from", "2026-06-01T00:00Z")
    assert "policy everything, response: budget 8h elapsed becomes 5h elapsed" in text
    assert customer.reference in text
    assert "1 of 1 requests would change" in text

    code, _ = await run("policy", "apply", str(draft), "--reason", "shorter", "--running", answer="n\n")
    assert (code, desk.rulebooks.in_force.version) == (1, 2)
    code, text = await run("policy", "apply", str(draft), "--reason", "shorter", "--running", answer="y\n")
    assert (code, desk.rulebooks.in_force.reason) == (0, "shorter")
    assert text.endswith("Version 3 is in force.\n")
    await desk.roll_out()
    assert await due(desk, customer) == 5

    versions = json.loads((await run("policy", "history", "--json"))[1])
    assert [(version["version"], version["reason"]) for version in versions][:2] == [(3, "shorter"), (2, "try it")]
    assert (await run("policy", "show", "2"))[1] == RULES
    assert "becomes 5h" in (await run("policy", "show", "--against", "2"))[1]


async def test_calendars_are_applied_without_asking_when_told_so(desk: Desk, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "calendars.yml"
    file.write_text(desk.rulebooks.in_force.sources.calendars + "\n", encoding="utf-8")
    assert "Nothing is different" in (await run("calendar", "diff", str(file)))[1]
    code, text = await run("calendar", "apply", str(file), "--reason", "looked through", "--yes")
    assert (code, text) == (0, "Version 2 is in force.\n")


async def test_the_right_clocks_are_listed(desk: Desk, run: Run) -> None:
    customers = [Customer() for _ in range(3)]
    await desk.deliver(*(customer.submits() for customer in customers), customers[0].assigned("claims_hk", MONDAY))
    clocks = json.loads((await run("clocks", "due", "--limit", "5", "--json"))[1])
    assert len(clocks) == 5
    _, text = await run("clocks", "due", "--team", "claims_hk")
    assert text.count(customers[0].reference) == 2
    assert customers[1].reference not in text


async def test_verifying_ends_with_one_when_something_differs(desk: Desk, run: Run) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    assert await run("clocks", "verify") == (0, "2 clocks of 1 requests rebuilt, 0 differences.\n")
    await desk.rows("UPDATE clock SET mode = 'peak' WHERE objective = 'response'")
    code, text = await run("clocks", "verify")
    assert code == 1
    assert f"{customer.reference} response cycle 1, mode: stored peak, rebuilt normal" in text


async def test_a_mode_is_entered_shown_and_left(desk: Desk, run: Run) -> None:
    code, text = await run("mode", "enter", "peak", "--reason", "typhoon", "--market", "HK")
    assert (code, text[:23]) == (0, "peak is in force in HK;")
    assert "HK: peak   CN: normal" in (await run("mode", "show"))[1]
    assert await run("mode", "leave", "peak", "--reason", "over") == (0, "peak was left in HK.\n")
    refused = await run("mode", "leave", "peak", "--reason", "over")
    assert refused == (1, "punctual: peak is not in force\n")
    assert desk.modes.declared[0].left_by == "lead"


async def test_what_the_service_refuses_is_one_readable_message(run: Run, tmp_path: Path) -> None:
    mistyped = await run("clocks", "explain", "K7M4Q-2XD9D")
    assert mistyped == (1, "punctual: The reference is mistyped. Its check character does not fit\n")
    file = tmp_path / "broken.yml"
    file.write_text("policies: []", encoding="utf-8")
    code, text = await run("policy", "diff", str(file))
    assert (code, text.splitlines()[0]) == (1, "punctual: The policies cannot be used. What was in force stays")
    assert text.splitlines()[1].startswith("  document: policies.yml, line 1: ")
