"""A sample is reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.quality_audit.domain.timeliness import is_timely
from services.quality_audit.handlers.framing import SOURCE
from services.quality_audit.store import requests, samples
from services.quality_audit.store.samples import Review, Sample
from shared.clock import Clock
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload, is_code
from shared.contracts.quality import UNNAMED, ReviewCompleted
from shared.contracts.topics import QUALITY
from shared.errors import PunctualError
from shared.ids import new_id
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from shared.telemetry.context import child, current_trace


class ReviewRefused(PunctualError):
    """The review cannot be taken; the sample stays as it is."""


class SampleUnknown(ReviewRefused):
    """There is no such sample."""


class AlreadyReviewed(ReviewRefused):
    """The sample has another review, which is frozen."""


class OwnCase(ReviewRefused):
    """The reviewer worked on the request."""


@dataclass(frozen=True, slots=True)
class ReviewGiven:
    """What a reviewer says.

    Attributes:
        reviewer: by name, which may be an address.
        error_causes: sorted, each once.
        submitted_by: who sent it, a person or a service.
    """

    reviewer: str
    is_accurate: bool
    is_complete: bool
    error_causes: tuple[str, ...]
    submitted_by: str

    def repeats(self, review: Review) -> bool:
        """Whether it says what the review says already."""
        mine = (self.reviewer, self.is_accurate, self.is_complete, self.error_causes)
        return mine == (review.reviewer, review.is_accurate, review.is_complete, review.error_causes)


class Reviewing:
    def __init__(self, database: Database, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock

    async def review(self, sample_id: UUID, given: ReviewGiven) -> tuple[Sample, bool]:
        """Take the first review of a sample; the same one again changes nothing.

        Returns:
            The reviewed sample, and whether the review was new.

        Raises:
            SampleUnknown, AlreadyReviewed, OwnCase
        """
        async with self._database.transaction() as connection:
            return await self._review(connection, sample_id, given)

    async def _review(self, connection: Connection, sample_id: UUID, given: ReviewGiven) -> tuple[Sample, bool]:
        sample = await samples.find_sample(connection, sample_id)
        if sample is None:
            raise SampleUnknown(f"there is no sample {sample_id}")
        known = (await requests.lock_requests(connection, [sample.request_id]))[sample.request_id]
        sample = await _again(connection, sample_id)  # another reviewer may have been quicker to the lock
        if sample.review is not None:
            if given.repeats(sample.review):
                return sample, False
            raise AlreadyReviewed("the sample was reviewed, and a review is frozen when it is given")
        if await requests.is_handler(connection, sample.request_id, given.reviewer):
            raise OwnCase(f"{given.reviewer} worked on request {sample.reference}")
        clocks = await requests.clocks_of_requests(connection, [sample.request_id])
        review = Review(
            review_id=new_id(),
            reviewer=given.reviewer,
            is_accurate=given.is_accurate,
            is_complete=given.is_complete,
            is_timely=is_timely(sample.stretch.fates_of(clocks.get(sample.request_id, ()))),
            error_causes=given.error_causes,
            reviewed_at=self._clock.now(),
        )
        await samples.add_review(connection, sample_id, review, given.submitted_by)
        event = _review_completed(sample, review, known.events_said + 1)
        await self._outbox.append(connection, QUALITY, [event])
        await requests.count_events_said(connection, {sample.request_id: 1})
        return await _again(connection, sample_id), True


async def _again(connection: Connection, sample_id: UUID) -> Sample:
    """A sample that exists, for samples are never deleted."""
    sample = await samples.find_sample(connection, sample_id)
    assert sample is not None
    return sample


def _review_completed(sample: Sample, review: Review, sequence: int) -> Event[Payload]:
    trace = child(current_trace())
    now: datetime = review.reviewed_at
    return Event(
        id=new_id(),
        source=SOURCE,
        subject=sample.request_id,
        sequence=sequence,
        occurred_at=now,
        recorded_at=now,
        correlation_id=trace.correlation_id,
        traceparent=trace.traceparent,
        data=ReviewCompleted(
            review_id=review.review_id,
            sample_id=sample.sample_id,
            request_id=sample.request_id,
            reviewer=_told_name(review.reviewer),
            is_accurate=review.is_accurate,
            is_complete=review.is_complete,
            is_timely=review.is_timely,
            error_causes=review.error_causes,
        ),
    )


def _told_name(reviewer: str) -> str:
    """An address, and whatever else is no code, stays here: it would be personal data in an event."""
    return reviewer if is_code(reviewer) else UNNAMED
