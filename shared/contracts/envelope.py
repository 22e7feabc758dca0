"""CloudEvents 1.0 in Kafka's binary mode: attributes as ``ce_`` headers, the payload as the record's value.

Extensions used: ``sequence`` (per source and subject, without holes), ``recordedat``, ``correlationid``, and
``traceparent``, which is written a second time as a plain header for tools that look there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import ValidationError

from shared.contracts.payload import Payload
from shared.contracts.topics import PAYLOAD_BY_TYPE
from shared.errors import Rejected

P_co = TypeVar("P_co", bound=Payload, covariant=True)

Headers = tuple[tuple[str, bytes], ...]

CONTENT_TYPE = b"application/json"

_VERSION = re.compile(r"[1-9][0-9]{0,5}")
_NUL = b"\\u0000"  # the only way to write it in JSON
_MOST_TEXT = 256
_MOST_SEQUENCE = 2**63 - 1  # Postgres' bigint


@dataclass(frozen=True, slots=True)
class Event(Generic[P_co]):
    """One fact.

    Attributes:
        id: unique per source.
        source: ``/punctual/<service>``.
        subject: what the sequence counts, the request id (the customer id on contacts).
        sequence: 1, 2, 3, ... per source and subject.
        occurred_at: when it became true, UTC business time.
        recorded_at: when the source wrote it down, UTC business time.
        correlation_id: runs from the HTTP request to the last consequence.
        traceparent: W3C trace context.
    """

    id: UUID
    source: str
    subject: UUID
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    traceparent: str
    data: P_co


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The erasure of a compacted key."""

    subject: UUID


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode(event: Event[Payload]) -> tuple[bytes, bytes, Headers]:
    """The key, value and headers of the record for ``event``."""
    traceparent = event.traceparent.encode()
    headers: Headers = (
        ("content-type", CONTENT_TYPE),
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event.id).encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", event.data.event_type().encode()),
        ("ce_subject", str(event.subject).encode()),
        ("ce_time", format_instant(event.occurred_at).encode()),
        ("ce_sequence", str(event.sequence).encode()),
        ("ce_recordedat", format_instant(event.recorded_at).encode()),
        ("ce_correlationid", event.correlation_id.encode()),
        ("ce_traceparent", traceparent),
        ("traceparent", traceparent),
    )
    return str(event.subject).encode(), event.data.model_dump_json().encode(), headers


def decode(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Event[Payload] | Tombstone:
    """Read a record back.

    Raises:
        Rejected: ``not_a_cloudevent``, ``unknown_type``, ``newer_version`` or ``bad_payload``. The detail names the
            attribute or field but never repeats a value, which might be personal.
    """
    if value is None:
        return Tombstone(_attribute("key", lambda: UUID((key or b"").decode())))
    attributes = dict(headers)

    def text(name: str) -> str:
        return _attribute(name, lambda: _plain(attributes["ce_" + name].decode()))

    if text("specversion") != "1.0":
        raise Rejected("not_a_cloudevent", "specversion is not 1.0")
    model = _payload_model(text("type"))
    if _NUL in value:
        raise Rejected("bad_payload", "a text holds the character NUL, which no store takes")
    try:
        data = model.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise Rejected("bad_payload", f"{field}: {first['type']} ({error.error_count()} in all)") from None
    return Event(
        id=_attribute("id", lambda: UUID(text("id"))),
        source=text("source"),
        subject=_attribute("subject", lambda: UUID(text("subject"))),
        sequence=_attribute("sequence", lambda: _sequence(text("sequence"))),
        occurred_at=_attribute("time", lambda: _instant(text("time"))),
        recorded_at=_attribute("recordedat", lambda: _instant(text("recordedat"))),
        correlation_id=text("correlationid"),
        traceparent=text("traceparent"),
        data=data,
    )


T = TypeVar("T")


def _attribute(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (KeyError, ValueError, OverflowError, AttributeError):  # AttributeError: a header whose value is null
        raise Rejected("not_a_cloudevent", f"attribute {name} is missing or malformed") from None


def _plain(text: str) -> str:
    if not text.isprintable() or len(text) > _MOST_TEXT:
        raise ValueError("not a CloudEvents attribute")
    return text


def _sequence(text: str) -> int:
    number = int(text)
    if not 0 < number <= _MOST_SEQUENCE:
        raise ValueError(text)
    return number


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant.astimezone(UTC)


def _payload_model(event_type: str) -> type[Payload]:
    model = PAYLOAD_BY_TYPE.get(event_type)
    if model is not None:
        return model
    name, _, version = event_type.rpartition(".v")
    for known in PAYLOAD_BY_TYPE.values():
        if name == known.TYPE and _VERSION.fullmatch(version) and int(version) > known.VERSION:
            raise Rejected("newer_version", f"{known.TYPE} version {version}; this program reads up to {known.VERSION}")
    raise Rejected("unknown_type", "the event's type is not in the contracts")
