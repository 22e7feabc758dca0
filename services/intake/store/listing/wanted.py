"""What a caller wants to see of the requests."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.intake.domain.deadlines import RESOLUTION
from services.intake.domain.life import State
from services.intake.domain.visibility import EVERYTHING, Visibility
from shared.contracts.payload import Market, Priority, RequestKind


class Order(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    DUE = "due"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Conditions that all have to hold; None asks for nothing.

    Attributes:
        visibility: which requests the caller sees.
        is_over: closed, cancelled or merged.
        customer: the id that the channel has for its customer; asks for ``channel``.
        submitted_from, changed_since, due_after: inclusive.
        submitted_to, due_before: exclusive.
        objective: whose deadline ``due_after``, ``due_before`` and the order by deadline mean.
        order: newest and oldest go by when requests were taken in, and by when they were submitted if a condition
            names that instant.
    """

    visibility: Visibility = EVERYTHING
    reference: str | None = None
    external_id: str | None = None
    customer: str | None = None
    channel: str | None = None
    kind: RequestKind | None = None
    state: State | None = None
    is_over: bool | None = None
    stage: str | None = None
    team: str | None = None
    handler: str | None = None
    market: Market | None = None
    priority: Priority | None = None
    process: str | None = None
    product_line: str | None = None
    submitted_from: datetime | None = None
    submitted_to: datetime | None = None
    due_after: datetime | None = None
    due_before: datetime | None = None
    changed_since: datetime | None = None
    objective: str = RESOLUTION
    order: Order = Order.NEWEST

    @property
    def asked(self) -> set[str]:
        """Names of the conditions that are there."""
        conditions = {field.name for field in fields(self)} - {"objective", "order"}
        return {name for name in conditions if getattr(self, name) not in {None, EVERYTHING}}

    @property
    def visible(self) -> str | None:
        """The only channel whose requests the caller sees; None: those of all."""
        return self.visibility.channel

    @property
    def is_of_others(self) -> bool:
        """Whether the conditions leave only requests that the caller does not see: nothing is looked for then."""
        return not self.visibility.shows(self.channel or self.visible or "", self.team)

    @property
    def is_about_submission(self) -> bool:
        return self.submitted_from is not None or self.submitted_to is not None

    @property
    def is_about_deadline(self) -> bool:
        return self.due_after is not None or self.due_before is not None

    @property
    def is_not_over(self) -> bool:
        """Only requests that are worked on, as far as the conditions say."""
        return self.is_over is False or self.state in {State.OPEN, State.PAUSED}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended.

    Attributes:
        at: the instant that the order goes by; None where it goes by the id alone.
        sequence: tells apart entries of one request at one instant, in the order by change.
    """

    request_id: UUID
    at: datetime | None = None
    sequence: int = 0
