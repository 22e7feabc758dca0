"""All that intake shows of a request: identity, state, history, deadlines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.intake.domain.chain import hash_entry
from services.intake.domain.changes import Reopened
from services.intake.domain.deadlines import Deadline
from services.intake.domain.doubts import Doubted
from services.intake.domain.history import Change, Entry
from services.intake.domain.life import Life, begin, evolve
from services.intake.domain.submission import Submission
from shared.contracts.payload import Language, Market
from shared.values import value


@dataclass(frozen=True, slots=True)
class Related:
    """Another request that belongs to this one.

    Attributes:
        relation: what the other one is to this one, such as ``absorbed`` or ``complaint``.
    """

    relation: str
    reference: str


@value
class RequestRecord:
    """One request at one instant. Holds no personal data but what a channel put into its own ``external_id``.

    Attributes:
        head: the hash of the last entry; None while no entry is chained.
    """

    request_id: UUID
    reference: str
    status_token: str = field(repr=False)
    channel: str
    external_id: str | None
    market: Market
    language: Language
    life: Life
    history: tuple[Entry, ...]
    head: bytes | None
    deadlines: tuple[Deadline, ...] = ()
    related: tuple[Related, ...] = ()

    @property
    def reopened_at(self) -> datetime | None:
        """When it was reopened last, as far as clocks go by it: nothing happens later than it was recorded."""
        for entry in reversed(self.history):
            if isinstance(entry.change, Reopened):
                return min(entry.occurred_at, entry.recorded_at)
        return None

    def after(
        self,
        changes: Iterable[Change],
        *,
        occurred_at: datetime,
        recorded_at: datetime,
        by: str,
        cause: str | None = None,
    ) -> RequestRecord:
        """The record with more entries; those after the first one say that the first one is their cause.

        Args:
            cause: of the first one, where it is not the call itself.
        """
        record = self
        for change in changes:
            life = evolve(record.life, change, occurred_at)
            entry = Entry(life.version, change, occurred_at, recorded_at, by, cause)
            head = hash_entry(record.request_id, entry, record.head)
            history = (*record.history, replace(entry, hash=head))
            record = replace(record, life=life, history=history, head=head)
            if life.version == self.life.version + 1:
                cause = f"entry:{life.version}"
        return record

    def entries_since(self, before: RequestRecord) -> tuple[Entry, ...]:
        """What was appended to ``before``."""
        return self.history[len(before.history) :]


def open_record(submission: Submission, doubted: Doubted | None = None) -> RequestRecord:
    """The record of a request that was just submitted. Not chained yet: its hashes cover whose it is, which only the
    transaction that takes it in finds out.

    Args:
        doubted: what was doubted when it came in; the second entry of its history.
    """
    change = submission.change()
    submitted_at, recorded_at, channel = submission.submitted_at, submission.recorded_at, submission.channel
    life = begin(change, submitted_at)
    history: tuple[Entry, ...] = (Entry(1, change, submitted_at, recorded_at, channel),)
    if doubted is not None:
        at = max(submitted_at, recorded_at)  # a channel's clock may run ahead of ours
        life = evolve(life, doubted, at)
        history = (*history, Entry(2, doubted, at, recorded_at, channel, "entry:1"))
    return RequestRecord(
        request_id=submission.request_id,
        reference=submission.reference,
        status_token=submission.status_token,
        channel=channel,
        external_id=submission.external_id,
        market=submission.market,
        language=submission.contact.language,
        life=life,
        history=history,
        head=None,
    )
