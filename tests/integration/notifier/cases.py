"""One request of one customer, and what is told of it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.contracts.casework import RequestReminded
from shared.contracts.clocks import ClockBreached, ClockPayload, ClockStarted
from shared.contracts.contacts import ContactRecorded, EncryptedContactRecorded
from shared.contracts.envelope import Event, Tombstone, encode
from shared.contracts.payload import Language, Market, Payload, RequestKind
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import TOPICS
from shared.encryption import ContactDetails, MasterKeys
from shared.ids import new_id, new_reference
from shared.inbox import Received
from shared.kafka.records import Record
from shared.telemetry.context import new_trace

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DUE = NOW + timedelta(hours=30)
MASTER_KEYS = MasterKeys("first", {"first": bytes(range(32))})


@dataclass
class Case:
    """One request of one customer, and the events about it."""

    language: Language = Language.ENGLISH
    market: Market = Market.HONG_KONG
    email: str | None = "chan@customer.example"
    request_id: UUID = field(default_factory=new_id)
    customer_id: UUID = field(default_factory=new_id)
    clock_id: UUID = field(default_factory=new_id)
    reference: str = field(default_factory=new_reference)

    def submitted(self) -> Event[Payload]:
        return self.event(
            RequestSubmitted(
                request_id=self.request_id,
                reference=self.reference,
                kind=RequestKind.CLAIM,
                channel="app",
                market=self.market,
                language=self.language,
                customer_id=self.customer_id,
                stage="received",
                status_path="/t/token",
            )
        )

    def contact(
        self,
        version: int = 1,
        *,
        name: str = "陳大文",
        email: str | None = None,
        master_keys: MasterKeys = MASTER_KEYS,
        **changes: Any,
    ) -> Event[Payload]:
        """As intake tells it; the key that it comes with is intake's."""
        key = master_keys.new_key(self.customer_id)
        details = ContactDetails(name, email or self.email, "+852 9876 5432").encrypt(key)
        fields = {
            "customer_id": self.customer_id,
            "version": version,
            "language": self.language,
            "market": self.market,
            "wrapped_key": b64encode(key.wrapped).decode(),
            "details": b64encode(details).decode(),
        }
        return self.event(EncryptedContactRecorded.model_validate({**fields, **changes}))

    def plain_contact(self, version: int = 1) -> Event[Payload]:
        """As intake told it before contacts were encrypted."""
        return self.event(
            ContactRecorded(
                customer_id=self.customer_id,
                version=version,
                name="陳大文",
                email=self.email,
                language=self.language,
                market=self.market,
            )
        )

    def clock(self, kind: type[ClockPayload] = ClockStarted, **changes: Any) -> Event[Payload]:
        fields = {
            "clock_id": self.clock_id,
            "request_id": self.request_id,
            "reference": self.reference,
            "objective": "resolution",
            "policy": "claim",
            "policy_version": 1,
            "started_at": NOW,
            "due_at": DUE,
            "previous_due_at": DUE,
            "budget_seconds": 100.0,
            "budget_kind": "working",
            "calendar": "hong_kong",
            "resumed_at": NOW,
            "stopped_at": NOW,
            "reason": "customer_documents",
            "level": 1,
            "notify_roles": ["team_lead"],
        }
        return self.event(kind.model_validate({**fields, **changes}))

    def reminded(self, number: int = 1, **changes: Any) -> Event[Payload]:
        fields = {
            "request_id": self.request_id,
            "rule": "stage_waits",
            "stage": "assessment",
            "stage_entry": 2,
            "number": number,
            "entered_at": NOW,
            "due_at": NOW,
            "notify_roles": ("claims_assessor",),
        }
        return self.event(RequestReminded.model_validate({**fields, **changes}))

    def breach(self) -> list[Event[Payload]]:
        """All it takes for one mail to staff and none to the customer."""
        return [replaced(self, email=None).contact(), self.submitted(), self.clock(), self.clock(ClockBreached)]

    def event(self, data: Payload) -> Event[Payload]:
        trace = new_trace("corr-42")
        subject = getattr(data, "request_id", None) or self.customer_id
        source = "/punctual/sla_timer" if isinstance(data, ClockPayload) else "/punctual/intake"
        return Event(new_id(), source, subject, 1, NOW, NOW, trace.correlation_id, trace.traceparent, data)


def replaced(case: Case, **changes: Any) -> Case:
    return Case(**{**vars(case), **changes})


def received(event: Event[Payload] | Tombstone) -> Received:
    """As the inbox hands it over."""
    if isinstance(event, Tombstone):
        topic = "punctual.contacts"
        return Received(event, Record(topic, 0, 0, str(event.subject).encode(), None, ()))
    topic = next(topic.name for topic in TOPICS if type(event.data) in topic.payloads)
    return Received(event, Record(topic, 0, 0, *encode(event)))
