"""A request that comes of another one: a part of it that goes its own way, or a complaint about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.intake.domain.chain import chain
from services.intake.domain.changes import Submitted
from services.intake.domain.history import Entry
from services.intake.domain.identity import Identity
from services.intake.domain.life import begin
from services.intake.domain.moves import Complain, Move, SplitOff
from services.intake.domain.process import Process
from services.intake.domain.record import RequestRecord
from shared.contracts.payload import AttributeValue, Priority, RequestKind


class Relation(StrEnum):
    """What one request is to another; each pair is told from both sides."""

    SPLIT_INTO = "split_into"
    SPLIT_FROM = "split_from"
    COMPLAINT = "complaint"
    ABOUT = "about"


@dataclass(frozen=True, slots=True)
class Branch:
    """A request to open beside another one of the same customer.

    Attributes:
        is_complaint: about the other one; else a part of it.
        description: what people wrote; never leaves intake.
        occurred_at: when the customer asked for it, business time.
    """

    request_id: UUID
    reference: str
    status_token: str = field(repr=False)
    is_complaint: bool
    kind: RequestKind
    product_line: str | None
    priority: Priority
    attributes: Mapping[str, AttributeValue]
    description: str | None = field(repr=False)
    occurred_at: datetime

    @property
    def move(self) -> Move:
        """What happens to the other request."""
        return Complain(self.request_id) if self.is_complaint else SplitOff(self.request_id)

    @property
    def relations(self) -> tuple[Relation, Relation]:
        """What it is to the other request, and what the other one is to it."""
        if self.is_complaint:
            return Relation.COMPLAINT, Relation.ABOUT
        return Relation.SPLIT_INTO, Relation.SPLIT_FROM


def open_branch(
    origin: RequestRecord,
    branch: Branch,
    process: Process,
    customer_id: UUID,
    *,
    recorded_at: datetime,
    by: str,
    cause: str | None = None,
) -> RequestRecord:
    """The record of the new request: customer, market, language and channel are the other one's.

    Args:
        customer_id: the other one's customer.
        cause: what made it happen besides the call.
    """
    change = Submitted(
        kind=branch.kind,
        process_version=process.version,
        stage=process.start,
        priority=branch.priority,
        product_line=branch.product_line,
        process=process.code,
        customer_tier=origin.life.customer_tier,
        attributes=branch.attributes,
        split_from=None if branch.is_complaint else origin.request_id,
        about=origin.request_id if branch.is_complaint else None,
    )
    identity = Identity(
        branch.request_id, branch.reference, origin.channel, origin.market, origin.language, customer_id
    )
    history = chain(identity, [Entry(1, change, branch.occurred_at, recorded_at, by, cause)])
    return RequestRecord(
        request_id=branch.request_id,
        reference=branch.reference,
        status_token=branch.status_token,
        channel=origin.channel,
        external_id=None,
        market=origin.market,
        language=origin.language,
        life=begin(change, branch.occurred_at),
        history=history,
        head=history[-1].hash,
    )
