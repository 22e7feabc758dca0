"""Requests share transactions, and none of them has to suffer for another."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.anomalies.likeness import Duplicate, Portrait
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.offers import KeyReused, Offer, Outcome, Settled
from services.intake.handlers.taking_in import take_in
from services.intake.store.answers import KeyInFlight, claim_key, complete_answer
from services.intake.store.refusals import Unstorable
from services.intake.store.submissions import Arrival
from shared.contracts.contacts import EncryptedContactRecorded
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import CONTACTS, REQUESTS
from shared.encryption import ContactDetails
from shared.errors import DatabaseUnavailable
from shared.ids import new_id
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.context import new_trace
from shared.testing.plumbing import wait_until
from tests.integration.intake.front_door import START, SUBMISSION, UNHURRIED, Intake, write
from tests.integration.intake.test_keeping import arrival
from tests.unit.intake.shipped import MASTER_KEYS, new_validation

Future = asyncio.Future[Outcome]


def group_commit(intake: Intake, database: Database | None = None, **changes: Any) -> GroupCommit:
    used = database or intake.database
    outbox = Outbox(used, intake.broker.publisher(), "intake")
    keys = intake.context.customer_keys
    patient = {"key_patience": timedelta(seconds=30), "queue_patience": UNHURRIED, "call_patience": UNHURRIED}
    return GroupCommit(used, outbox, customer_keys=keys, **(patient | changes))


def offer(group: GroupCommit, arrivals: Sequence[Arrival | Callable[[], Arrival]]) -> list[Future]:
    """All at once, so that they share transactions."""
    made = [item if callable(item) else (lambda item=item: item) for item in arrivals]
    return [group.offer(make, 100, new_trace()) for make in made]


async def stored(intake: Intake, arrivals: Sequence[Arrival]) -> int:
    async with intake.database.connection() as connection:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM request JOIN idempotency_key USING (request_id) WHERE key = ANY($1)",
            [item.key for item in arrivals],
        )
    return count


def fresh(count: int) -> list[Arrival]:
    return [arrival(new_id().hex) for _ in range(count)]


def is_new(outcome: Outcome) -> bool:
    return isinstance(outcome, Settled) and not outcome.is_replay


async def name_of(intake: Intake, customer: str) -> str:
    async with intake.database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT customer_id, wrapped, details FROM customer JOIN customer_key USING (customer_id)"
            " WHERE external_id = $1",
            customer,
        )
    key = MASTER_KEYS.unwrap(row["customer_id"], row["wrapped"])
    return ContactDetails.decrypt(key, row["details"]).name


async def test_1000_concurrent_submissions_with_one_key_are_one_request(intake: Intake) -> None:
    headers = write()
    body = SUBMISSION | {"external_id": f"thousand-{new_id()}", "customer": SUBMISSION["customer"] | {"id": "C-1000"}}
    answers = await asyncio.gather(*(intake.app.post("/v1/requests", json=body, headers=headers) for _ in range(1000)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Counter("idempotency-replayed" in answer.headers for answer in answers) == {True: 999, False: 1}
    listed = (await intake.app.get("/v1/requests", params={"limit": 200})).json()["requests"]
    assert [found["reference"] for found in listed if found["external_id"] == body["external_id"]] == [
        answers[0].json()["reference"]
    ]
    assert len(await intake.told_about(REQUESTS, answers[0].json()["id"])) == 1


async def test_1000_concurrent_submissions_of_a_few_customers_are_all_stored_and_told_in_order(intake: Intake) -> None:
    customers = [new_id().hex for _ in range(7)]

    async def submit(number: int) -> str:
        changes = {"id": customers[number % 7], "phone": f"+852 2345 {number % 100:04}"}
        answer = await intake.app.post(
            "/v1/requests", json=SUBMISSION | {"customer": SUBMISSION["customer"] | changes}, headers=write()
        )
        assert answer.status_code == 201, answer.text
        request_id: str = answer.json()["id"]
        return request_id

    ids = set(await asyncio.gather(*(submit(number) for number in range(1000))))
    submitted = [event.data for event in await intake.told(REQUESTS) if str(event.subject) in ids]
    assert len(ids) == len(submitted) == 1000
    known = {data.customer_id for data in submitted if isinstance(data, RequestSubmitted)}
    assert len(known) == 7
    for customer_id in known:
        events = await intake.told_about(CONTACTS, str(customer_id))
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        last = events[-1].data
        assert isinstance(last, EncryptedContactRecorded)
        async with intake.database.connection() as connection:
            row = await connection.fetchrow("SELECT version, details FROM customer WHERE customer_id = $1", customer_id)
        assert (row["version"], row["details"]) == (last.version, b64decode(last.details))


async def test_a_customers_newest_details_win_over_those_of_the_groups_before(intake: Intake) -> None:
    group = group_commit(intake)
    customer = new_id().hex
    await asyncio.gather(*offer(group, [arrival(customer, name=f"Name {number}") for number in range(1200)]))
    assert await name_of(intake, customer) == "Name 1199"


async def test_a_customers_newest_details_win_when_a_key_of_the_first_group_is_held(intake: Intake) -> None:
    group = group_commit(intake)
    customer = new_id().hex
    arrivals = [arrival(customer, name=f"Name {number}") for number in range(1200)]
    async with intake.database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await claim_key(connection, "batch", arrivals[3].key, bytes(32), timedelta(seconds=1))
        futures = offer(group, arrivals[:1199])
        await futures[2]
        futures += offer(group, arrivals[1199:])
        assert not any(future.done() for future in futures[3:])
        await transaction.rollback()
    assert all(is_new(outcome) for outcome in await asyncio.gather(*futures))
    assert await name_of(intake, customer) == "Name 1199"


async def test_a_group_with_a_held_key_stores_the_others_meanwhile(intake: Intake) -> None:
    group = group_commit(intake)
    arrivals = fresh(100)
    async with intake.database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await claim_key(connection, "batch", arrivals[40].key, bytes(32), timedelta(seconds=1))
        futures = offer(group, arrivals)
        held = futures.pop(40)
        assert all(is_new(outcome) for outcome in await asyncio.gather(*futures))
        later = offer(group, fresh(20))
        assert all(is_new(outcome) for outcome in await asyncio.gather(*later))
        assert not held.done()
        await transaction.rollback()
    assert is_new(await held)


async def test_a_key_that_is_held_for_too_long_is_the_only_one_refused(intake: Intake) -> None:
    keys, patience = intake.context.customer_keys, timedelta(milliseconds=200)
    group = GroupCommit(intake.database, intake.outbox, customer_keys=keys, key_patience=patience)
    arrivals = fresh(30)
    async with intake.database.transaction() as connection:
        assert await claim_key(connection, "batch", arrivals[7].key, bytes(32), timedelta(seconds=1))
        outcomes = await asyncio.gather(*offer(group, arrivals))
    assert [number for number, outcome in enumerate(outcomes) if not is_new(outcome)] == [7]
    assert isinstance(outcomes[7], KeyInFlight)


async def test_a_held_customer_keeps_only_his_own_requests_waiting(intake: Intake) -> None:
    group = group_commit(intake)
    customer = new_id().hex
    await asyncio.gather(*offer(group, [arrival(customer)]))
    async with intake.database.transaction() as connection:
        await connection.execute("SELECT FROM customer WHERE external_id = $1 FOR UPDATE", customer)
        held = offer(group, [arrival(customer) for _ in range(3)])
        assert all(is_new(outcome) for outcome in await asyncio.gather(*offer(group, fresh(100))))
        held += offer(group, [arrival(customer)])
        assert all(is_new(outcome) for outcome in await asyncio.gather(*offer(group, fresh(100))))
        assert not any(future.done() for future in held)
    assert all(is_new(outcome) for outcome in await asyncio.gather(*held))


async def test_what_cannot_be_stored_is_refused_alone_and_a_taken_name_is_replaced(intake: Intake) -> None:
    taken = (await intake.submit())["reference"]
    arrivals = fresh(60)
    clashing = iter([replace(arrivals[3], submission=replace(arrivals[3].submission, reference=taken)), arrivals[3]])
    wrong: dict[str, Any] = {"market": "XX"}
    unstorable = replace(arrivals[50], submission=replace(arrivals[50].submission, **wrong))
    offered: list[Arrival | Callable[[], Arrival]] = [
        *arrivals[:3],
        lambda: next(clashing),
        *arrivals[4:50],
        unstorable,
        *arrivals[51:],
    ]
    outcomes = await asyncio.gather(*offer(group_commit(intake), offered))
    assert [number for number, outcome in enumerate(outcomes) if not is_new(outcome)] == [50]
    assert isinstance(outcomes[50], Unstorable)
    assert await stored(intake, arrivals) == 59


async def test_a_key_that_occurs_twice_in_a_group_is_settled_by_the_first(intake: Intake) -> None:
    first = arrival("twice")
    repeat, other = (
        arrival("twice", key=first.key),
        replace(arrival("twice", key=first.key), fingerprint=bytes(31) + b"x"),
    )
    outcomes = await asyncio.gather(*offer(group_commit(intake), [first, repeat, other]))
    assert is_new(outcomes[0])
    assert outcomes[1] == Settled(201, first.body, None)
    assert isinstance(outcomes[2], KeyReused)


def with_a_pair(seed: int) -> tuple[list[Arrival], Arrival, Arrival]:
    """A hundred of one customer, so that they are one group, with keys in no order; of two of them it is the same."""
    keys = [UUID(int=Random(seed * 1_000 + number).getrandbits(128)).hex for number in range(100)]
    arrivals = [arrival(f"pair {seed}", key=key) for key in keys]
    first = arrivals[20]
    repeat = arrivals[80] = replace(arrivals[80], key=first.key, fingerprint=bytes(31) + b"x")
    return arrivals, first, repeat


@pytest.mark.parametrize("seed", range(5))
async def test_of_a_key_that_occurs_twice_in_a_large_group_the_first_is_stored(intake: Intake, seed: int) -> None:
    arrivals, first, repeat = with_a_pair(seed)
    outcomes = await asyncio.gather(*offer(group_commit(intake), arrivals))
    refused = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, KeyReused)]
    assert (refused, arrivals[80]) == ([80], repeat)
    assert outcomes[20] == Settled(201, first.body, first.submission)


def portrayed(item: Arrival, policy: str, named: dict[UUID, list[str]]) -> Callable[..., Arrival]:
    """Makes it, about a policy, and writes down what it is called a duplicate of."""
    submission = item.submission
    portrait = Portrait(
        submission.channel, submission.contact.external_id, submission.kind, None, START, policy, policy, 5.0
    )

    def make(duplicates: Sequence[Duplicate] = ()) -> Arrival:
        named[submission.request_id] = [one.request_id for one in duplicates]
        return replace(item, portrait=portrait)

    return make


@pytest.mark.parametrize("seed", range(5, 9))
async def test_nothing_is_called_a_duplicate_of_what_is_not_stored(intake: Intake, seed: int) -> None:
    arrivals, first, repeat = with_a_pair(seed)
    like_them = arrival(f"pair {seed}")
    policies = dict.fromkeys([like_them.key, arrivals[79].key], first.key)
    group = [*arrivals[:22], like_them, *arrivals[22:]]
    named: dict[UUID, list[str]] = {}

    commit = group_commit(intake, validation=new_validation(finds_duplicates=True))
    made = [portrayed(item, policies.get(item.key, item.key), named) for item in group]
    outcomes = await asyncio.gather(*offer(commit, made))
    new = {str(item.submission.request_id) for item, outcome in zip(group, outcomes, strict=True) if is_new(outcome)}
    assert len(new) == 100
    assert set(chain.from_iterable(named.values())) <= new
    assert named[like_them.submission.request_id] == [str(first.submission.request_id)]
    assert named[repeat.submission.request_id] == []


async def test_nothing_is_called_a_duplicate_of_what_another_process_stores_this_moment(intake: Intake) -> None:
    customer, policy = new_id().hex, new_id().hex
    arrivals = [arrival(customer), arrival(customer), arrival(customer)]
    named: dict[UUID, list[str]] = {}
    made = [portrayed(item, policy, named) for item in arrivals]
    group = [Offer(make, make(), 100, new_trace(), 0.0, asyncio.get_running_loop().create_future()) for make in made]
    key, long = arrivals[0].key, timedelta(seconds=30)

    async def is_waiting() -> bool:
        async with intake.database.connection() as looking:
            return bool(await looking.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    async with intake.database.transaction() as connection:
        assert await claim_key(connection, arrivals[0].submission.channel, key, bytes(32), long)
        keys, validation = intake.context.customer_keys, new_validation(finds_duplicates=True)
        storing = asyncio.create_task(take_in(intake.database, intake.outbox, group, long, keys, validation))
        await wait_until(is_waiting)
        await complete_answer(connection, arrivals[0].submission.channel, key, None, 201, "{}")
    outcomes = await storing
    assert [is_new(outcome) for outcome in outcomes] == [False, True, True]
    _, second, third = (item.submission.request_id for item in arrivals)
    assert (named[second], named[third]) == ([], [str(second)])


async def test_two_processes_with_the_same_keys_and_customers_never_block_each_other_for_good(intake: Intake) -> None:
    arrivals = fresh(300)
    mirrored = [arrival(item.submission.contact.external_id, key=item.key) for item in reversed(arrivals)]
    one, two = group_commit(intake), group_commit(intake)
    outcomes = await asyncio.gather(*offer(one, arrivals), *offer(two, mirrored))
    assert Counter(is_new(outcome) for outcome in outcomes) == {True: 300, False: 300}
    assert all(isinstance(outcome, Settled) for outcome in outcomes)
    assert await stored(intake, arrivals) == 300


class _LosesConnections(Database):
    """The server ends the session just before, or just after, the transaction is committed."""

    is_committed: bool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with super().transaction() as connection:
            yield connection
            if not self.is_committed:
                async with self.connection() as other:
                    await other.fetchval("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
        raise DatabaseUnavailable("the connection was lost after COMMIT was sent")


@pytest.mark.parametrize("is_committed", [True, False])
async def test_a_connection_lost_at_commit_makes_nobody_double(intake: Intake, is_committed: bool) -> None:
    arrivals = fresh(50)
    losing = _LosesConnections(intake.database._pool)
    losing.is_committed = is_committed
    outcomes = await asyncio.gather(*offer(group_commit(intake, losing), arrivals))
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
    again = [arrival(item.submission.contact.external_id, key=item.key) for item in arrivals]
    outcomes = await asyncio.gather(*offer(group_commit(intake), again))
    assert Counter(is_new(outcome) for outcome in outcomes) == {not is_committed: 50}
    assert await stored(intake, arrivals) == 50


async def test_clients_that_leave_spoil_nothing(intake: Intake) -> None:
    arrivals = fresh(60)
    group = group_commit(intake)
    futures = offer(group, arrivals)
    for future in futures[::3]:
        future.cancel()
    staying = [future for number, future in enumerate(futures) if number % 3]
    assert all(is_new(outcome) for outcome in await asyncio.gather(*staying))
    await group.finish()
    assert await stored(intake, arrivals) == 60


async def test_a_stop_waits_for_what_was_offered(intake: Intake) -> None:
    group = group_commit(intake)
    stopping = asyncio.Event()
    running = asyncio.create_task(group.run(stopping))
    futures = offer(group, fresh(700))
    stopping.set()
    await running
    assert all(is_new(future.result()) for future in futures)
