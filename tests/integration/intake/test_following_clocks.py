"""Intake hears the clocks topic and shows deadlines and the expected time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.intake.consumer import Listener
from shared.contracts.clocks import (
    ClockBreached,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockPaused,
    ClockPayload,
    ClockResumed,
    ClockStarted,
    ClockWarned,
)
from shared.contracts.envelope import Event, encode
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestResponded
from shared.contracts.topics import CLOCKS, DEADLETTERS
from shared.ids import new_id
from shared.inbox import InboxConsumer, Ownership
from shared.kafka import OutgoingRecord
from shared.telemetry.context import new_trace
from tests.integration.intake.front_door import START, Intake, write

DUE_AT = START + timedelta(hours=8)
STARTED: dict[str, Any] = {
    "started_at": START,
    "due_at": DUE_AT,
    "budget_seconds": 28800.0,
    "budget_kind": "working",
    "calendar": "hk",
}


class SlaTimer:
    """Says what sla_timer would say about one request."""

    def __init__(self, intake: Intake, view: dict[str, Any]) -> None:
        self._publisher = intake.broker.publisher()
        self._view = view
        self._clocks: dict[str, UUID] = {}
        self._sequence = 0

    async def say(self, kind: type[ClockPayload], objective: str = "resolution", **data: Any) -> None:
        await self.publish(
            kind(
                clock_id=self._clocks.setdefault(objective, new_id()),
                request_id=UUID(self._view["id"]),
                reference=self._view["reference"],
                objective=objective,
                policy="default",
                policy_version=1,
                **data,
            )
        )

    async def publish(self, payload: Payload) -> None:
        self._sequence += 1
        trace = new_trace()
        event: Event[Payload] = Event(
            id=new_id(),
            source="/punctual/sla_timer",
            subject=UUID(self._view["id"]),
            sequence=self._sequence,
            occurred_at=START,
            recorded_at=START,
            correlation_id=trace.correlation_id,
            traceparent=trace.traceparent,
            data=payload,
        )
        key, value, headers = encode(event)
        await self._publisher.publish([OutgoingRecord(CLOCKS.name, key, value, headers)])


@pytest.fixture
async def consumer(intake: Intake) -> AsyncIterator[InboxConsumer]:
    """Joined to the group; a test tells it when to read."""
    subscription = intake.broker.subscription([CLOCKS.name], group="intake")
    consumer = InboxConsumer(
        service="intake",
        database=intake.database,
        subscription=subscription,
        handler=Listener(),
        ownership=Ownership(intake.database, "intake", "tests"),
        outbox=intake.outbox,
        clock=intake.clock,
    )
    # The broker is new for each test while the positions are in the module's database.
    async with intake.database.connection() as connection:
        await connection.execute("UPDATE inbox_position SET next_offset = 0")
    await subscription.start(consumer._on_assigned, consumer._on_revoked)
    yield consumer
    await subscription.stop()


async def _shown(intake: Intake, consumer: InboxConsumer, view: dict[str, Any]) -> dict[str, Any]:
    while await consumer.run_once(asyncio.Event()):
        pass
    shown: dict[str, Any] = (await intake.app.get(f"/v1/requests/{view['reference']}")).json()
    return shown


async def test_a_deadline_is_shown_from_its_start_to_its_end(intake: Intake, consumer: InboxConsumer) -> None:
    view = await intake.submit()
    timer = SlaTimer(intake, view)
    await timer.say(ClockStarted, "response", **STARTED | {"due_at": START + timedelta(hours=1)})
    await timer.say(ClockStarted, **STARTED)
    shown = await _shown(intake, consumer, view)
    assert shown["expected_at"] == "2026-11-24T09:30:00Z"
    assert shown["deadlines"] == [
        {
            "objective": "resolution",
            "state": "running",
            "due_at": "2026-11-24T09:30:00Z",
            "stopped_at": None,
            "warned": False,
            "escalation_level": 0,
        },
        {
            "objective": "response",
            "state": "running",
            "due_at": "2026-11-24T02:30:00Z",
            "stopped_at": None,
            "warned": False,
            "escalation_level": 0,
        },
    ]
    await timer.say(ClockMet, "response", due_at=START + timedelta(hours=1), stopped_at=START)
    await timer.say(ClockWarned, level=1, due_at=DUE_AT)
    await timer.say(ClockBreached, due_at=DUE_AT)
    await timer.say(ClockEscalated, level=2, due_at=DUE_AT)
    shown = await _shown(intake, consumer, view)
    assert shown["expected_at"] is None
    resolution, response = shown["deadlines"]
    assert (resolution["state"], resolution["warned"], resolution["escalation_level"]) == ("breached", True, 2)
    assert (response["state"], response["stopped_at"]) == ("met", "2026-11-24T01:30:00Z")
    await timer.say(ClockMissed, due_at=DUE_AT, stopped_at=DUE_AT + timedelta(hours=1))
    resolution, _ = (await _shown(intake, consumer, view))["deadlines"]
    assert (resolution["state"], resolution["stopped_at"]) == ("missed", "2026-11-24T10:30:00Z")


async def test_a_pause_takes_the_expected_time_away_until_it_ends(intake: Intake, consumer: InboxConsumer) -> None:
    view = await intake.submit()
    timer = SlaTimer(intake, view)
    await timer.say(ClockStarted, **STARTED)
    await timer.say(ClockPaused, paused_at=START, reason="third_party")
    assert (await _shown(intake, consumer, view))["expected_at"] is None
    await timer.say(ClockResumed, resumed_at=START, due_at=DUE_AT + timedelta(hours=2))
    assert (await _shown(intake, consumer, view))["expected_at"] == "2026-11-24T11:30:00Z"


async def test_what_is_no_event_of_a_clock_goes_to_the_dead_letter_and_the_rest_is_shown(
    intake: Intake, consumer: InboxConsumer
) -> None:
    view = await intake.submit()
    timer = SlaTimer(intake, view)
    await timer.publish(RequestResponded(request_id=UUID(view["id"])))
    await timer.say(ClockStarted, **STARTED)
    await intake.broker.publisher().publish([OutgoingRecord(CLOCKS.name, view["id"].encode(), None, ())])
    assert (await _shown(intake, consumer, view))["expected_at"] == "2026-11-24T09:30:00Z"
    letters = [event.data for event in await intake.told(DEADLETTERS)]
    assert sorted(letter.model_dump()["reason"] for letter in letters) == ["unexpected_tombstone", "unexpected_type"]


async def test_more_time_is_granted_to_an_objective_that_has_a_clock(intake: Intake, consumer: InboxConsumer) -> None:
    view = await intake.submit()
    path = f"/v1/requests/{view['reference']}/extend"
    body = {"seconds": 60, "reason": "expert", "approved_by": "s-1"}

    async def extend(objective: str) -> httpx.Response:
        return await intake.staff.post(path, json=body | {"objective": objective}, headers=write())

    assert (await extend("resolutoin")).status_code == 200  # nothing is known of its clocks yet
    sla_timer = SlaTimer(intake, view)
    await sla_timer.say(ClockStarted, **STARTED)
    await sla_timer.say(ClockStarted, "response", **STARTED)
    await _shown(intake, consumer, view)
    refused = await extend("resolutoin")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:punctual:problem:objective_unknown")
    assert refused.json()["errors"] == [{"field": "objective", "message": "known: resolution, response"}]
    for objective in ("resolution", "response"):
        assert (await extend(objective)).status_code == 200
