"""Events of a type or version that is newer than these contracts, for readers that show what they do not understand."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ConfigDict

from shared.contracts.envelope import Event, Tombstone, decode, find_payload
from shared.contracts.payload import Payload
from shared.errors import Rejected


class Unread(Payload):
    """The data as they came, a JSON object. The type stands in the record's header ``ce_type``."""

    model_config = ConfigDict(frozen=True, extra="allow")


def decode_any(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> Event[Payload] | Tombstone:
    """As ``decode``, but data of an unknown type or version are ``Unread``.

    Raises:
        Rejected: ``not_a_cloudevent`` or ``bad_payload``.
    """
    return decode(key, value, headers, _model_or_unread)


def _model_or_unread(event_type: str) -> type[Payload]:
    try:
        return find_payload(event_type)
    except Rejected:
        return Unread
