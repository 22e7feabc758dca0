"""The log of changes: the entries of all histories, in an order in which nothing appears behind a reader.

It goes by the number of the transaction that wrote an entry. Transactions commit in another order than they got their
numbers, so only those are read below which none is still open (record 0002 has the same trouble with ids). A
transaction that stays open holds the readers up, and nothing is lost; Postgres ends an idle one after ten seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.changes import ProcessChanged, StageEntered, Submitted
from services.intake.domain.life import State
from services.intake.store.lookups import state_of
from shared.contracts.payload import RequestKind
from shared.postgres import Connection, load_statements

_LOWEST = UUID(int=0)

_STAGE_TYPES = [Submitted.TYPE, StageEntered.TYPE, ProcessChanged.TYPE]
"""Entries that name the stage that a request is in from then on. ``assigned`` may name a team."""

_STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """How far a reader has come.

    Attributes:
        transaction_id: its number, with the epoch, so it never starts again.
    """

    transaction_id: int
    request_id: UUID = _LOWEST
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Who has a request, and where in its process it is."""

    team: str | None
    stage: str


@dataclass(frozen=True, slots=True)
class RequestChange:
    """An entry of a history, with the request as it is now, which may be later.

    Attributes:
        type: what changed: ``assigned``, ``stage_entered``, ...
        before, after: where it was before the entry and after it; of a submission both are where it began.
        sequence: of the entry.
    """

    mark: Mark
    type: str
    recorded_at: datetime
    reference: str
    kind: RequestKind
    channel: str
    version: int
    state: State
    now: Whereabouts
    before: Whereabouts
    after: Whereabouts

    @property
    def request_id(self) -> UUID:
        return self.mark.request_id

    @property
    def sequence(self) -> int:
        return self.mark.sequence


async def find_newest(connection: Connection) -> Mark:
    """Where a reader begins who wants only what comes from now on."""
    return Mark(await _STATEMENTS["newest_transaction"].fetchval(connection))


async def read_changes(connection: Connection, after: Mark, count: int) -> Sequence[RequestChange]:
    """The next ones, at most ``count``."""
    rows = await _STATEMENTS["read_changes"].fetch(
        connection,
        transaction_id=after.transaction_id,
        request_id=after.request_id,
        sequence=after.sequence,
        count=count,
        stage_types=_STAGE_TYPES,
    )
    return [
        RequestChange(
            mark=Mark(row["transaction_id"], row["request_id"], row["sequence"]),
            type=row["type"],
            recorded_at=row["recorded_at"],
            reference=row["reference"],
            kind=RequestKind(row["kind"]),
            channel=row["channel"],
            version=row["version"],
            state=state_of(row["ended_as"], row["pause_reasons"]),
            now=Whereabouts(row["team"], row["stage"]),
            before=Whereabouts(row["team_before"], row["stage_before"]),
            after=Whereabouts(row["team_after"], row["stage_after"]),
        )
        for row in rows
    ]
