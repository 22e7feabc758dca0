"""Repeats and gaps, told by the sequence number each source gives per subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.inbox.received import Received
from shared.kafka.records import Record
from shared.postgres.database import Connection

_LOAD = """
SELECT s.source, s.subject, s.last_sequence
FROM unnest($1::text[], $2::uuid[]) AS wanted (source, subject)
JOIN inbox_sequence AS s USING (source, subject)
"""
_STORE = """
INSERT INTO inbox_sequence (source, subject, last_sequence)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[])
ON CONFLICT (source, subject) DO UPDATE SET last_sequence = excluded.last_sequence
"""

Subject = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch after the comparison with what was handled before.

    Attributes:
        fresh: to be handled, in order.
        repeats: what was dropped.
        gaps: those of the fresh whose predecessor never came.
        last: the new last sequence per source and subject.
    """

    fresh: tuple[Received, ...]
    repeats: tuple[Record, ...]
    gaps: tuple[Record, ...]
    last: dict[Subject, int]


def sort_out(batch: Sequence[Received], last: dict[Subject, int]) -> Sorted:
    """Pure. A replayed dead letter is fresh whatever its sequence; a tombstone has none."""
    fresh: list[Received] = []
    repeats: list[Record] = []
    gaps: list[Record] = []
    seen: dict[Subject, int] = {}
    for received in batch:
        event = received.event
        if not isinstance(event, Event) or received.replay_of is not None:
            fresh.append(received)
            continue
        subject = (event.source, event.subject)
        known = seen.get(subject, last.get(subject, 0))
        if event.sequence <= known:
            repeats.append(received.record)
            continue
        if event.sequence > known + 1:
            gaps.append(received.record)
        seen[subject] = event.sequence
        fresh.append(received)
    return Sorted(tuple(fresh), tuple(repeats), tuple(gaps), seen)


class Sequences(Protocol):
    """Remembers the last sequence of each source and subject, in the transaction that handles the events."""

    async def load_last(self, connection: Connection, events: Sequence[Event[Payload]]) -> dict[Subject, int]:
        """The last sequence of every subject in ``events`` that was heard of before.

        The partitions of the events are locked, so nobody else moves these.
        """

    async def store_last(self, connection: Connection, last: dict[Subject, int]) -> None:
        """Remember new ones; called after the handler, whatever it rejected."""


class SequenceTable:
    """Keeps them in the table ``inbox_sequence``."""

    async def load_last(self, connection: Connection, events: Sequence[Event[Payload]]) -> dict[Subject, int]:
        subjects = {(event.source, event.subject) for event in events}
        if not subjects:
            return {}
        rows = await connection.fetch(_LOAD, [source for source, _ in subjects], [subject for _, subject in subjects])
        return {(row["source"], row["subject"]): row["last_sequence"] for row in rows}

    async def store_last(self, connection: Connection, last: dict[Subject, int]) -> None:
        if last:
            ordered = sorted(last.items(), key=lambda item: (item[0][0], item[0][1].bytes))
            await connection.execute(
                _STORE, [s[0] for s, _ in ordered], [s[1] for s, _ in ordered], [sequence for _, sequence in ordered]
            )
