"""What the notifier knows of a request and of a customer, from the events it heard in whatever order of topics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.payload import Language, Market, RequestKind


@dataclass(frozen=True, slots=True)
class Submission:
    """The part of a request that never changes.

    Attributes:
        recorded_at: business instant at which intake accepted it.
    """

    reference: str
    kind: RequestKind
    language: Language
    market: Market
    customer_id: UUID
    status_path: str
    correlation_id: str
    submitted_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class RequestView:
    """Attributes:
    submission: None while only a clock of the request was heard of.
    expected_cycle: of the clock that gave the expected time; 0 before any did.
    expected_started_at: when that clock began; None where it was heard of before this was kept.
    expected_revision: how often the expected time was set.
    reopened_at: the last time, when it occurred; None also where it was heard of before this was kept.
    ended_cycle: the last cycle of that clock that was over when the request last ended, as far as that was heard; 0
        before the first end.
    told_expected_at: what the customer was last told, in a message the relay took; None after a change that they may
        or may not have got.
    notice_sequence: of the last event the notifier said about this request.
    """

    request_id: UUID
    submission: Submission | None = None
    stage: str | None = None
    pause_reasons: frozenset[str] = frozenset()
    outcome: str | None = None
    cycle: int = 1
    expected_at: datetime | None = None
    expected_cycle: int = 0
    expected_started_at: datetime | None = None
    expected_revision: int = 0
    reopened_at: datetime | None = None
    ended_cycle: int = 0
    told_expected_at: datetime | None = None
    notice_sequence: int = 0

    @property
    def is_closed(self) -> bool:
        return self.outcome is not None

    @property
    def is_expected_of_before(self) -> bool:
        """The expected time is of a clock of before the reopening. A clock counts its cycles by itself, so that its
        number tells this only where an instant is missing.
        """
        if self.reopened_at is None or self.expected_started_at is None:
            return self.expected_cycle <= self.ended_cycle
        return self.expected_started_at < self.reopened_at

    @property
    def state(self) -> str:
        if self.is_closed:
            return "closed"
        return "paused" if self.pause_reasons else "open"


@dataclass(frozen=True, slots=True)
class Contact:
    """Attributes:
    version: 0 while nothing was heard; never falls, not even by an erasure, so that a replay cannot bring it back.
    """

    customer_id: UUID
    version: int = 0
    name: str | None = None
    email: str | None = None
    is_erased: bool = False
