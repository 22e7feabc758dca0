"""What quality_audit says. Subject and key: the request id. Source: ``/punctual/quality_audit``."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.contracts.payload import Code, Payload, ShortText

UNNAMED = "unnamed"


class SampleDrawn(Payload):
    """A closed request was chosen for review."""

    TYPE: ClassVar[str] = "punctual.sample.drawn"

    sample_id: UUID
    request_id: UUID
    reference: ShortText
    stratum: Code
    rate: float
    """The probability with which requests of this stratum are chosen; its inverse is the weight."""
    period: Code
    purpose: Code = "estimate"


class ReviewCompleted(Payload):
    """A reviewer scored a sampled request. Timeliness is taken from the clocks, not judged."""

    TYPE: ClassVar[str] = "punctual.review.completed"

    review_id: UUID
    sample_id: UUID
    request_id: UUID
    reviewer: Code
    """A staff id; ``unnamed`` where the name is no code, such as an address, which quality_audit keeps to itself."""
    is_accurate: bool
    is_complete: bool
    is_timely: bool | None
    error_causes: tuple[Code, ...] = ()


PAYLOADS: tuple[type[Payload], ...] = (SampleDrawn, ReviewCompleted)
