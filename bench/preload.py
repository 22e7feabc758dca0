"""Writes request events straight into Kafka, as intake's relay would, so that sla_timer can be measured alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from bench.lives import Life
from shared.kafka import KafkaPublisher, OutgoingRecord

FIRED = "fired"
PENDING = "pending"
"""Product lines that the policies of the benchmarks of timers tell apart."""

_BATCH = 2000


def submitted(number: int, occurred_at: datetime, recorded_at: datetime, product_line: str = "motor") -> OutgoingRecord:
    """The record of a new request; kinds, markets and languages take turns."""
    return Life(number).submits(occurred_at, recorded_at, product_line)


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
