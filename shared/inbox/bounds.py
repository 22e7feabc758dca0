"""Notices that a topic is shorter than what was read of it."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Counter

from shared.errors import Retryable
from shared.kafka.records import Subscription, TopicPartition
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

BEYOND_END = Counter(
    "punctual_inbox_positions_beyond_end_total",
    "Partitions taken whose topic ends before the stored position: Kafka lost records.",
    ["service", "topic"],
)


async def warn_of_lost_records(
    service: str, subscription: Subscription, positions: Mapping[TopicPartition, int]
) -> None:
    """Say so when a stored position lies behind the end: what is written there from now on would count as handled.

    The position stays. A person has to find out what was lost, and set it back while the service is stopped.
    """
    try:
        ends = await subscription.ends(list(positions))
    except Retryable as error:
        _log.warning("the ends of the partitions are unknown", error=str(error))
        return
    for where, end in ends.items():
        if positions[where] > end:
            BEYOND_END.labels(service, where.topic).inc()
            _log.error(
                "the topic ends before the stored position: Kafka lost records, and new ones will be passed over",
                topic=where.topic,
                partition=where.partition,
                position=positions[where],
                end=end,
            )
