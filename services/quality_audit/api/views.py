"""What goes over the wire. Rates and shares are fractions, instants UTC."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, field_validator

from services.quality_audit.domain.verdict import Census, Score, Verdict
from services.quality_audit.handlers.figures import PeriodFigures
from services.quality_audit.handlers.proving import Proof
from services.quality_audit.store.samples import Review, Sample
from shared.contracts.payload import Code, Instant, RequestKind
from shared.http.access import is_name


def _check_name(name: str) -> str:
    if not is_name(name):
        raise ValueError("must have 1 to 128 characters, none of them a space or unprintable")
    return name


Name = Annotated[str, AfterValidator(_check_name), Field(min_length=1, max_length=128)]
"""Of a member of staff, as tokens give it."""


class ReviewIn(BaseModel):
    """A reviewer's finding on both dimensions; timeliness is taken from the clocks."""

    model_config = ConfigDict(extra="forbid")

    reviewer: Name | None = Field(
        None,
        description="Whose review it is; a program has to say, a member of staff need not. "
        "Nobody reviews a request he worked on.",
    )
    is_accurate: bool = Field(strict=True, description="No material error in what was decided, paid or answered.")
    is_complete: bool = Field(strict=True, description="Everything the kind requires is in the file.")
    error_causes: Annotated[list[Code], FailFast(), Field(max_length=20)] = []

    @field_validator("error_causes")
    @classmethod
    def _each_once(cls, causes: list[str]) -> list[str]:
        return sorted(set(causes))


class ReviewOut(BaseModel):
    id: UUID
    reviewer: str
    is_accurate: bool
    is_complete: bool
    is_timely: bool | None
    error_causes: list[str]
    reviewed_at: Instant

    @classmethod
    def of(cls, review: Review) -> ReviewOut:
        return cls(
            id=review.review_id,
            reviewer=review.reviewer,
            is_accurate=review.is_accurate,
            is_complete=review.is_complete,
            is_timely=review.is_timely,
            error_causes=list(review.error_causes),
            reviewed_at=review.reviewed_at,
        )


class SampleOut(BaseModel):
    id: UUID
    request_id: UUID
    reference: str
    kind: RequestKind
    outcome: str
    period: str
    stratum: str
    purpose: str
    rate: float = Field(description="The probability with which the request was chosen.")
    weight: float = Field(description="1 / rate: how many requests of its stratum it stands for.")
    ticket: str = Field(description="The number that chose it, 64 bits in hexadecimal.")
    closed_at: Instant
    drawn_at: Instant
    state: str
    review: ReviewOut | None

    @classmethod
    def of(cls, sample: Sample) -> SampleOut:
        return cls(
            id=sample.sample_id,
            request_id=sample.request_id,
            reference=sample.reference,
            kind=sample.kind,
            outcome=sample.outcome,
            period=sample.period,
            stratum=sample.stratum,
            purpose=sample.purpose,
            rate=sample.rate,
            weight=1.0 / sample.rate,
            ticket=sample.ticket,
            closed_at=sample.closed_at,
            drawn_at=sample.drawn_at,
            state="open" if sample.review is None else "reviewed",
            review=None if sample.review is None else ReviewOut.of(sample.review),
        )


class SamplePage(BaseModel):
    samples: list[SampleOut]
    after: UUID | None = Field(description="Give it as `after` for the next page; null on the last one.")


class ScoreOut(BaseModel):
    """An estimate from the sample, weighted by stratum."""

    point: float | None
    lower: float = Field(description="Of the two-sided interval (MOVER over Jeffreys limits).")
    upper: float
    claim_lower: float = Field(description="One-sided limit that the verdict rests on (MOVER over Clopper-Pearson).")
    claim_upper: float
    n: int = Field(description="Reviewed cases.")
    errors: int = Field(description="Reviewed cases with an error; a plain count, not an estimate.")
    target: float
    verdict: Verdict
    merged: list[list[str]] = Field(description="Strata judged together because one of them had no review.")

    @classmethod
    def of(cls, score: Score) -> ScoreOut:
        return cls(
            point=score.point,
            lower=score.displayed.low,
            upper=score.displayed.high,
            claim_lower=score.claimed.low,
            claim_upper=score.claimed.high,
            n=score.reviewed,
            errors=score.errors,
            target=score.target,
            verdict=score.verdict,
            merged=[list(names) for names in score.merged],
        )


class CensusOut(BaseModel):
    """Counted over every clock: no sample, no interval."""

    point: float | None
    met: int
    missed: int
    target: float
    verdict: Verdict

    @classmethod
    def of(cls, census: Census) -> CensusOut:
        return cls(
            point=census.point, met=census.met, missed=census.missed, target=census.target, verdict=census.verdict
        )


class TimelinessOut(CensusOut):
    by_objective: dict[str, CensusOut]


class StratumOut(BaseModel):
    """Plain counts of one stratum."""

    stratum: str
    rate: float
    frame: int
    drawn: int
    reviewed: int
    inaccurate: int
    incomplete: int


class ScoreCardOut(BaseModel):
    period: str
    kind: RequestKind | None
    as_of: Instant
    confidence: float
    plan_version: int
    accuracy: ScoreOut
    completeness: ScoreOut
    timeliness: TimelinessOut
    strata: list[StratumOut] | None = Field(
        description="null for who handles cases: how many were drawn, read after each closing, tells which."
    )

    @classmethod
    def of(cls, figures: PeriodFigures, kind: RequestKind | None, *, has_strata: bool) -> ScoreCardOut:
        return cls(
            period=figures.period,
            kind=kind,
            as_of=figures.as_of.astimezone(UTC),
            confidence=figures.plan.confidence,
            plan_version=figures.plan.version,
            accuracy=ScoreOut.of(figures.accuracy),
            completeness=ScoreOut.of(figures.completeness),
            timeliness=TimelinessOut(
                **CensusOut.of(figures.timeliness).model_dump(),
                by_objective={name: CensusOut.of(c) for name, c in figures.timeliness_by_objective.items()},
            ),
            strata=None
            if not has_strata
            else [
                StratumOut(
                    stratum=f"{s.kind}.{s.risk}",
                    rate=s.rate,
                    frame=s.frame,
                    drawn=s.drawn,
                    reviewed=s.reviewed,
                    inaccurate=s.inaccurate,
                    incomplete=s.incomplete,
                )
                for s in figures.strata
            ],
        )


class SummaryOut(BaseModel):
    closed: int
    sampled: int
    reviewed: int
    open: int


class DifferenceOut(BaseModel):
    request_id: UUID
    cycle: int
    what: str


class ProofOut(BaseModel):
    """Whether plan and secret explain every choice of the period."""

    period: str
    is_proved: bool
    plan_version: int
    plan_digest: str
    secret_commitment: str
    is_secret_committed: bool
    units: int
    sampled: int
    frame_digest: str
    sample_digest: str
    differing: int
    differences: list[DifferenceOut]

    @classmethod
    def of(cls, proof: Proof) -> ProofOut:
        return cls(
            period=proof.period,
            is_proved=proof.is_secret_committed and proof.differing == 0,
            plan_version=proof.plan_version,
            plan_digest=proof.plan_digest,
            secret_commitment=proof.secret_commitment,
            is_secret_committed=proof.is_secret_committed,
            units=proof.units,
            sampled=proof.sampled,
            frame_digest=proof.frame_digest,
            sample_digest=proof.sample_digest,
            differing=proof.differing,
            differences=[
                DifferenceOut(request_id=d.id.request_id, cycle=d.id.cycle, what=d.what) for d in proof.examples
            ],
        )
