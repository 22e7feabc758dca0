"""The lives of requests as intake tells them, written straight into Kafka."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.contracts.envelope import Event, encode
from shared.contracts.payload import CustomerTier, Language, Market, Payload, Priority, RequestKind
from shared.contracts.requests import (
    RequestChanged,
    RequestClosed,
    RequestPaused,
    RequestResponded,
    RequestResumed,
    RequestStageEntered,
    RequestSubmitted,
)
from shared.contracts.topics import REQUESTS
from shared.ids import new_id, new_reference, new_token
from shared.kafka import OutgoingRecord
from shared.telemetry.context import new_trace

SOURCE = "/punctual/intake"

_KINDS = tuple(RequestKind)
_MARKETS = tuple(Market)
_LANGUAGES = tuple(Language)

EVENTS_OF_A_LIFE = 6


@dataclass(slots=True)
class Life:
    """One request; numbers its events.

    Attributes:
        sequence: of the last event told.
    """

    number: int = 0
    request_id: UUID = field(default_factory=new_id)
    sequence: int = 0

    def tells(self, data: Payload, occurred_at: datetime, recorded_at: datetime | None = None) -> OutgoingRecord:
        self.sequence += 1
        trace = new_trace()
        event = Event(
            id=new_id(),
            source=SOURCE,
            subject=self.request_id,
            sequence=self.sequence,
            occurred_at=occurred_at,
            recorded_at=recorded_at or occurred_at,
            correlation_id=trace.correlation_id,
            traceparent=trace.traceparent,
            data=data,
        )
        return OutgoingRecord(REQUESTS.name, *encode(event))

    def submits(
        self, occurred_at: datetime, recorded_at: datetime | None = None, product_line: str = "motor"
    ) -> OutgoingRecord:
        """Kinds, markets and languages take turns."""
        data = RequestSubmitted(
            request_id=self.request_id,
            reference=new_reference(),
            kind=_KINDS[self.number % len(_KINDS)],
            product_line=product_line,
            priority=Priority.NORMAL,
            channel="app",
            market=_MARKETS[self.number % len(_MARKETS)],
            language=_LANGUAGES[self.number % len(_LANGUAGES)],
            customer_id=new_id(),
            customer_tier=CustomerTier.STANDARD,
            stage="received",
            attributes={"amount": 12800, "has_photos": True},
            status_path=f"/t/{new_token()}",
        )
        return self.tells(data, occurred_at, recorded_at)

    def pauses(self, at: datetime) -> OutgoingRecord:
        return self.tells(RequestPaused(request_id=self.request_id, reason="customer_documents"), at)

    def resumes(self, at: datetime) -> OutgoingRecord:
        return self.tells(RequestResumed(request_id=self.request_id, reason="customer_documents"), at)

    def changes_priority(self, at: datetime) -> OutgoingRecord:
        data = RequestChanged(request_id=self.request_id, reason="customer_called", priority=Priority.URGENT)
        return self.tells(data, at)

    def closes(self, at: datetime) -> OutgoingRecord:
        return self.tells(RequestClosed(request_id=self.request_id, outcome="settled"), at)

    def whole(self, at: datetime) -> Iterator[OutgoingRecord]:
        """Submitted, moved, answered, paused, resumed, closed."""
        yield self.submits(at)
        stage = RequestStageEntered(request_id=self.request_id, from_stage="received", stage="assessment")
        yield self.tells(stage, at)
        yield self.tells(RequestResponded(request_id=self.request_id), at)
        yield self.pauses(at)
        yield self.resumes(at)
        yield self.closes(at)


def interleaved(count: int, at: datetime, at_once: int) -> Iterator[OutgoingRecord]:
    """The events of whole lives, so many of them under way at a time."""
    waiting = iter(range(count))
    under_way: list[Iterator[OutgoingRecord]] = []
    while True:
        while len(under_way) < at_once and (number := next(waiting, None)) is not None:
            under_way.append(Life(number).whole(at))
        if not under_way:
            return
        still: list[Iterator[OutgoingRecord]] = []
        for life in under_way:
            record = next(life, None)
            if record is not None:
                yield record
                still.append(life)
        under_way = still


def in_turns(lives: Sequence[Life], at: datetime) -> Iterator[OutgoingRecord]:
    """Each moves a clock of every request: a pause, a resumption, another priority, a closing."""
    for life in lives:
        yield life.pauses(at)
    for life in lives:
        yield life.resumes(at)
    for life in lives:
        yield life.changes_priority(at)
    for life in lives:
        yield life.closes(at)
