"""The chain of hashes through a history: each entry's hash covers the entry and the hash before it.

Whoever changes, removes or inserts an entry afterwards would have to change every hash behind it, and the head that is
kept apart from the history.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.history import Entry, change_data

FORMAT = "punctual.history.1"
"""Says how an entry is written for hashing; another way of writing gets another name."""

_write = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


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
    written = [
        FORMAT,
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
    return hashlib.sha256(_write(written).encode()).digest()


def find_break(request_id: UUID, history: Sequence[Entry], head: bytes | None) -> Break | None:
    """The first place where the chain does not hold; None when it proves itself.

    Entries at the beginning that are older than the chain prove nothing, and are no break.

    Args:
        history: in the order of its sequence.
        head: the hash that the request's own row keeps.
    """
    before: bytes | None = None
    for number, entry in enumerate(history, start=1):
        if entry.sequence != number:
            return Break(number, f"entry {number} is missing")
        if entry.hash is None and before is None:
            continue
        if entry.hash != hash_entry(request_id, entry, before):
            return Break(number, f"entry {number} is not what was written, or its hash is not")
        before = entry.hash
    if before != head:
        return Break(0, "the history does not end where the request says it does")
    return None


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
