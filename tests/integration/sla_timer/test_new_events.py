"""What messages, signals, changes, extensions, reopenings, cancellations and mergers do to clocks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.contracts.clocks import ClockCancelled, ClockRetargeted
from shared.contracts.payload import Priority
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import Desk, standing, texts, wrong_counts

RULES = """\
format: 1
calendars: {HK: hong_kong, CN: mainland_china, TW: taiwan}
policies:
  - policy: urgent
    when: {priority: urgent}
    objectives:
      response: {kind: first_response, budget: 2h elapsed, breach: {roles: [team_lead]}}
      resolution: {kind: resolution, budget: 40h elapsed, breach: {roles: [team_lead]}}
  - policy: usual
    objectives:
      response:
        kind: first_response
        budget: 8h elapsed
        warning: {fraction: 0.5, roles: [team_lead]}
        breach: {roles: [team_lead]}
      resolution:
        kind: resolution
        budget: 80h elapsed
        paused_by: [customer_documents]
        breach: {roles: [team_lead]}
      reply: {kind: next_response, budget: 4h elapsed, breach: {roles: [team_lead]}}
      update: {kind: periodic_update, budget: 24h elapsed, breach: {roles: [team_lead]}}
      survey:
        kind: custom
        starts: [signalled:survey_ordered]
        stops: [signalled:survey_done]
        budget: 12h elapsed
        party: supplier
        breach: {roles: [team_lead]}
"""

Shown = dict[tuple[str, int], tuple[str, float | None]]


async def begin(desk: Desk) -> None:
    await desk.rulebooks.put_in_force(await desk.rulebooks.draft(RULES, None), "lead", None, moves_running=False)


async def shown(desk: Desk, customer: Customer) -> Shown:
    """State and deadline of every cycle, in hours after nine on Monday."""
    rows = await desk.rows(
        "SELECT objective, cycle, state, due_at FROM clock WHERE request_id = $1", customer.request_id
    )
    return {
        (row["objective"], row["cycle"]): (
            row["state"],
            None if row["due_at"] is None else (row["due_at"] - MONDAY) / HOUR,
        )
        for row in rows
    }


async def test_each_message_begins_a_wait_that_the_next_answer_ends(desk: Desk) -> None:
    await begin(desk)
    customer = Customer()
    await desk.deliver(
        customer.submits(),
        customer.writes(MONDAY + HOUR),
        customer.writes(MONDAY + 2 * HOUR),  # still the same wait
        customer.responded(MONDAY + 3 * HOUR),
        customer.writes(MONDAY + 4 * HOUR),
    )
    await desk.tick(MONDAY + 9 * HOUR)
    clocks = await shown(desk, customer)
    assert (clocks["reply", 1], clocks["reply", 2]) == (("met", 5), ("breached", 8))
    assert texts(await desk.words(customer), "reply") == ["started", "met", "started", "breached"]
    assert await wrong_counts(desk) == []


async def test_being_informed_ends_the_wait_for_an_update_and_begins_the_next(desk: Desk) -> None:
    await begin(desk)
    customer = Customer()
    await desk.deliver(customer.submits(), customer.informed(MONDAY + 20 * HOUR))
    clocks = await shown(desk, customer)
    assert (clocks["update", 1], clocks["update", 2]) == (("met", 24), ("running", 44))
    assert clocks["response", 1][0] == "breached"  # less than an answer


async def test_a_reopened_request_counts_in_a_new_cycle_and_leaves_the_old_one_as_it_was(desk: Desk) -> None:
    await begin(desk)
    customer = Customer()
    await desk.deliver(customer.submits(), customer.closed(MONDAY + 10 * HOUR), customer.reopened(MONDAY + 20 * HOUR))
    clocks = await shown(desk, customer)
    assert (clocks["resolution", 1], clocks["resolution", 2]) == (("met", 80), ("running", 100))
    assert ("response", 2) not in clocks  # a first answer is owed once
    await desk.tick(MONDAY + 101 * HOUR)
    assert ("resolution", 2, "breach") in [
        (row["objective"], row["cycle"], row["kind"])
        for row in await desk.rows("SELECT objective, cycle, kind FROM decision JOIN clock USING (clock_id, cycle)")
    ]


async def test_what_is_over_starts_nothing_until_it_is_reopened(desk: Desk) -> None:
    await begin(desk)
    customer = Customer()
    await desk.deliver(customer.submits(), customer.closed(MONDAY + HOUR), customer.writes(MONDAY + 2 * HOUR))
    assert ("reply", 1) not in await shown(desk, customer)
    await desk.deliver(customer.reopened(MONDAY + 3 * HOUR), customer.writes(MONDAY + 4 * HOUR))
    assert (await shown(desk, customer))["reply", 1] == ("running", 8)


@pytest.mark.parametrize("is_merged", [False, True])
async def test_a_cancelled_or_merged_request_owes_nothing_and_what_was_decided_stands(
    desk: Desk, *, is_merged: bool
) -> None:
    await begin(desk)
    customer, other = Customer(), Customer()
    await desk.deliver(customer.submits(), other.submits())
    await desk.tick(MONDAY + 9 * HOUR)
    at = MONDAY + 10 * HOUR
    await desk.deliver(customer.merged(other, at) if is_merged else customer.cancelled(at))
    assert {state for state, _ in (await shown(desk, customer)).values()} == {"cancelled"}
    told = [event.data for event in await desk.told() if isinstance(event.data, ClockCancelled)]
    assert {(data.reference, data.reason) for data in told} == {
        (customer.reference, "merged" if is_merged else "duplicate")
    }
    assert (f"{customer.reference} response", "breach", 1) in await standing(desk)
    assert {state for state, _ in (await shown(desk, other)).values()} == {"breached", "running"}
    assert await desk.tick(MONDAY + timedelta(days=30)) == 2  # those of the other
    assert await wrong_counts(desk) == []


async def test_a_cancellation_told_late_withdraws_the_breach_that_came_after_it(desk: Desk) -> None:
    await begin(desk)
    customer = Customer()
    await desk.deliver(customer.submits())
    await desk.tick(MONDAY + 9 * HOUR)
    await desk.deliver(customer.cancelled(MONDAY + 3 * HOUR, recorded_at=MONDAY + 9 * HOUR))
    assert texts(await desk.words(customer), "response")[-2:] == ["breach_withdrawn", "cancelled"]
    assert await standing(desk) == []


async def test_a_changed_fact_brings_the_request_under_another_policy(desk: Desk) -> None:
    await begin(desk)
    customer = Customer()
    await desk.deliver(customer.submits(), customer.becomes(Priority.URGENT, MONDAY + HOUR))
    clocks = await shown(desk, customer)
    assert (clocks["response", 1], clocks["resolution", 1]) == (("running", 2), ("running", 40))
    assert clocks["update", 1][0] == "cancelled"  # urgent ones are not promised it
    moved = [event.data for event in await desk.told() if isinstance(event.data, ClockRetargeted)]
    assert {(data.objective, data.policy, data.reason) for data in moved} == {
        ("response", "urgent", "changed"),
        ("resolution", "urgent", "changed"),
    }


async def test_more_time_moves_the_named_deadline_and_no_other(desk: Desk) -> None:
    await begin(desk)
    customer = Customer()
    await desk.deliver(customer.submits(), customer.extended("response", 3 * HOUR, MONDAY + HOUR))
    clocks = await shown(desk, customer)
    assert (clocks["response", 1], clocks["resolution", 1]) == (("running", 11), ("running", 80))
    assert texts(await desk.words(customer), "response") == ["started", "retargeted"]
    await desk.tick(MONDAY + 12 * HOUR)
    await desk.deliver(customer.extended("response", 30 * HOUR, MONDAY + 12 * HOUR))
    assert (await shown(desk, customer))["response", 1] == ("breached", 11)  # what was broken is not mended


async def test_a_signal_starts_and_stops_the_clock_that_names_it(desk: Desk) -> None:
    await begin(desk)
    customer = Customer()
    await desk.deliver(customer.submits(), customer.signalled("something_else", MONDAY))
    assert ("survey", 1) not in await shown(desk, customer)
    await desk.deliver(customer.signalled("survey_ordered", MONDAY + HOUR))
    await desk.tick(MONDAY + 14 * HOUR)
    await desk.deliver(customer.signalled("survey_done", MONDAY + 14 * HOUR))
    assert (await shown(desk, customer))["survey", 1] == ("missed", 13)
    rows = await desk.rows("SELECT party FROM clock WHERE objective = 'survey'")
    assert [row["party"] for row in rows] == ["supplier"]
