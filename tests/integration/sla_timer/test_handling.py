from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from shared.contracts.clocks import ClockPayload, ClockStarted
from shared.contracts.payload import Market, RequestKind
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import Desk, standing, texts, timers


async def test_a_submission_starts_every_clock_of_its_policy(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    response, resolution = await desk.rows("SELECT * FROM clock ORDER BY due_at")
    assert (response["objective"], response["state"], response["due_at"]) == ("response", "running", MONDAY + 8 * HOUR)
    assert resolution["due_at"] == MONDAY + timedelta(days=11) + 9 * HOUR  # ten working days of nine hours
    assert (response["next_rung"], response["next_at"]) == ("warning:1", MONDAY + 6 * HOUR)
    started = [event.data for event in await desk.told()]
    assert [data.calendar for data in started if isinstance(data, ClockStarted)] == ["hong_kong"] * 2


async def test_the_market_chooses_calendar_and_policy(desk: Desk) -> None:
    taipei, shanghai = Customer(), Customer()
    await desk.deliver(taipei.submits(market=Market.TAIWAN), shanghai.submits(market=Market.MAINLAND_CHINA))
    rows = await desk.rows("SELECT DISTINCT reference, policy FROM clock JOIN tracked_request USING (request_id)")
    assert {row["reference"]: row["policy"] for row in rows} == {
        taipei.reference: "claim_taiwan",
        shanghai.reference: "claim_mainland",
    }
    started = [event.data for event in await desk.told() if isinstance(event.data, ClockStarted)]
    response = {data.reference: (data.calendar, data.due_at) for data in started if data.objective == "response"}
    # Shanghai has closed for one and a half hours at noon and has half an hour left for the next morning.
    assert response[shanghai.reference] == ("mainland_china", MONDAY + timedelta(days=1, minutes=30))
    assert response[taipei.reference] == ("taiwan", MONDAY + timedelta(days=1))


async def test_what_is_said_about_a_request_is_numbered_without_holes_and_keeps_its_correlation(desk: Desk) -> None:
    customer = Customer(correlation_id="from-the-app")
    await desk.deliver(customer.submits(), customer.responded(MONDAY + HOUR))
    await desk.tick(MONDAY + timedelta(days=30))
    told = await desk.told()
    assert [event.sequence for event in told] == list(range(1, len(told) + 1))
    assert {event.correlation_id for event in told} == {"from-the-app"}
    assert len({event.traceparent for event in told}) == len(told)
    assert {event.source for event in told} == {"/punctual/sla_timer"}


async def test_a_repeated_event_changes_nothing(desk: Desk) -> None:
    customer = Customer()
    submitted, responded = customer.submits(), customer.responded(MONDAY + HOUR)
    await desk.deliver(submitted, responded, submitted)
    await desk.deliver(responded, submitted)
    words = await desk.words(customer)
    assert sorted(words) == ["resolution started", "response met", "response started"]


async def test_an_event_of_an_unknown_request_goes_to_the_dead_letters(desk: Desk) -> None:
    known, unknown = Customer(), Customer()
    unknown.sequence = 1
    await desk.deliver(known.submits(), unknown.responded(MONDAY))
    rows = await desk.rows("SELECT reason FROM inbox_rejection")
    assert [row["reason"] for row in rows] == ["request_unknown"]
    assert len(await desk.rows("SELECT * FROM clock")) == 2


async def test_a_second_submission_of_the_same_request_goes_to_the_dead_letters(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits(), customer.submits())
    rows = await desk.rows("SELECT reason FROM inbox_rejection")
    assert [row["reason"] for row in rows] == ["request_already_tracked"]


async def test_an_event_that_clocks_do_not_hear_goes_to_the_dead_letters(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    (started, _) = await desk.told()
    assert isinstance(started.data, ClockPayload)
    await desk.deliver(started)
    rows = await desk.rows("SELECT reason FROM inbox_rejection")
    assert [row["reason"] for row in rows] == ["not_a_request_event"]


async def test_a_whole_life_in_one_batch_says_what_it_says_one_by_one(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(
        customer.submits(),
        customer.responded(MONDAY + HOUR),
        customer.paused(MONDAY + 2 * HOUR),
        customer.resumed(MONDAY + 4 * HOUR),
        customer.closed(MONDAY + 6 * HOUR),
    )
    words = await desk.words(customer)
    assert texts(words, "response") == ["started", "met"]
    assert texts(words, "resolution") == ["started", "paused", "resumed", "met"]
    assert await timers(desk) == {}


async def test_a_backlog_decides_what_an_undisturbed_run_would_have_decided(desk: Desk) -> None:
    """The answer lies in the topic too: nobody is told of a breach that never was."""
    customer = Customer()
    await desk.send(customer.submits(), customer.responded(MONDAY + 7 * HOUR))
    desk.clock.set(MONDAY + timedelta(days=3))
    await desk.consume()
    assert await standing(desk) == [(f"{customer.reference} response", "warning", 1)]
    assert texts(await desk.words(customer), "response") == ["started", "warned", "met"]


async def test_a_stop_in_time_that_is_told_late_withdraws_the_breach(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    await desk.tick(MONDAY + 9 * HOUR)
    await desk.deliver(customer.responded(MONDAY + 5 * HOUR, recorded_at=MONDAY + 9 * HOUR))
    assert texts(await desk.words(customer), "response") == ["started", "warned", "breached", "breach_withdrawn", "met"]
    rows = await desk.rows("SELECT kind, withdrawn_at IS NULL AS stands FROM decision ORDER BY decision_id")
    assert [(row["kind"], row["stands"]) for row in rows] == [("warning", False), ("breach", False)]


async def test_a_stop_after_the_deadline_is_breached_and_missed(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    desk.clock.set(MONDAY + 9 * HOUR)
    await desk.deliver(customer.responded(MONDAY + 9 * HOUR))
    assert texts(await desk.words(customer), "response") == ["started", "warned", "breached", "missed"]
    (breach,) = [event for event in await desk.told() if event.data.TYPE.endswith("breached")]
    assert (breach.occurred_at, breach.recorded_at) == (MONDAY + 8 * HOUR, MONDAY + 9 * HOUR)


async def test_a_decision_taken_and_withdrawn_in_one_batch_is_kept_as_both(desk: Desk) -> None:
    customer = Customer()
    desk.clock.set(MONDAY + 20 * HOUR)
    await desk.deliver(
        customer.submits(),
        customer.paused(MONDAY + 10 * HOUR),
        customer.resumed(MONDAY + 11 * HOUR),
        customer.responded(MONDAY + HOUR, recorded_at=MONDAY + 12 * HOUR),
    )
    assert texts(await desk.words(customer), "response")[-2:] == ["breach_withdrawn", "met"]
    assert await standing(desk) == []
    assert len(await desk.rows("SELECT * FROM decision WHERE withdrawn_at IS NOT NULL")) == 2


async def test_a_paused_clock_waits_only_for_the_alarm_of_its_pause_and_a_resumed_one_has_a_new_timer(
    desk: Desk,
) -> None:
    customer = Customer()
    await desk.deliver(customer.submits(), customer.paused(MONDAY + HOUR))
    assert await timers(desk) == {"response": 1, "resolution": 2}  # documents do not pause the response
    (paused,) = await desk.rows("SELECT due_at, next_rung, next_at FROM clock WHERE is_paused")
    assert tuple(paused) == (None, "pause_alarm:1", MONDAY + HOUR + timedelta(days=10))
    await desk.deliver(customer.resumed(MONDAY + 3 * HOUR))
    assert await timers(desk) == {"response": 1, "resolution": 3}
    (resumed,) = await desk.rows("SELECT next_rung FROM clock WHERE objective = 'resolution'")
    assert resumed["next_rung"] == "warning:1"


async def test_a_withdrawn_request_is_cancelled(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits(), customer.closed(MONDAY + HOUR, outcome="withdrawn"))
    rows = await desk.rows("SELECT state, cause FROM clock")
    assert {(row["state"], row["cause"]) for row in rows} == {("cancelled", "withdrawn")}
    assert await timers(desk) == {}


async def test_many_requests_in_one_batch_each_get_their_own_clocks(desk: Desk) -> None:
    customers = [Customer() for _ in range(60)]
    await desk.send(*(customer.submits(kind=RequestKind.ENQUIRY) for customer in customers))
    await desk.send(*(customer.responded(MONDAY + HOUR) for customer in customers[::2]))
    await desk.consume()
    rows = await desk.rows("SELECT state, count(*) AS n FROM clock GROUP BY state ORDER BY state")
    assert [(row["state"], row["n"]) for row in rows] == [("met", 30), ("running", 90)]


async def test_the_schema_refuses_a_second_standing_decision_of_the_same_rung(desk: Desk) -> None:
    customer = Customer()
    await desk.deliver(customer.submits())
    await desk.tick(MONDAY + 9 * HOUR)
    with pytest.raises(asyncpg.UniqueViolationError):
        await desk.rows(
            "INSERT INTO decision (clock_id, cycle, kind, level, true_at, recorded_at, lateness_ms)"
            " SELECT clock_id, cycle, kind, level, true_at, recorded_at, 0 FROM decision"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE request_event SET value = 'x'",
        "DELETE FROM request_event",
        "DELETE FROM decision",
        "UPDATE decision SET true_at = now()",
        "UPDATE policy_version SET author = 'x'",
        "DELETE FROM clock",
    ],
)
async def test_the_service_may_not_rewrite_history(desk: Desk, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await desk.rows(statement)
