"""What a draft would change is read by a process of its own, over what runs and over what was."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from services.sla_timer.handlers.programs import AlreadyRunning, Programs
from shared.contracts.payload import RequestKind
from tests.integration.command_line import listening
from tests.integration.sla_timer.client import Client, client_of
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import Desk
from tests.integration.sla_timer.test_modes_and_rollouts import RULES, due, put

BREACH = "        breach: {roles: [team_lead]}\n"
WORDS = ("earlier", "later", "standing", "started", "cancelled", "breached_at_once")


async def preview(client: Client, **draft: Any) -> dict[str, Any]:
    lines = await client.lines("/v1/rules:preview", draft)
    assert [line["kind"] for line in lines[:-1]] == ["progress"] * (len(lines) - 1)
    assert lines[-1]["kind"] == "result", lines[-1]
    return lines[-1]


def counts(result: dict[str, Any]) -> dict[str, int]:
    return {word: result["running"][word] for word in WORDS if result["running"][word]}


async def test_a_preview_tells_what_the_rollout_then_does(desk: Desk, client: Client) -> None:
    await put(desk, RULES)
    running, waiting, answered, ended = (Customer() for _ in range(4))
    await desk.deliver(
        running.submits(),
        waiting.submits(MONDAY - 5 * HOUR),
        answered.submits(),
        answered.responded(MONDAY),
        ended.submits(),
        ended.closed(MONDAY),
    )
    desk.clock.set(MONDAY + HOUR)
    draft = RULES.replace("budget: 8h", "budget: 5h")
    result = await preview(client, policies=draft)
    assert result["differences"] == ["policy everything, response: budget 8h elapsed becomes 5h elapsed"]
    assert (result["running"]["requests"], result["running"]["affected"]) == (3, 2)
    assert counts(result) == {"earlier": 2, "breached_at_once": 1}
    listed = {change["reference"]: change for change in result["running"]["listed"]}
    assert listed[running.reference]["from_at"] == "2026-06-01T09:00:00+00:00"
    assert listed[running.reference]["to_at"] == "2026-06-01T06:00:00+00:00"
    assert listed[waiting.reference]["is_breached_at_once"]
    assert desk.rulebooks.in_force.version == 2  # nothing was put in force

    await put(desk, draft, moves_running=True)
    await desk.roll_out()
    assert (await due(desk, running), await due(desk, waiting)) == (5, 1)


async def test_a_preview_finds_clocks_that_would_start_or_be_cancelled(desk: Desk, client: Client) -> None:
    await put(desk, f"{RULES}      check:\n        budget: 4h elapsed\n        stops: [closed]\n{BREACH}")
    await desk.deliver(Customer().submits())
    draft = f"{RULES}      inspection:\n        budget: 4h elapsed\n        stops: [closed]\n{BREACH}"
    assert counts(await preview(client, policies=draft)) == {"started": 1, "cancelled": 1}


async def test_a_preview_says_which_standing_clocks_will_go_on_otherwise(desk: Desk, client: Client) -> None:
    rules = RULES.replace("        stops: [closed]", "        stops: [closed]\n        paused_by: [customer_documents]")
    await put(desk, rules)
    customer = Customer()
    await desk.deliver(customer.submits(), customer.paused(MONDAY))
    assert counts(await preview(client, policies=rules.replace("80h", "60h"))) == {"standing": 1}


async def test_a_preview_over_history_tells_what_would_have_been_kept(desk: Desk, client: Client) -> None:
    await put(desk, RULES)
    customers = [Customer() for _ in range(4)]
    await desk.deliver(*(customer.submits() for customer in customers))
    desk.clock.set(MONDAY + 9 * HOUR)
    for hours, customer in zip((2, 4, 6, 9), customers, strict=True):
        await desk.deliver(customer.responded(MONDAY + hours * HOUR, recorded_at=MONDAY + 9 * HOUR))
    early = Customer()
    await desk.deliver(early.submits(MONDAY - 9 * HOUR, kind=RequestKind.ENQUIRY, recorded_at=MONDAY + 9 * HOUR))
    result = await preview(client, policies=RULES.replace("budget: 8h", "budget: 5h"), history_from=MONDAY.isoformat())
    assert result["history"] == {
        "requests": 4,
        "by_kind": [
            {
                "request_kind": "claim",
                "objective": "response",
                "before": {"kept": 3, "missed": 1},
                "after": {"kept": 2, "missed": 2},
            }
        ],
    }


async def test_a_preview_of_the_same_rules_changes_nothing(desk: Desk, client: Client) -> None:
    customers = [Customer() for _ in range(5)]
    await desk.deliver(*(customer.submits() for customer in customers), *(c.paused(MONDAY) for c in customers))
    desk.clock.set(MONDAY + HOUR)
    result = await preview(client, calendars=desk.rulebooks.in_force.sources.calendars, history_from=MONDAY.isoformat())
    assert (counts(result), result["differences"]) == ({}, [])
    assert all(row["before"] == row["after"] for row in result["history"]["by_kind"])


async def test_a_draft_with_an_error_is_refused_before_anything_is_read(client: Client) -> None:
    answer = await client.post("/v1/rules:preview", {"policies": "["})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "document")
    answer = await client.post("/v1/rules:preview", {"history_from": "2030-01-01T00:00:00Z"})
    assert answer.json()["errors"][0]["field"] == "history_from"


async def test_one_preview_at_a_time(client: Client) -> None:
    first, second = await asyncio.gather(
        client.post("/v1/rules:preview", {}), client.post("/v1/rules:preview", {}), return_exceptions=True
    )
    assert not isinstance(first, BaseException)
    assert not isinstance(second, BaseException)
    assert sorted((first.status_code, second.status_code)) == [200, 409]
    assert (await client.post("/v1/rules:preview", {})).status_code == 200


async def test_a_program_that_fails_says_so_in_its_last_line() -> None:
    programs = Programs(env={"PUNCTUAL_SLA_TIMER_DATABASE_URL": ""})
    run = await programs.start("--verify", {})
    lines = [line async for line in run.lines()]
    await run.end()
    assert b'"kind": "failed"' in lines[-1]
    assert b"DATABASE_URL" in lines[-1]


async def test_a_line_may_be_long_enough_for_a_thousand_clocks() -> None:
    run = await Programs(("python3", "-c", "print('x' * 1_000_000)")).start("--preview", {})
    assert [len(line) async for line in run.lines()] == [1_000_001]
    await run.end()


async def test_a_program_is_ended_when_nobody_reads_it_any_more() -> None:
    programs = Programs(("sleep", "60"))
    with pytest.raises(FileNotFoundError):
        await Programs(("/nowhere",)).start("--verify", {})
    programs = Programs(("python3", "-c", "import time; print('{}', flush=True); time.sleep(60)"))
    run = await programs.start("--preview", {})
    lines = run.lines()
    assert await anext(lines) == b"{}\n"
    with pytest.raises(AlreadyRunning):
        await programs.start("--preview", {})
    await run.end()
    again = await programs.start("--preview", {})
    await again.end()


async def test_a_program_is_ended_when_its_caller_goes_away(desk: Desk) -> None:
    programs = Programs(("python3", "-c", "import time; print('{}', flush=True); time.sleep(60)"))
    async with (
        client_of(desk, programs) as client,
        listening(client.app) as url,
        httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer key of lead"}) as http,
    ):
        async with http.stream("POST", "/v1/clocks:verify") as answer:
            assert await anext(answer.aiter_lines()) == "{}"
            assert (await http.post("/v1/clocks:verify")).status_code == 409
        async with asyncio.timeout(10):
            while programs._busy:
                await asyncio.sleep(0.02)
