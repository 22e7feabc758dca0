"""What the system left behind: the Kafka log from the first offset, the databases, the mails received."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from punctual.local.system import LocalSystem
from shared.contracts.clocks import ClockPayload
from shared.contracts.envelope import Event, decode
from shared.contracts.payload import Payload
from shared.contracts.topics import Topic
from shared.encryption import MasterKeys
from shared.errors import Rejected
from shared.kafka import read_topic


def log_of(system: LocalSystem, topic: Topic) -> list[Event[Payload]]:
    """Every readable event from the first offset. The relay may publish twice; an event id counts once."""

    async def read() -> list[Event[Payload]]:
        events: dict[UUID, Event[Payload]] = {}
        async for record in read_topic(system.kafka_bootstrap, topic.name):
            try:
                event = decode(record.key, record.value, record.headers)
            except Rejected:
                continue
            if isinstance(event, Event):
                events.setdefault(event.id, event)
        return list(events.values())

    return asyncio.run(read())


def record_count(system: LocalSystem, topic: Topic) -> int:
    """How many records a topic that is not compacted holds."""

    async def count() -> int:
        return len([record async for record in read_topic(system.kafka_bootstrap, topic.name)])

    return asyncio.run(count())


def rows_of(system: LocalSystem, query: str, *arguments: object) -> list[dict[str, Any]]:
    """Read any schema as the administrator."""

    async def read() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(system.admin_database_url)
        try:
            return [dict(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    return asyncio.run(read())


def mails_of(system: LocalSystem, containing: str = "") -> list[dict[str, Any]]:
    """The mails the catcher took, newest first; ``containing`` looks at subject, addresses and Message-ID."""
    answer = httpx.get(f"{system.mail_url}/api/messages", params={"q": containing}, timeout=60)
    answer.raise_for_status()
    mails: list[dict[str, Any]] = answer.json()
    return mails


def mails_written(system: LocalSystem) -> dict[str, dict[str, Any]]:
    """Message-ID -> the notice of every mail that notifier wrote; those to customers are decrypted for that."""
    master_keys = MasterKeys.parse(json.loads(system.folders.secrets_file.read_text())["master_keys"])
    rows = rows_of(
        system,
        "SELECT notice_id, request_id, kind, audience, state, is_resend, message, customer_id, wrapped, encrypted"
        " FROM notifier.notice JOIN notifier.rendering USING (notice_id)"
        " LEFT JOIN notifier.customer_key USING (customer_id)",
    )
    written = {}
    for row in rows:
        message = row["message"]
        if message is None:
            key = master_keys.unwrap(row["customer_id"], row["wrapped"])
            text = key.decrypt(row["encrypted"], f"rendering:{row['notice_id']}")
            message = text.partition("\n")[2].encode()
        written[message_from_bytes(message)["Message-ID"]] = row
    return written


@dataclass(frozen=True)
class Decision:
    """One thing sla_timer decided about a clock."""

    kind: str
    level: int
    occurred_at: datetime
    recorded_at: datetime


def decisions_of(events: list[Event[Payload]]) -> dict[tuple[UUID, str], list[Decision]]:
    """(request, objective) -> what was decided, in the order of the sequence."""
    found: dict[tuple[UUID, str], list[Decision]] = defaultdict(list)
    for event in sorted(events, key=lambda event: (event.subject, event.sequence)):
        data = event.data
        assert isinstance(data, ClockPayload)
        kind = type(data).TYPE.rpartition(".")[2]
        found[data.request_id, data.objective].append(
            Decision(kind, getattr(data, "level", 0), event.occurred_at, event.recorded_at)
        )
    return dict(found)
