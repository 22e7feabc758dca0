"""What waits for a transaction: how much may, and who goes first."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest

from services.intake.handlers.offers import Overloaded, Settled, StillWaiting
from services.intake.store.answers import claim_key
from shared.ids import new_id
from shared.outbox import Outbox
from shared.telemetry.context import new_trace
from tests.integration.intake.front_door import SUBMISSION, Gated, Intake, write
from tests.integration.intake.test_group_commit import fresh, group_commit, is_new, offer, stored
from tests.integration.intake.test_keeping import arrival


async def test_no_more_wait_than_the_queue_has_places(intake: Intake) -> None:
    group = group_commit(intake, queue_limit=10)
    futures = offer(group, fresh(10))
    with pytest.raises(Overloaded):
        offer(group, fresh(1))
    await asyncio.gather(*futures)
    assert is_new(*await asyncio.gather(*offer(group, fresh(1))))


async def test_single_requests_are_refused_once_the_oldest_has_waited_for_too_long(intake: Intake) -> None:
    gated = Gated(intake.database._pool)
    group = group_commit(intake, gated, queue_patience=timedelta(0))
    futures = offer(group, fresh(3))  # the first transaction begins later
    await gated.begun.wait()
    with pytest.raises(Overloaded):
        offer(group, fresh(1))
    line = group.offer(partial(arrival, new_id().hex), 100, new_trace(), is_of_batch=True)
    gated.gate.set()
    assert all(is_new(outcome) for outcome in await asyncio.gather(*futures, line))
    assert is_new(*await asyncio.gather(*offer(group, fresh(1))))


async def test_who_waits_for_too_long_is_told_so_and_the_request_is_stored_nevertheless(intake: Intake) -> None:
    gated = Gated(intake.database._pool)
    group = group_commit(intake, gated, call_patience=timedelta(milliseconds=50))
    under_way, queued = fresh(2), fresh(2)
    told = offer(group, under_way)
    await gated.begun.wait()
    told += offer(group, queued)
    line = group.offer(partial(arrival, new_id().hex), 100, new_trace(), is_of_batch=True)
    assert {type(outcome) for outcome in await asyncio.gather(*told)} == {StillWaiting}
    assert not line.done()
    gated.gate.set()
    assert is_new(await line)
    await group.finish()
    assert await stored(intake, under_way + queued) == 4
    again = await asyncio.gather(*offer(group, under_way + queued))
    assert all(isinstance(outcome, Settled) and outcome.is_replay for outcome in again)


async def test_who_waits_aside_for_too_long_is_told_so_too(intake: Intake) -> None:
    group = group_commit(intake, call_patience=timedelta(milliseconds=50))
    held, following = arrival("held"), arrival("held")
    async with intake.database.transaction() as connection:
        await claim_key(connection, "batch", held.key, held.fingerprint, timedelta(seconds=1))
        outcomes = await asyncio.gather(*offer(group, [held, following]))
    assert {type(outcome) for outcome in outcomes} == {StillWaiting}
    await group.finish()


async def test_a_single_request_goes_before_the_lines_of_batches(intake: Intake) -> None:
    gated = Gated(intake.database._pool)
    group = group_commit(intake, gated, queue_limit=10_000)
    lines = [group.offer(partial(arrival, new_id().hex), 100, new_trace(), is_of_batch=True) for _ in range(4_000)]
    (single,) = offer(group, fresh(1))
    gated.gate.set()
    assert is_new(await single)
    assert sum(line.done() for line in lines) < 3_000
    assert all(is_new(outcome) for outcome in await asyncio.gather(*lines))


async def test_a_full_queue_is_answered_503_and_the_same_key_works_afterwards(intake: Intake) -> None:
    gated = Gated(intake.database._pool)
    client = intake.with_context(
        database=gated, outbox=Outbox(gated, intake.broker.publisher(), "intake"), queue_limit=2, retry_after_seconds=7
    )
    headers = [write() for _ in range(5)]
    posts = [asyncio.ensure_future(client.post("/v1/requests", json=SUBMISSION, headers=each)) for each in headers]
    done = asyncio.as_completed(posts)
    refused = [await next(done) for _ in range(3)]
    gated.gate.set()
    accepted = [await next(done) for _ in range(2)]
    assert {answer.status_code for answer in accepted} == {201}
    for answer in refused:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
        assert answer.json()["type"] == "urn:punctual:problem:overloaded"
    again = [await client.post("/v1/requests", json=SUBMISSION, headers=each) for each in headers]
    assert Counter("idempotency-replayed" in answer.headers for answer in again) == {True: 2, False: 3}
