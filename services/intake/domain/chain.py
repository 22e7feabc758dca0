"""The chain of hashes through a history: each entry's hash covers the entry and the hash before it.

That of the first entry covers who and what the request is, too. Requests that are older than this have a first entry
that is hashed like the others.

Whoever changes, removes or inserts an entry afterwards would have to change every hash behind it, and the head that is
kept apart from the history.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.intake.domain.history import Entry, change_data
from services.intake.domain.identity import Identity

FORMAT = "punctual.history.1"
"""Says how an entry is written for hashing; another way of writing gets another name."""

FIRST_FORMAT = "punctual.history.2"
"""The same for a first entry with the identity of its request."""

_write = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False).encode

_FIRST_MESSAGE = (
    "entry 1 is not what was written, or its hash is not, or the request is of another channel, customer, market,"
    " language, external id or reference than it was"
)


@dataclass(frozen=True, slots=True)
class Break:
    """Where a stored history does not prove itself.

    Attributes:
        sequence: of the first entry that is wrong; 0 for the history as a whole.
    """

    sequence: int
    message: str


def hash_entry(request_id: UUID, entry: Entry, before: bytes | None) -> bytes:
    """SHA-256, 32 bytes.

    Args:
        before: the hash of the entry before; None for the first one.
    """
    return _digest([FORMAT, *_written(request_id, entry, before)])


def hash_first(identity: Identity, entry: Entry) -> bytes:
    """Of the entry that begins a history, 32 bytes."""
    external = identity.external_id_hash
    return _digest(
        [
            FIRST_FORMAT,
            *_written(identity.request_id, entry, None),
            identity.reference,
            identity.channel,
            identity.market,
            identity.language,
            str(identity.customer_id),
            external.hex() if external is not None else None,
        ]
    )


def chain(identity: Identity, history: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries of a new request with their hashes."""
    chained: list[Entry] = []
    for entry in history:
        found = hash_entry(identity.request_id, entry, chained[-1].hash) if chained else hash_first(identity, entry)
        chained.append(replace(entry, hash=found))
    return tuple(chained)


def is_identified(identity: Identity, history: Sequence[Entry]) -> bool:
    """Whether the first entry says who and what the request is; that of an older request says nothing of it."""
    return history[0].hash == hash_first(identity, history[0])


def find_break(identity: Identity, history: Sequence[Entry], head: bytes | None) -> Break | None:
    """The first place where the chain does not hold; None when it proves itself.

    Entries at the beginning that are older than the chain prove nothing, and are no break.

    Args:
        identity: as the request's own row says it.
        history: in the order of its sequence.
        head: the hash that the row keeps.
    """
    before: bytes | None = None
    for number, entry in enumerate(history, start=1):
        if entry.sequence != number:
            return Break(number, f"entry {number} is missing")
        if entry.hash is None and before is None:
            continue
        if entry.hash != hash_entry(identity.request_id, entry, before):
            if number > 1:
                return Break(number, f"entry {number} is not what was written, or its hash is not")
            if entry.hash != hash_first(identity, entry):
                return Break(1, _FIRST_MESSAGE)
        before = entry.hash
    if before != head:
        return Break(0, "the history does not end where the request says it does")
    return None


def _written(request_id: UUID, entry: Entry, before: bytes | None) -> list[object]:
    return [
        str(request_id),
        entry.sequence,
        entry.change.TYPE,
        change_data(entry.change),
        _instant(entry.occurred_at),
        _instant(entry.recorded_at),
        entry.by,
        entry.cause,
        before.hex() if before is not None else None,
    ]


def _digest(written: Sequence[object]) -> bytes:
    return hashlib.sha256(_write(written).encode()).digest()


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
