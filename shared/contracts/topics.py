"""Every topic: its name, its settings, what may be on it. Topic creation and the AsyncAPI document read this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.contracts import casework, clocks, contacts, deadletters, notices, operations, quality, requests
from shared.contracts.payload import Payload


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic.

    Attributes:
        name: as Kafka knows it.
        summary: one sentence for readers of the AsyncAPI document.
        payloads: every type that may appear, newest version of each.
        keyed_by: what the record key is.
        is_compacted: keeps the last record per key for ever instead of expiring by time.
        has_personal_data: only ``contacts``; dead letters of it carry no bytes.
        retention: None keeps everything (history can be replayed from the first offset).
    """

    name: str
    summary: str
    payloads: tuple[type[Payload], ...]
    keyed_by: str = "request id"
    is_compacted: bool = False
    has_personal_data: bool = False
    retention: timedelta | None = None


REQUESTS = Topic(
    "punctual.requests", "The life of every request, told by intake.", (*requests.PAYLOADS, *casework.PAYLOADS)
)
CLOCKS = Topic("punctual.clocks", "Deadlines, warnings, breaches and escalations, told by sla_timer.", clocks.PAYLOADS)
CONTACTS = Topic(
    "punctual.contacts",
    "How to reach each customer; the only topic with personal data.",
    contacts.PAYLOADS,
    keyed_by="customer id",
    is_compacted=True,
    has_personal_data=True,
)
NOTICES = Topic("punctual.notices", "What customers and staff were told, told by notifier.", notices.PAYLOADS)
QUALITY = Topic("punctual.quality", "Samples and reviews, told by quality_audit.", quality.PAYLOADS)
OPERATIONS = Topic(
    "punctual.operations",
    "Modes of the house entered and left, told by whoever declares them.",
    operations.PAYLOADS,
    keyed_by="activation id",
)
DEADLETTERS = Topic(
    "punctual.deadletters",
    "Events that a service could not handle, with the reason and their origin.",
    deadletters.PAYLOADS,
    keyed_by="dead letter id",
    retention=timedelta(days=90),
)

TOPICS: tuple[Topic, ...] = (REQUESTS, CLOCKS, CONTACTS, NOTICES, QUALITY, OPERATIONS, DEADLETTERS)

TOPIC_BY_NAME = {topic.name: topic for topic in TOPICS}

PAYLOAD_BY_TYPE: dict[str, type[Payload]] = {
    payload.event_type(): payload for topic in TOPICS for payload in topic.payloads
}
