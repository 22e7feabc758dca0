"""Samples and their reviews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.quality_audit.domain.selection import UnitId
from services.quality_audit.domain.timeliness import Stretch
from shared.contracts.payload import RequestKind
from shared.postgres import Connection, Record, load_statements

_STATEMENTS = load_statements(__name__)

BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer found.

    Attributes:
        submitted_by: who sent it, a person or a service.
        is_timely: from the clocks; None when they do not tell (yet).
    """

    review_id: UUID
    reviewer: str
    is_accurate: bool
    is_complete: bool
    is_timely: bool | None
    error_causes: tuple[str, ...]
    reviewed_at: datetime


@dataclass(frozen=True, slots=True)
class Sample:
    """A unit that is to be reviewed, or was.

    Attributes:
        rate: the probability with which it was chosen.
        ticket: the number that chose it, hexadecimal.
        stretch: when its unit was worked on.
    """

    sample_id: UUID
    request_id: UUID
    reference: str
    kind: RequestKind
    outcome: str
    period: str
    risk: str
    purpose: str
    rate: float
    ticket: str
    closed_at: datetime
    drawn_at: datetime
    stretch: Stretch
    review: Review | None

    @property
    def stratum(self) -> str:
        return f"{self.kind}.{self.risk}"


async def add_samples(connection: Connection, drawn: Sequence[tuple[UUID, UnitId]], drawn_at: datetime) -> None:
    await _STATEMENTS["insert_samples"].execute(
        connection,
        sample_ids=[sample_id for sample_id, _ in drawn],
        request_ids=[unit.request_id for _, unit in drawn],
        cycles=[unit.cycle for _, unit in drawn],
        drawn_at=drawn_at,
    )


async def find_sample(connection: Connection, sample_id: UUID) -> Sample | None:
    row = await _STATEMENTS["select_sample"].fetchrow(connection, sample_id=sample_id)
    return None if row is None else _sample(row)


async def list_samples(connection: Connection, *, is_reviewed: bool | None, after: UUID, limit: int) -> list[Sample]:
    """Oldest first, those after ``after``; ``is_reviewed`` None gives both sorts."""
    rows = await _STATEMENTS["select_samples"].fetch(connection, is_reviewed=is_reviewed, after=after, limit=limit)
    return [_sample(row) for row in rows]


async def add_review(connection: Connection, sample_id: UUID, review: Review, submitted_by: str) -> None:
    """A second review of the sample is refused by the schema."""
    await _STATEMENTS["insert_review"].execute(
        connection,
        review_id=review.review_id,
        sample_id=sample_id,
        reviewer=review.reviewer,
        submitted_by=submitted_by,
        is_accurate=review.is_accurate,
        is_complete=review.is_complete,
        is_timely=review.is_timely,
        error_causes=list(review.error_causes),
        reviewed_at=review.reviewed_at,
    )


def _sample(row: Record) -> Sample:
    return Sample(
        sample_id=row["sample_id"],
        request_id=row["request_id"],
        reference=row["reference"],
        kind=RequestKind(row["kind"]),
        outcome=row["outcome"],
        period=row["period"],
        risk=row["risk"],
        purpose=row["purpose"],
        rate=row["rate"],
        ticket=row["ticket"],
        closed_at=row["closed_at"],
        drawn_at=row["drawn_at"],
        stretch=Stretch(row["began_at"], row["ended_at"]),
        review=None if row["review_id"] is None else _review(row),
    )


def _review(row: Record) -> Review:
    return Review(
        review_id=row["review_id"],
        reviewer=row["reviewer"],
        is_accurate=row["is_accurate"],
        is_complete=row["is_complete"],
        is_timely=row["is_timely"],
        error_causes=tuple(row["error_causes"]),
        reviewed_at=row["reviewed_at"],
    )
