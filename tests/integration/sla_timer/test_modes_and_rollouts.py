"""Changed rules and modes reach the requests that run already, each by an entry of its history."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.sla_timer.domain.rules import Mode
from shared.contracts.clocks import ClockRetargeted
from shared.contracts.payload import Market
from shared.errors import Fenced
from shared.ids import new_id
from tests.integration.sla_timer.client import Client
from tests.integration.sla_timer.conftest import StartDesk
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer, entered, left
from tests.integration.sla_timer.desk import Desk, texts, wrong_counts

RULES = """\
format: 1
calendars: {HK: hong_kong, CN: mainland_china, TW: taiwan}
policies:
  - policy: everything
    objectives:
      response:
        budget: 8h elapsed
        modes: {peak: 12h elapsed, emergency: 2h elapsed}
        modes_move_running: true
        stops: [responded, closed]
        breach: {roles: [team_lead]}
      resolution:
        budget: 80h elapsed
        modes: {peak: 120h elapsed}
        stops: [closed]
        breach: {roles: [team_lead]}
"""


async def put(desk: Desk, text: str, *, moves_running: bool = False) -> int:
    sources = await desk.rulebooks.draft(text, None)
    return (await desk.rulebooks.put_in_force(sources, "lead", "try it", moves_running=moves_running)).version


async def entries(desk: Desk, happening: str) -> list[tuple[str, str]]:
    rows = await desk.rows(
        "SELECT reference, value FROM request_event JOIN tracked_request USING (request_id)"
        " WHERE happening = $1 ORDER BY request_event.occurred_at, request_id",
        happening,
    )
    return [tuple(row) for row in rows]


async def due(desk: Desk, customer: Customer, objective: str = "response") -> float | None:
    """Hours after nine on Monday."""
    rows = await desk.rows(
        "SELECT due_at FROM clock WHERE request_id = $1 AND objective = $2 ORDER BY cycle DESC LIMIT 1",
        customer.request_id,
        objective,
    )
    due_at = rows[0]["due_at"]
    return None if due_at is None else (due_at - MONDAY) / HOUR


async def test_a_policy_reaches_running_clocks_by_one_entry_each(desk: Desk) -> None:
    await put(desk, RULES)
    running, answered, ended = Customer(), Customer(), Customer()
    await desk.deliver(
        running.submits(), answered.submits(), answered.responded(MONDAY), ended.submits(), ended.closed(MONDAY)
    )
    desk.clock.set(MONDAY + HOUR)
    version = await put(desk, RULES.replace("8h elapsed", "6h elapsed", 1), moves_running=True)
    await desk.roll_out()
    told = [(customer.reference, str(version)) for customer in (running, answered)]
    assert sorted(await entries(desk, "policy_applied")) == sorted(told)
    assert (await due(desk, running), await due(desk, answered), await due(desk, ended)) == (6, 8, 8)
    (moved,) = [event.data for event in await desk.told() if isinstance(event.data, ClockRetargeted)]
    assert (moved.reference, moved.reason, moved.policy_version) == (running.reference, "policy_applied", version)
    rows = await desk.rows("SELECT objective, policy_version FROM clock WHERE request_id = $1", running.request_id)
    assert {row["objective"]: row["policy_version"] for row in rows} == {"response": version, "resolution": version}


async def test_a_request_on_which_nothing_runs_is_told_too_unless_it_is_over(desk: Desk) -> None:
    brief = RULES.replace("stops: [closed]", "stops: [responded, closed]")
    await put(desk, brief)
    answered, closed, reopened = Customer(), Customer(), Customer()
    for customer in (answered, closed, reopened):
        await desk.deliver(customer.submits(), customer.responded(MONDAY))
    await desk.deliver(closed.closed(MONDAY), reopened.closed(MONDAY), reopened.reopened(MONDAY))
    assert await desk.rows("SELECT FROM clock WHERE ended_at IS NULL AND request_id = $1", answered.request_id) == []
    await put(
        desk,
        f"{brief}      follow_up: {{budget: 100h elapsed, stops: [closed], breach: {{roles: [team_lead]}}}}\n",
        moves_running=True,
    )
    await desk.roll_out()
    told = [reference for reference, _ in await entries(desk, "policy_applied")]
    assert sorted(told) == sorted([answered.reference, reopened.reference])
    assert await due(desk, answered, "follow_up") == 100


async def test_a_policy_that_is_kept_from_running_clocks_moves_none(desk: Desk) -> None:
    await put(desk, RULES)
    customer = Customer()
    await desk.deliver(customer.submits())
    await put(desk, RULES.replace("8h elapsed", "6h elapsed", 1))
    await desk.roll_out()
    assert await entries(desk, "policy_applied") == []
    assert await due(desk, customer) == 8


async def test_a_shorter_budget_breaches_at_once_and_a_removed_promise_is_cancelled(desk: Desk) -> None:
    await put(desk, RULES)
    customer = Customer()
    await desk.deliver(customer.submits())
    desk.clock.set(MONDAY + 5 * HOUR)
    text = RULES.replace("budget: 8h", "budget: 4h")
    await put(desk, text, moves_running=True)
    await desk.roll_out()
    assert texts(await desk.words(customer), "response")[-2:] == ["retargeted", "breached"]
    assert await due(desk, customer) == 5


async def test_a_rollout_goes_on_where_a_killed_process_stopped(
    start_desk: StartDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sla_timer.handlers.rollouts._AT_ONCE", 3)
    first = await start_desk()
    await put(first, RULES)
    customers = [Customer() for _ in range(20)]
    await first.deliver(*(customer.submits() for customer in customers))
    await put(first, RULES.replace("8h elapsed", "6h elapsed", 1), moves_running=True)
    await first.rollouts.run_once()
    told = len(await entries(first, "policy_applied"))
    assert 0 < told < len(customers)
    await first.stop()
    second = await start_desk()
    await second.roll_out()
    applied = await entries(second, "policy_applied")
    assert sorted(reference for reference, _ in applied) == sorted(customer.reference for customer in customers)
    assert {await due(second, customer) for customer in customers} == {6}
    moved = [event for event in await second.told() if isinstance(event.data, ClockRetargeted)]
    assert len(moved) == len(customers)
    rows = await second.rows("SELECT done_at FROM rollout")
    assert rows[0]["done_at"] is not None
    assert await wrong_counts(second) == []
    said = len(await second.told())
    await second.roll_out()
    assert len(await second.told()) == said


async def test_a_process_that_lost_a_partition_tells_nobody_there(start_desk: StartDesk) -> None:
    old = await start_desk()
    await put(old, RULES)
    customers = [Customer() for _ in range(12)]
    await old.deliver(*(customer.submits() for customer in customers))
    epochs = dict(old.ownership.epochs)
    new = await start_desk()  # takes half of the partitions
    lost = {where: epoch for where, epoch in epochs.items() if where not in old.ownership.epochs}
    old.ownership._epochs.update(lost)  # a zombie: nobody told it
    await put(old, RULES.replace("8h elapsed", "6h elapsed", 1), moves_running=True)
    with pytest.raises(Fenced):
        await old.roll_out()
    old.ownership.drop(lost)
    await new.roll_out()
    await old.roll_out()
    assert len(await entries(new, "policy_applied")) == len(customers)


async def test_a_mode_is_entered_and_left_by_command(desk: Desk, client: Client) -> None:
    await put(desk, RULES)
    before = Customer()
    await desk.deliver(before.submits())
    desk.clock.set(MONDAY + HOUR)
    assert (await client.post("/v1/modes/peak:enter", {"reason": "typhoon"}, "app")).status_code == 403
    mode = (await client.post("/v1/modes/peak:enter", {"reason": "typhoon", "markets": ["HK"]})).json()
    assert (mode["author"], mode["reason"], mode["left_at"]) == ("lead", "typhoon", None)
    await desk.roll_out()
    assert await entries(desk, "mode_changed") == [(before.reference, "peak")]
    assert (await due(desk, before), await due(desk, before, "resolution")) == (12, 80)  # resolutions are not moved
    during, elsewhere = Customer(), Customer()
    await desk.deliver(during.submits(MONDAY + HOUR), elsewhere.submits(MONDAY + HOUR, market=Market.TAIWAN))
    assert (await due(desk, during), await due(desk, during, "resolution")) == (13, 121)
    assert await due(desk, elsewhere) == 9
    shown = (await client.get("/v1/modes", "app")).json()
    assert shown["in_force"] == {"HK": "peak", "CN": "normal", "TW": "normal"}
    clocks = (await client.get(f"/v1/clocks/{before.reference}")).json()
    assert {clock["objective"]: clock["mode"] for clock in clocks} == {"response": "peak", "resolution": "normal"}

    desk.clock.set(MONDAY + 2 * HOUR)
    path = f"/v1/modes/{mode['activation_id']}:leave"
    assert (await client.post(path, {"reason": "over"})).json()["left_by"] == "lead"
    assert (await client.post(path, {"reason": "over"})).status_code == 404
    await desk.roll_out()
    assert (await due(desk, before), await due(desk, during)) == (8, 9)
    assert await due(desk, during, "resolution") == 121  # began in the mode
    assert await wrong_counts(desk) == []
    kinds = [(rollout["kind"], rollout["requests"]) for rollout in (await client.get("/v1/rollouts")).json()]
    assert kinds == [("mode", 2), ("mode", 1)]


async def test_a_mode_that_ends_in_the_past_is_refused(client: Client) -> None:
    answer = await client.post("/v1/modes/peak:enter", {"reason": "x", "until_at": "2026-05-31T00:00:00Z"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "until_at")
    assert (await client.post("/v1/modes/normal:enter", {"reason": "x"})).status_code == 422


async def test_why_a_mode_is_entered_is_told_in_a_word(client: Client) -> None:
    answer = await client.post("/v1/modes/peak:enter", {"reason": "Mrs Chan of Mong Kok called"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")


async def test_a_mode_is_entered_and_left_by_events(desk: Desk) -> None:
    await put(desk, RULES)
    customer, activation = Customer(), new_id()
    await desk.deliver(customer.submits())
    desk.clock.set(MONDAY + HOUR)
    told = entered(activation, Mode.EMERGENCY, MONDAY + HOUR / 2)
    await desk.deliver(told, told)
    await desk.roll_out()
    assert await due(desk, customer) == 2
    desk.clock.set(MONDAY + 1.5 * HOUR)
    await desk.deliver(left(activation, MONDAY + 1.25 * HOUR))
    await desk.roll_out()
    assert await due(desk, customer) == 8
    assert [value for _, value in await entries(desk, "mode_changed")] == ["emergency", "normal"]


async def test_what_is_declared_by_events_is_numbered_as_its_source_does(desk: Desk) -> None:
    await put(desk, RULES)
    activation = new_id()
    await desk.deliver(entered(activation, Mode.PEAK, MONDAY))
    await desk.deliver(left(activation, MONDAY))
    rows = await desk.rows("SELECT last_sequence FROM inbox_sequence WHERE subject = $1", activation)
    assert [row["last_sequence"] for row in rows] == [left(activation, MONDAY).sequence]


async def test_a_mode_that_is_none_becomes_a_dead_letter_with_its_reason(desk: Desk) -> None:
    await put(desk, RULES)
    usual, over = entered(new_id(), Mode.NORMAL, MONDAY), entered(new_id(), Mode.PEAK, MONDAY)
    over = replace(over, data=over.data.model_copy(update={"until_at": MONDAY}))
    await desk.deliver(usual, over)
    assert {row["reason"] for row in await desk.rows("SELECT reason FROM inbox_rejection")} == {
        "unknown_mode",
        "mode_ends_before_it_begins",
    }
    assert await desk.rows("SELECT * FROM mode_activation") == []


async def test_a_request_that_comes_after_the_rollout_begins_under_what_was_rolled_out(start_desk: StartDesk) -> None:
    first, second = await start_desk(), await start_desk()
    await put(first, RULES, moves_running=True)
    await first.modes.enter(new_id(), Mode.PEAK, markets=(), reason="storm", author="lead", until_at=None)
    await first.roll_out()
    await second.roll_out()
    customers = [Customer() for _ in range(8)]  # on partitions of both
    await first.send(*(customer.submits() for customer in customers))
    await first.consume()
    await second.consume()
    assert {await due(second, customer) for customer in customers} == {12}


async def test_who_takes_a_partition_knows_what_its_former_owner_told(start_desk: StartDesk) -> None:
    first = await start_desk()
    await put(first, RULES)
    await first.roll_out()
    second = await start_desk()
    await second.consume()
    await put(first, RULES.replace("8h elapsed", "6h elapsed", 1), moves_running=True)
    await first.roll_out()
    await first.stop()
    customers = [Customer() for _ in range(8)]
    await second.send(*(customer.submits() for customer in customers))
    await second.consume()  # before it looked for new rules
    await second.roll_out()
    assert {await due(second, customer) for customer in customers} == {6}


async def test_a_graver_mode_that_is_told_late_counts_nevertheless(desk: Desk) -> None:
    await put(desk, RULES)
    customer = Customer()
    await desk.deliver(customer.submits())
    desk.clock.set(MONDAY + HOUR)
    await desk.modes.enter(new_id(), Mode.PEAK, markets=(), reason="storm", author="lead", until_at=None)
    await desk.roll_out()
    desk.clock.set(MONDAY + 1.5 * HOUR)
    await desk.deliver(entered(new_id(), Mode.EMERGENCY, MONDAY + HOUR / 2))
    await desk.roll_out()
    rows = await desk.rows("SELECT mode FROM clock WHERE objective = 'response'")
    assert [row["mode"] for row in rows] == ["emergency"]
    assert await due(desk, customer) == 2


async def test_a_mode_ends_by_itself_when_its_time_has_come(desk: Desk) -> None:
    await put(desk, RULES)
    customer = Customer()
    await desk.deliver(customer.submits())
    await desk.modes.enter(new_id(), Mode.PEAK, markets=(), reason="storm", author="lead", until_at=MONDAY + 3 * HOUR)
    await desk.roll_out()
    assert await due(desk, customer) == 12
    desk.clock.set(MONDAY + 3 * HOUR + timedelta(seconds=1))
    await desk.modes.refresh()
    await desk.roll_out()
    assert await due(desk, customer) == 8
    (declared,) = desk.modes.declared
    assert (declared.activation.left_at, declared.left_by) == (MONDAY + 3 * HOUR, "sla_timer")


async def test_a_submission_told_late_begins_in_the_mode_of_its_time(desk: Desk) -> None:
    await put(desk, RULES)
    activation = new_id()
    await desk.deliver(entered(activation, Mode.PEAK, MONDAY))
    desk.clock.set(MONDAY + 2 * HOUR)
    await desk.deliver(left(activation, MONDAY + HOUR))
    await desk.modes.refresh()
    customer = Customer()
    await desk.deliver(customer.submits(MONDAY + HOUR / 2, recorded_at=MONDAY + 2 * HOUR))
    assert await due(desk, customer, "resolution") == 120.5  # began in peak
    assert await due(desk, customer) == 8.5  # moved back with the end of peak
