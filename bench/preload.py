"""Writes request events straight into Kafka, as intake's relay would, so that sla_timer can be measured alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from shared.contracts.envelope import Event, encode
from shared.contracts.payload import CustomerTier, Language, Market, Priority, RequestKind
from shared.contracts.requests import RequestSubmitted
from shared.contracts.topics import REQUESTS
from shared.ids import new_id, new_reference, new_token
from shared.kafka import KafkaPublisher, OutgoingRecord
from shared.telemetry.context import new_trace

SOURCE = "/punctual/intake"
FIRED = "fired"
PENDING = "pending"
"""Product lines that the policies of the lateness benchmark tell apart."""

_KINDS = tuple(RequestKind)
_MARKETS = tuple(Market)
_LANGUAGES = tuple(Language)
_BATCH = 2000


def submitted(number: int, occurred_at: datetime, recorded_at: datetime, product_line: str = "motor") -> OutgoingRecord:
    """The record of a new request; kinds, markets and languages take turns."""
    request_id = new_id()
    trace = new_trace()
    event = Event(
        id=new_id(),
        source=SOURCE,
        subject=request_id,
        sequence=1,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        correlation_id=trace.correlation_id,
        traceparent=trace.traceparent,
        data=RequestSubmitted(
            request_id=request_id,
            reference=new_reference(),
            kind=_KINDS[number % len(_KINDS)],
            product_line=product_line,
            priority=Priority.NORMAL,
            channel="app",
            market=_MARKETS[number % len(_MARKETS)],
            language=_LANGUAGES[number % len(_LANGUAGES)],
            customer_id=new_id(),
            customer_tier=CustomerTier.STANDARD,
            stage="received",
            attributes={"amount": 12800, "has_photos": True},
            status_path=f"/t/{new_token()}",
        ),
    )
    return OutgoingRecord(REQUESTS.name, *encode(event))


async def write_all(bootstrap: str, records: Iterable[OutgoingRecord]) -> int:
    """Return when all are acknowledged; their number."""
    publisher = KafkaPublisher(bootstrap, "bench-preload")
    written = 0
    try:
        for batch in _batches(iter(records)):
            await publisher.publish(batch)
            written += len(batch)
    finally:
        await publisher.close()
    return written


def _batches(records: Iterator[OutgoingRecord]) -> Iterator[list[OutgoingRecord]]:
    while batch := list(islice(records, _BATCH)):
        yield batch
