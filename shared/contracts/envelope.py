"""CloudEvents 1.0 in Kafka's binary mode: attributes as ``ce_`` headers, the payload as the record's value.

Extensions used: ``sequence`` (per source and subject, without holes), ``recordedat``, ``correlationid``, ``author`` and
``cause`` where the source knows them, and ``traceparent``, which is written a second time as a plain header for tools
that look there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from pydantic import ValidationError

from shared.contracts.event import Event, Tombstone
from shared.contracts.payload import Payload
from shared.contracts.texts import format_instant, instant_bytes, plain_instant, plain_uuid, uuid_bytes
from shared.contracts.topics import PAYLOAD_BY_TYPE
from shared.errors import Rejected

__all__ = ["Event", "Headers", "Tombstone", "decode", "encode", "event_headers", "format_instant"]

Headers = tuple[tuple[str, bytes], ...]

_VERSION = re.compile(r"[1-9][0-9]{0,5}")
_HAS_NUL = "a text holds the character NUL, which no store takes"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # the only way to write it in JSON; behind a backslash it is plain text
_MOST_TEXT = 256
_MOST_SEQUENCE = 2**63 - 1  # Postgres' bigint
_SAFE_DIGITS = 19  # fewer are below that
_ZERO = ord("0")

_READER_BY_TYPE: dict[bytes, Callable[[bytes], Payload]] = {
    name.encode(): model.__pydantic_validator__.validate_json for name, model in PAYLOAD_BY_TYPE.items()
}


def event_headers(
    event_id: bytes,
    source: bytes,
    event_type: bytes,
    subject: bytes,
    occurred_at: bytes,
    sequence: bytes,
    recorded_at: bytes,
    correlation_id: bytes,
    traceparent: bytes,
) -> Headers:
    """The headers of an event whose parts are text already; for whoever writes more events than objects can be made."""
    return (
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id),
        ("ce_source", source),
        ("ce_type", event_type),
        ("ce_subject", subject),
        ("ce_time", occurred_at),
        ("ce_sequence", sequence),
        ("ce_recordedat", recorded_at),
        ("ce_correlationid", correlation_id),
        ("ce_traceparent", traceparent),
        ("traceparent", traceparent),
    )


def encode(event: Event[Payload]) -> tuple[bytes, bytes, Headers]:
    """The key, value and headers of the record for ``event``."""
    data = event.data
    subject = uuid_bytes(event.subject)
    headers = event_headers(
        uuid_bytes(event.id),
        _source_bytes(event.source),
        type_bytes(type(data)),
        subject,
        instant_bytes(event.occurred_at),
        b"%d" % event.sequence,
        instant_bytes(event.recorded_at),
        event.correlation_id.encode(),
        event.traceparent.encode(),
    )
    if event.author is not None:
        headers += (("ce_author", event.author.encode()),)
    if event.cause is not None:
        headers += (("ce_cause", event.cause.encode()),)
    return subject, data.__pydantic_serializer__.to_json(data), headers


@lru_cache(maxsize=64)
def _source_bytes(source: str) -> bytes:
    return source.encode()


@lru_cache(maxsize=256)
def type_bytes(model: type[Payload]) -> bytes:
    """The type with its version, as a header has it."""
    return model.event_type().encode()


def decode(
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
    find_model: Callable[[str], type[Payload]] | None = None,
) -> Event[Payload] | Tombstone:
    """Read a record back.

    Args:
        find_model: for a type that these contracts lack; None rejects it.

    Raises:
        Rejected: ``not_a_cloudevent``, ``unknown_type``, ``newer_version`` or ``bad_payload``. The detail names the
            attribute or field but never repeats a value, which might be personal.
    """
    if value is None:
        return Tombstone(_attribute("key", lambda: UUID((key or b"").decode())))
    attributes = dict(headers)
    try:
        event = _plain_event(attributes, value)
    except (KeyError, ValueError, TypeError, AttributeError):  # unusual or wrong: the careful way finds out which
        return _careful_event(attributes, value, find_model or find_payload)
    if b"u0000" in value and _NUL.search(value):  # the first half alone is ten times as fast
        raise Rejected("bad_payload", _HAS_NUL)
    return event


def _plain_event(attributes: Mapping[str, bytes], value: bytes) -> Event[Payload]:
    """The event, when its attributes are written exactly as ``encode`` does.

    Raises:
        KeyError, ValueError, TypeError, AttributeError: they are not.
    """
    if attributes["ce_specversion"] != b"1.0":
        raise ValueError
    correlation_id = attributes["ce_correlationid"].decode()
    traceparent = attributes["ce_traceparent"].decode()
    sequence = attributes["ce_sequence"]
    author, cause = attributes.get("ce_author"), attributes.get("ce_cause")
    if not (
        correlation_id.isprintable()
        and len(correlation_id) <= _MOST_TEXT
        and traceparent.isprintable()
        and len(traceparent) <= _MOST_TEXT
        and sequence.isdigit()
        and len(sequence) < _SAFE_DIGITS
        and sequence[0] != _ZERO
    ):
        raise ValueError
    return Event(
        plain_uuid(attributes["ce_id"]),
        _known(attributes["ce_source"]),
        plain_uuid(attributes["ce_subject"]),
        int(sequence),
        plain_instant(attributes["ce_time"]),
        plain_instant(attributes["ce_recordedat"]),
        correlation_id,
        traceparent,
        _READER_BY_TYPE[attributes["ce_type"]](value),
        None if author is None else _known(author),
        None if cause is None else _known(cause),
    )


@lru_cache(maxsize=256)
def _known(text: bytes) -> str:
    """For attributes that have few values."""
    return _plain(text.decode())


def _careful_event(
    attributes: Mapping[str, bytes], value: bytes, find_model: Callable[[str], type[Payload]]
) -> Event[Payload]:
    """Reads whatever CloudEvents allows, one attribute after the other. Raises Rejected for the first that is wrong."""

    def text(name: str) -> str:
        return _attribute(name, lambda: _plain(attributes["ce_" + name].decode()))

    if text("specversion") != "1.0":
        raise Rejected("not_a_cloudevent", "specversion is not 1.0")
    model = find_model(text("type"))
    if _NUL.search(value):
        raise Rejected("bad_payload", _HAS_NUL)
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
        author=text("author") if attributes.get("ce_author") is not None else None,  # None: a header without a value
        cause=text("cause") if attributes.get("ce_cause") is not None else None,
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


def find_payload(event_type: str) -> type[Payload]:
    model = PAYLOAD_BY_TYPE.get(event_type)
    if model is not None:
        return model
    name, _, version = event_type.rpartition(".v")
    for known in PAYLOAD_BY_TYPE.values():
        if name == known.TYPE and _VERSION.fullmatch(version) and int(version) > known.VERSION:
            raise Rejected("newer_version", f"{known.TYPE} version {version}; this program reads up to {known.VERSION}")
    raise Rejected("unknown_type", "the event's type is not in the contracts")
