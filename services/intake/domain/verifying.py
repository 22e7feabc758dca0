"""Whether a stored request proves itself: the chain of its history holds, and the history leads to the stored state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from services.intake.domain.chain import find_break
from services.intake.domain.life import replay
from services.intake.domain.record import RequestRecord


@dataclass(frozen=True, slots=True)
class Verdict:
    """Attributes:
    entries: of the history.
    unproved: entries at its beginning that are older than the chain.
    problems: what is wrong, a sentence each.
    """

    reference: str
    entries: int
    unproved: int
    problems: tuple[str, ...]


def verify(record: RequestRecord) -> Verdict:
    unproved = sum(entry.hash is None for entry in record.history)
    return Verdict(record.reference, len(record.history), unproved, tuple(_problems(record)))


def _problems(record: RequestRecord) -> Iterator[str]:
    found = find_break(record.request_id, record.history, record.head)
    if found is not None:
        yield found.message
    if record.history[0].hash is None:
        return  # before the chain the submission did not tell everything that the state holds
    try:
        replayed = replay(record.history)
    except ValueError as error:
        yield f"the history cannot be replayed: {error}"
        return
    for field in fields(replayed):
        told, stored = getattr(replayed, field.name), getattr(record.life, field.name)
        if told != stored:
            yield f"{field.name} is {stored!r} in the request and {told!r} by its history"
