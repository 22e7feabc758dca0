"""Requests with their events, and a quality_audit to hear them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from services.quality_audit.consumer import QualityEvents
from services.quality_audit.domain.plan_text import PlanText, parse_plan
from services.quality_audit.handlers.framing import Framing
from shared.clock import ManualClock
from shared.contracts.clocks import ClockMet, ClockMissed, ClockPayload, ClockStarted
from shared.contracts.envelope import Event, decode, encode
from shared.contracts.payload import Payload
from shared.contracts.requests import (
    RequestChanged,
    RequestClosed,
    RequestReopened,
    RequestStageEntered,
    RequestStageLeft,
    RequestSubmitted,
)
from shared.contracts.topics import CLOCKS, QUALITY, REQUESTS, Topic
from shared.ids import new_id, new_reference
from shared.inbox import Received, Rejection
from shared.kafka import Record
from shared.outbox import Outbox
from shared.postgres import Database
from shared.testing.broker import InMemoryBroker
from tests.access.issuing import token_of

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PERIOD = "2026Q4"
MASTER = b"a secret of the tests, 32 bytes or so"
TABLES = (
    "review", "sample", "frame_unit", "sampling_period", "clock", "request_handler", "request", "outbox",
    "inbox_position", "inbox_sequence", "inbox_rejection",
)  # fmt: skip

EVERY_CASE = parse_plan("""\
version: 1
confidence: 0.95
targets: {accuracy: 0.98, completeness: 0.9, timeliness: 0.95}
risks:
  - name: breached
    when: {is_breached: true}
    rate: 1
  - name: ordinary
    rate: 1
""")


class Story:
    """The events of one request, with the sequences its sources would give."""

    def __init__(self, **submitted: Any) -> None:
        self.request_id = new_id()
        self.reference = new_reference()
        self._clock_id = new_id()
        self._sequences: dict[str, int] = {}
        self._submitted = {
            "request_id": self.request_id,
            "reference": self.reference,
            "kind": "claim",
            "channel": "app",
            "market": "HK",
            "language": "zh-Hant",
            "customer_id": new_id(),
            "stage": "received",
            "status_path": "/t/x",
            **submitted,
        }

    def submitted(self) -> Event[Payload]:
        return self._said("intake", RequestSubmitted.model_validate(self._submitted))

    def staged(self, handler: str) -> Event[Payload]:
        data = {"request_id": self.request_id, "from_stage": "received", "stage": "assessment", "handler": handler}
        return self._said("intake", RequestStageEntered.model_validate(data))

    def reopened(self, at: datetime = NOW) -> Event[Payload]:
        return self._said("intake", RequestReopened(request_id=self.request_id, reason="new_evidence"), at)

    def left(self, stage: str = "received", *, by: str | None = None) -> Event[Payload]:
        return replace(self._said("intake", RequestStageLeft(request_id=self.request_id, stage=stage)), author=by)

    def changed(self, **changed: Any) -> Event[Payload]:
        data = {"request_id": self.request_id, "reason": "correction", **changed}
        return self._said("intake", RequestChanged.model_validate(data))

    def closed(
        self, outcome: str = "paid", *, closed_at: datetime = NOW, handler: str | None = None, by: str | None = None
    ) -> Event[Payload]:
        data = RequestClosed(request_id=self.request_id, outcome=outcome, handler=handler)
        return replace(self._said("intake", data, closed_at), author=by)

    def started(self, at: datetime = NOW, *, cycle: int = 1) -> Event[Payload]:
        fields = {"started_at": at, "budget_seconds": 60, "budget_kind": "working", "calendar": "hk"}
        return self.clock(ClockStarted, cycle=cycle, **fields)

    def met(self, *, cycle: int = 1) -> Event[Payload]:
        return self.clock(ClockMet, stopped_at=NOW, cycle=cycle)

    def missed(self, *, cycle: int = 1) -> Event[Payload]:
        return self.clock(ClockMissed, stopped_at=NOW, cycle=cycle)

    def clock(self, kind: type[ClockPayload], **fields: Any) -> Event[Payload]:
        data = {
            "clock_id": self._clock_id,
            "request_id": self.request_id,
            "reference": self.reference,
            "objective": "resolution",
            "policy": "claim",
            "policy_version": 1,
            "due_at": NOW,
            **fields,
        }
        return self._said("sla_timer", kind.model_validate(data))

    def _said(self, service: str, data: Payload, occurred_at: datetime = NOW) -> Event[Payload]:
        self._sequences[service] = self._sequences.get(service, 0) + 1
        return Event(
            id=new_id(),
            source=f"/punctual/{service}",
            subject=self.request_id,
            sequence=self._sequences[service],
            occurred_at=occurred_at,
            recorded_at=NOW,
            correlation_id="follow-me",
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            data=data,
        )


def topic_of(event: Event[Payload]) -> Topic:
    return CLOCKS if isinstance(event.data, ClockPayload) else REQUESTS


def received(event: Event[Payload], topic: Topic | None = None, offset: int = 0) -> Received:
    return Received(event, Record((topic or topic_of(event)).name, 0, offset, *encode(event)))


@dataclass
class Audit:
    """Attributes:
    app, staff, nobody: HTTP clients with a channel's key, a staff key, and none.
    admin_url: of the database's owner, who may do what the service may not.
    """

    database: Database
    admin_url: str
    broker: InMemoryBroker
    outbox: Outbox
    clock: ManualClock
    app: httpx.AsyncClient
    staff: httpx.AsyncClient
    nobody: httpx.AsyncClient
    plan_text: PlanText = field(default=EVERY_CASE)
    master: bytes = MASTER

    def framing(self) -> Framing:
        return Framing(self.plan_text, self.master, self.outbox, self.clock)

    async def hear(self, *events: Event[Payload]) -> list[Rejection]:
        """Handle one batch, as the inbox would: one transaction."""
        return await self.hear_received([received(event) for event in events])

    async def hear_received(self, batch: Sequence[Received]) -> list[Rejection]:
        async with self.database.transaction() as connection:
            return list(await QualityEvents(self.framing()).handle(connection, batch))

    async def told(self) -> list[Event[Payload]]:
        """What was said about samples and reviews, once the relay has published it."""
        while await self.outbox.run_once():
            pass
        events = [decode(record.key, record.value, record.headers) for record in self.broker.log(QUALITY.name)]
        return [event for event in events if isinstance(event, Event)]

    async def close_request(self, outcome: str = "paid", **submitted: Any) -> Story:
        story = Story(**submitted)
        assert await self.hear(story.submitted(), story.closed(outcome)) == []
        return story

    async def sample_of(self, story: Story) -> dict[str, Any]:
        return next(s for s in await self.samples() if s["request_id"] == str(story.request_id))

    async def sample_of_id(self, sample_id: str) -> dict[str, Any]:
        answer = await self.staff.get(f"/v1/samples/{sample_id}")
        found: dict[str, Any] = answer.json()
        return found

    async def samples(self, **parameters: Any) -> list[dict[str, Any]]:
        answer = await self.staff.get("/v1/samples", params={"limit": 500, **parameters})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["samples"]
        return found

    async def review(self, sample_id: str, **found: Any) -> httpx.Response:
        body = {"reviewer": "r1", "is_accurate": True, "is_complete": True, **found}
        return await self.staff.post(f"/v1/samples/{sample_id}/review", json=body)

    async def review_as(self, name: str, sample_id: str, **found: Any) -> httpx.Response:
        """Signed in as a person of that name, who does not say it again."""
        body = {"is_accurate": True, "is_complete": True, **found}
        headers = {"Authorization": f"Bearer {token_of('quality_reviewer', preferred_username=name)}"}
        return await self.nobody.post(f"/v1/samples/{sample_id}/review", json=body, headers=headers)

    async def score(self, **parameters: Any) -> dict[str, Any]:
        answer = await self.staff.get("/v1/score", params=parameters)
        assert answer.status_code == 200, answer.text
        card: dict[str, Any] = answer.json()
        return card

    async def as_admin(self, sql: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(self.admin_url, server_settings={"search_path": "quality_audit"})
        try:
            rows: list[Any] = await connection.fetch(sql, *arguments)
            return rows
        finally:
            await connection.close()

    async def frame(self) -> dict[UUID, Any]:
        rows = await self.as_admin("SELECT * FROM frame_unit")
        return {row["request_id"]: row for row in rows}
