"""Requests whose timers come soon are loaded before they are due; whoever has work on them meanwhile need not wait."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from services.sla_timer.store.tracked import TrackedRequest
from shared.kafka.records import TopicPartition
from shared.postgres import Connection
from tests.integration.sla_timer.customer import HOUR, MONDAY, Customer
from tests.integration.sla_timer.desk import Desk

_WARNED_AT = MONDAY + 6 * HOUR  # as the test of the ladder has it


async def cold(desk: Desk) -> Customer:
    """A request that lies only in Postgres, just before its first warning."""
    customer = Customer()
    await desk.deliver(customer.submits())
    desk.forget()
    desk.clock.set(_WARNED_AT - timedelta(milliseconds=100))
    await desk.ticker.run_once()
    return customer


async def test_a_request_lies_ready_before_its_timer_is_due(desk: Desk) -> None:
    customer = await cold(desk)
    assert customer.request_id not in desk.shelf._requests
    await desk.ticker.warm()
    assert customer.request_id in desk.shelf._requests
    assert await desk.tick(_WARNED_AT) == 1


async def test_what_is_told_while_it_is_loaded_is_neither_held_up_nor_forgotten(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await cold(desk)
    read = desk.loading.read

    async def read_slowly(connection: Connection, request_ids: Collection[UUID]) -> list[TrackedRequest]:
        requests = await read(connection, request_ids)
        async with asyncio.timeout(10):
            await desk.deliver(customer.paused(desk.clock.now()))
        return requests

    monkeypatch.setattr(desk.loading, "read", read_slowly)
    await desk.ticker.warm()
    _, request = desk.shelf._requests[customer.request_id]
    assert len(request.history) == 2


async def test_what_another_process_has_taken_is_not_remembered(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = await cold(desk)
    read = desk.loading.read

    async def lose_meanwhile(connection: Connection, request_ids: Collection[UUID]) -> list[TrackedRequest]:
        requests = await read(connection, request_ids)
        desk.ownership.drop(list(desk.ownership.epochs))
        return requests

    monkeypatch.setattr(desk.loading, "read", lose_meanwhile)
    await desk.ticker.warm()
    assert customer.request_id not in desk.shelf._requests


async def test_partitions_revoked_while_they_are_looked_at_end_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await cold(desk)
    look = desk.ownership.look

    async def revoke_meanwhile(
        connection: Connection, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        epochs = await look(connection, partitions)
        desk.ownership.drop(list(desk.ownership.epochs))
        return epochs

    monkeypatch.setattr(desk.ownership, "look", revoke_meanwhile)
    await desk.ticker.warm()
    assert customer.request_id not in desk.shelf._requests
