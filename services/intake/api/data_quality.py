"""How often the data of requests are wrong, by what people confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.intake.api.context import CallerOf, ContextOf
from services.intake.api.filters import Instant
from services.intake.domain.anomalies.error_rate import TARGET, ErrorRate, Verdict, error_rates
from services.intake.domain.anomalies.shares import Interval
from services.intake.store.quarantine import count_records
from shared.http import FieldError, Problem, problem_responses
from shared.http.access import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["quarantine"])

_LONGEST = timedelta(days=366)
"""Every request of the span is counted; a year of them takes seconds."""


class IntervalView(BaseModel):
    low: float
    high: float


class RateView(BaseModel):
    channel: str | None = Field(description="null: all of them")
    kind: str | None = Field(description="null: all of them")
    records: int = Field(description="Never doubted, or judged")
    wrong: int = Field(description="With a finding that a person confirmed")
    dismissed: int = Field(description="Doubted without cause")
    unjudged: int = Field(description="Still to be judged; not among the records")
    share: float | None = Field(description="wrong / records; null without records")
    interval: IntervalView = Field(description="Of the share, 95 %")
    precision: IntervalView = Field(description="How many of the judged doubts were right, 95 %")
    verdict: Verdict


class DataQualityView(BaseModel):
    target: float
    rates: list[RateView] = Field(description="The whole house first, then by channel and kind")


@router.get(
    "/v1/data-quality",
    summary="The data-error rate of the requests submitted in a span",
    responses=problem_responses(401, 403, 422, 503),
)
async def data_quality(
    context: ContextOf,
    _: CallerOf,
    since: Annotated[Instant, Query(alias="from", description="Submitted from here on")],
    until: Annotated[Instant, Query(alias="to", description="and before this instant")],
) -> DataQualityView:
    if not timedelta() < until - since <= _LONGEST:
        wrong = FieldError(field="query:to", message="must lie after `from`, by a year at most")
        raise Problem(422, "invalid_fields", "Some fields are missing or wrong", errors=[wrong])
    async with context.database.connection() as connection:
        rates = error_rates(await count_records(connection, since, until))
    return view_rates(rates)


def view_rates(rates: Mapping[tuple[str | None, str | None], ErrorRate]) -> DataQualityView:
    """As a reader gets them."""
    ordered = sorted(rates.items(), key=lambda item: [name or "" for name in item[0]])
    return DataQualityView(target=TARGET, rates=[_view(channel, kind, rate) for (channel, kind), rate in ordered])


def _view(channel: str | None, kind: str | None, rate: ErrorRate) -> RateView:
    return RateView(
        channel=channel,
        kind=kind,
        records=rate.records,
        wrong=rate.wrong,
        dismissed=rate.dismissed,
        unjudged=rate.unjudged,
        share=rate.share,
        interval=_view_interval(rate.interval),
        precision=_view_interval(rate.precision),
        verdict=rate.verdict(),
    )


def _view_interval(interval: Interval) -> IntervalView:
    return IntervalView(low=interval.low, high=interval.high)
