"""Publishes the running figures as metrics, every few seconds of real time."""

from __future__ import annotations

import asyncio

from prometheus_client import Gauge

from services.quality_audit.domain.period import period_of
from services.quality_audit.domain.plan import Plan
from services.quality_audit.domain.verdict import Score
from services.quality_audit.handlers.figures import PeriodFigures, figures_of
from shared.clock import Clock
from shared.contracts.payload import RequestKind
from shared.errors import Retryable
from shared.postgres import Database
from shared.telemetry.logs import get_logger
from shared.waiting import first_of

_log = get_logger(__name__)

# Gauges read from the database, not counters: every process tells the same totals, and a restart forgets nothing.
FRAME = Gauge("punctual_quality_audit_frame", "Closed requests of the running period.", ["kind"])
DRAWN = Gauge("punctual_quality_audit_drawn", "Requests of the running period drawn for review.", ["kind"])
REVIEWED = Gauge("punctual_quality_audit_reviewed", "Drawn requests of the running period with a review.", ["kind"])
SCORE = Gauge(
    "punctual_quality_audit_score",
    "Share without an error in the running period; point, and lower and upper limit of its interval.",
    ["dimension", "kind", "bound"],  # 2 dimensions, 5 kinds and all, 3 bounds
)
TIMELINESS = Gauge(
    "punctual_quality_audit_timeliness", "Share of clocks met in the running period, a census.", ["kind"]
)

ALL_KINDS = "all"


class FiguresTicker:
    """A component."""

    def __init__(self, database: Database, plan: Plan, clock: Clock, every_seconds: float) -> None:
        self._database = database
        self._plan = plan
        self._clock = clock
        self._every_seconds = every_seconds

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await self.run_once()
            except Retryable as error:
                _log.warning("figures not updated, will repeat", error=str(error))
            await first_of(self._every_seconds, stopping)

    async def run_once(self) -> None:
        """Read the counts of the running period and set the gauges."""
        now = self._clock.now()
        async with self._database.connection() as connection:
            figures = await figures_of(connection, period_of(now), self._plan, now)
        for kind in (None, *RequestKind):
            _publish(figures.of_kind(kind), ALL_KINDS if kind is None else kind.value)


def _publish(figures: PeriodFigures, kind: str) -> None:
    FRAME.labels(kind).set(sum(stratum.frame for stratum in figures.strata))
    DRAWN.labels(kind).set(sum(stratum.drawn for stratum in figures.strata))
    REVIEWED.labels(kind).set(sum(stratum.reviewed for stratum in figures.strata))
    _publish_score("accuracy", kind, figures.accuracy)
    _publish_score("completeness", kind, figures.completeness)
    timeliness = figures.timeliness.point
    TIMELINESS.labels(kind).set(float("nan") if timeliness is None else timeliness)


def _publish_score(dimension: str, kind: str, score: Score) -> None:
    SCORE.labels(dimension, kind, "point").set(float("nan") if score.point is None else score.point)
    SCORE.labels(dimension, kind, "lower").set(score.displayed.low)
    SCORE.labels(dimension, kind, "upper").set(score.displayed.high)
