"""What other systems say to the service under test: intake about a request, whoever declares a mode about the house."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.sla_timer.domain.rules import Mode
from shared.contracts.casework import RequestNoted
from shared.contracts.envelope import Event
from shared.contracts.operations import ModeEntered, ModeLeft
from shared.contracts.payload import Language, Market, Payload, Priority, RequestKind
from shared.contracts.requests import (
    RequestAssigned,
    RequestCancelled,
    RequestChanged,
    RequestClosed,
    RequestCustomerInformed,
    RequestExtended,
    RequestMerged,
    RequestMessageReceived,
    RequestPaused,
    RequestReopened,
    RequestResponded,
    RequestResumed,
    RequestSignalled,
    RequestStageEntered,
    RequestStageLeft,
    RequestSubmitted,
)
from shared.ids import new_id, new_reference
from shared.telemetry.context import new_trace

MONDAY = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
"""Nine in the morning in Hong Kong."""

HOUR = timedelta(hours=1)


@dataclass
class Customer:
    """Intake's side of one request."""

    request_id: UUID = field(default_factory=new_id)
    reference: str = field(default_factory=new_reference)
    correlation_id: str = "corr-1"
    sequence: int = 0

    def submits(
        self,
        occurred_at: datetime = MONDAY,
        recorded_at: datetime | None = None,
        kind: RequestKind = RequestKind.CLAIM,
        **changes: Any,
    ) -> Event[Payload]:
        data = RequestSubmitted(
            **{
                "request_id": self.request_id,
                "reference": self.reference,
                "kind": kind,
                "channel": "app",
                "market": Market.HONG_KONG,
                "language": Language.ENGLISH,
                "customer_id": new_id(),
                "stage": "received",
                "status_path": "/t/x",
                **changes,
            }
        )
        return self._event(data, occurred_at, recorded_at)

    def responded(self, occurred_at: datetime, recorded_at: datetime | None = None) -> Event[Payload]:
        return self._event(RequestResponded(request_id=self.request_id), occurred_at, recorded_at)

    def paused(self, occurred_at: datetime, recorded_at: datetime | None = None) -> Event[Payload]:
        data = RequestPaused(request_id=self.request_id, reason="customer_documents")
        return self._event(data, occurred_at, recorded_at)

    def resumed(self, occurred_at: datetime, recorded_at: datetime | None = None) -> Event[Payload]:
        data = RequestResumed(request_id=self.request_id, reason="customer_documents")
        return self._event(data, occurred_at, recorded_at)

    def closed(
        self, occurred_at: datetime, recorded_at: datetime | None = None, outcome: str = "paid"
    ) -> Event[Payload]:
        return self._event(RequestClosed(request_id=self.request_id, outcome=outcome), occurred_at, recorded_at)

    def reopened(self, occurred_at: datetime, recorded_at: datetime | None = None) -> Event[Payload]:
        return self._event(RequestReopened(request_id=self.request_id, reason="appeal"), occurred_at, recorded_at)

    def assigned(self, team: str | None, occurred_at: datetime, **more: Any) -> Event[Payload]:
        return self._event(RequestAssigned(request_id=self.request_id, team=team, **more), occurred_at, None)

    def enters(self, stage: str, occurred_at: datetime, before: str = "received") -> Event[Payload]:
        data = RequestStageEntered(request_id=self.request_id, stage=stage, from_stage=before)
        return self._event(data, occurred_at, None)

    def becomes(self, priority: Priority, occurred_at: datetime) -> Event[Payload]:
        data = RequestChanged(request_id=self.request_id, reason="corrected", priority=priority)
        return self._event(data, occurred_at, None)

    def extended(self, objective: str, span: timedelta, occurred_at: datetime) -> Event[Payload]:
        data = RequestExtended(
            request_id=self.request_id,
            objective=objective,
            seconds=int(span.total_seconds()),
            reason="agreed_with_customer",
            approved_by="lead",
        )
        return self._event(data, occurred_at, None)

    def informed(self, occurred_at: datetime) -> Event[Payload]:
        return self._event(RequestCustomerInformed(request_id=self.request_id), occurred_at, None)

    def writes(self, occurred_at: datetime) -> Event[Payload]:
        return self._event(RequestMessageReceived(request_id=self.request_id), occurred_at, None)

    def notes(self, occurred_at: datetime) -> Event[Payload]:
        """Means nothing to clocks."""
        return self.says(RequestNoted(request_id=self.request_id), occurred_at)

    def loses(self, count: int = 1) -> None:
        """The next events never come."""
        self.sequence += count

    def says(self, data: Payload, occurred_at: datetime) -> Event[Payload]:
        return self._event(data, occurred_at, None)

    def leaves(self, stage: str, occurred_at: datetime) -> Event[Payload]:
        return self._event(RequestStageLeft(request_id=self.request_id, stage=stage), occurred_at, None)

    def signalled(self, signal: str, occurred_at: datetime) -> Event[Payload]:
        return self._event(RequestSignalled(request_id=self.request_id, signal=signal), occurred_at, None)

    def cancelled(self, occurred_at: datetime, recorded_at: datetime | None = None) -> Event[Payload]:
        data = RequestCancelled(request_id=self.request_id, reason="duplicate")
        return self._event(data, occurred_at, recorded_at)

    def merged(self, into: Customer, occurred_at: datetime) -> Event[Payload]:
        data = RequestMerged(request_id=self.request_id, into_request_id=into.request_id)
        return self._event(data, occurred_at, None)

    def _event(self, data: Payload, occurred_at: datetime, recorded_at: datetime | None) -> Event[Payload]:
        self.sequence += 1
        trace = new_trace(self.correlation_id)
        return Event(
            id=new_id(),
            source="/punctual/intake",
            subject=self.request_id,
            sequence=self.sequence,
            occurred_at=occurred_at,
            recorded_at=recorded_at or occurred_at,
            correlation_id=trace.correlation_id,
            traceparent=trace.traceparent,
            data=data,
        )


def entered(
    activation_id: UUID, mode: Mode, at: datetime, markets: tuple[Market, ...] = (), until_at: datetime | None = None
) -> Event[Payload]:
    """What another system says when it declares a mode."""
    data = ModeEntered(
        activation_id=activation_id, mode=mode.value, markets=markets, reason="storm", author="ops", until_at=until_at
    )
    return _declared(data, activation_id, 1, at)


def left(activation_id: UUID, at: datetime) -> Event[Payload]:
    return _declared(ModeLeft(activation_id=activation_id, reason="over", author="ops"), activation_id, 2, at)


def _declared(data: Payload, activation_id: UUID, sequence: int, at: datetime) -> Event[Payload]:
    trace = new_trace("corr-ops")
    return Event(
        id=new_id(),
        source="/ops",
        subject=activation_id,
        sequence=sequence,
        occurred_at=at,
        recorded_at=at,
        correlation_id=trace.correlation_id,
        traceparent=trace.traceparent,
        data=data,
    )
