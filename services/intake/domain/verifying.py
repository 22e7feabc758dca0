"""Whether a stored request proves itself: the chain of its history holds, and the history leads to what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from uuid import UUID

from services.intake.domain.branching import Relation
from services.intake.domain.chain import find_break, is_identified
from services.intake.domain.changes import (
    Absorbed,
    Attached,
    Complained,
    Merged,
    MessageReceived,
    Noted,
    Split,
    Submitted,
)
from services.intake.domain.history import Change
from services.intake.domain.identity import Identity, hash_external_id
from services.intake.domain.life import replay
from services.intake.domain.record import RequestRecord

Link = tuple[str, UUID]
"""What another request is to this one, and which."""

_WRITTEN = (Noted, MessageReceived, Attached)
"""People always write something with these."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A request as it lies in the tables.

    Attributes:
        identity: as its row says it.
        salt: of the external id; None where it has none, and once it is erased.
        unchained: how many entries were there before the chain was.
        is_erased: what was held on its customer was destroyed.
        links: the requests that belong to it.
        written: sequences of the entries with which something is kept that people wrote.
    """

    record: RequestRecord
    identity: Identity
    salt: bytes | None = field(repr=False)
    unchained: int
    is_erased: bool
    links: frozenset[Link]
    written: frozenset[int]


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


def verify(stored: Stored) -> Verdict:
    record = stored.record
    return Verdict(record.reference, len(record.history), _unproved(stored), tuple(_problems(stored)))


def _problems(stored: Stored) -> Iterator[str]:
    record = stored.record
    if not record.history:
        yield "there is no history"
        return
    if _unproved(stored) != stored.unchained:
        yield f"{_unproved(stored)} entries have no hash, and {stored.unchained} are older than the chain"
    found = find_break(stored.identity, record.history, record.head)
    if found is not None:
        yield found.message
    if is_identified(stored.identity, record.history):
        yield from _problems_of_external_id(stored)
    yield from _problems_of_links(stored)
    yield from _problems_of_texts(stored)
    if record.history[0].hash is None:
        return  # before the chain the submission did not tell everything that the state holds
    try:
        replayed = replay(record.history)
    except ValueError as error:
        yield f"the history cannot be replayed: {error}"
        return
    for one in fields(replayed):
        told, kept = getattr(replayed, one.name), getattr(record.life, one.name)
        if told != kept:
            yield f"{one.name} is {kept!r} in the request and {told!r} by its history"


def _unproved(stored: Stored) -> int:
    return sum(entry.hash is None for entry in stored.record.history)


def _problems_of_external_id(stored: Stored) -> Iterator[str]:
    external_id, proof = stored.record.external_id, stored.identity.external_id_hash
    if external_id is None:
        if proof is not None and not stored.is_erased:
            yield "the external id is gone, and its customer was not erased"
    elif stored.salt is None or hash_external_id(stored.salt, external_id) != proof:
        yield "the external id is not the one that the request came with"


def _problems_of_links(stored: Stored) -> Iterator[str]:
    told = frozenset(link for entry in stored.record.history for link in _links_of(entry.change))
    for relation, other in sorted(told - stored.links):
        yield f"the history tells of {relation} {other}, and the link is gone"
    for relation, other in sorted(stored.links - told):
        yield f"a link says {relation} {other}, and the history tells nothing of it"


def _links_of(change: Change) -> Iterator[Link]:
    match change:
        case Submitted(split_from=UUID() as other):
            yield Relation.SPLIT_FROM, other
        case Submitted(about=UUID() as other):
            yield Relation.ABOUT, other
        case Split(other):
            yield Relation.SPLIT_INTO, other
        case Complained(other):
            yield Relation.COMPLAINT, other
        case Merged(other):
            yield "merged_into", other
        case Absorbed(other):
            yield "absorbed", other


def _problems_of_texts(stored: Stored) -> Iterator[str]:
    if stored.is_erased:
        return
    for entry in stored.record.history:
        is_written = isinstance(entry.change, _WRITTEN) and entry.hash is not None  # texts are as old as the chain
        if is_written and entry.sequence not in stored.written:
            yield f"what people wrote with entry {entry.sequence} is gone"
