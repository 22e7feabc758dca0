"""All that intake shows of a request: identity, state, history, deadlines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.intake.domain.changes import Change, Entry
from services.intake.domain.deadlines import Deadline
from services.intake.domain.life import Life, begin, evolve
from services.intake.domain.submission import Submission
from shared.contracts.payload import Language, Market, Priority, RequestKind


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request at one instant. Holds no personal data but what a channel put into its own ``external_id``."""

    request_id: UUID
    reference: str
    status_token: str = field(repr=False)
    channel: str
    external_id: str | None
    kind: RequestKind
    process_version: int
    product_line: str | None
    priority: Priority
    market: Market
    language: Language
    life: Life
    history: tuple[Entry, ...]
    deadlines: tuple[Deadline, ...] = ()

    def after(self, change: Change, *, occurred_at: datetime, recorded_at: datetime, by: str) -> RequestRecord:
        """The record with one more entry."""
        life = evolve(self.life, change, occurred_at)
        entry = Entry(life.version, change, occurred_at, recorded_at, by)
        return replace(self, life=life, history=(*self.history, entry))


def open_record(submission: Submission) -> RequestRecord:
    """The record of a request that was just submitted."""
    change = submission.change()
    entry = Entry(1, change, submission.submitted_at, submission.recorded_at, submission.channel)
    return RequestRecord(
        request_id=submission.request_id,
        reference=submission.reference,
        status_token=submission.status_token,
        channel=submission.channel,
        external_id=submission.external_id,
        kind=submission.kind,
        process_version=submission.process_version,
        product_line=submission.product_line,
        priority=submission.priority,
        market=submission.market,
        language=submission.contact.language,
        life=begin(change, submission.submitted_at),
        history=(entry,),
    )
