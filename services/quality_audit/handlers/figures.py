"""The running figures of a period, for the API and for the metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.quality_audit.domain.estimation import Cell
from services.quality_audit.domain.period import bounds_of
from services.quality_audit.domain.plan import Plan
from services.quality_audit.domain.verdict import Census, Score, score
from services.quality_audit.store import frame
from services.quality_audit.store.figures import FateCount, StratumCount, count_fates, count_strata
from shared.contracts.payload import RequestKind
from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """All counts of one period at one instant.

    Attributes:
        plan: the one the period began with; the one for new periods when nothing was closed in it yet.
        strata: in the order of the plan, riskiest first within each kind.
    """

    period: str
    plan: Plan
    as_of: datetime
    strata: tuple[StratumCount, ...]
    fates: tuple[FateCount, ...]

    def of_kind(self, kind: RequestKind | None) -> PeriodFigures:
        """Restricted to one kind; None restricts nothing."""
        if kind is None:
            return self
        strata = tuple(s for s in self.strata if s.kind is kind)
        return PeriodFigures(self.period, self.plan, self.as_of, strata, tuple(f for f in self.fates if f.kind is kind))

    @property
    def accuracy(self) -> Score:
        return self._score(lambda stratum: stratum.inaccurate, self.plan.targets.accuracy)

    @property
    def completeness(self) -> Score:
        return self._score(lambda stratum: stratum.incomplete, self.plan.targets.completeness)

    @property
    def timeliness(self) -> Census:
        return self._census(self.fates)

    @property
    def timeliness_by_objective(self) -> dict[str, Census]:
        objectives = sorted({count.objective for count in self.fates})
        return {name: self._census([c for c in self.fates if c.objective == name]) for name in objectives}

    def _score(self, errors: Callable[[StratumCount], int], target: float) -> Score:
        cells = [Cell(s.kind, (f"{s.kind}.{s.risk}",), s.frame, s.reviewed, errors(s)) for s in self.strata]
        return score(cells, target, self.plan.confidence)

    def _census(self, fates: Sequence[FateCount]) -> Census:
        return Census(sum(f.met for f in fates), sum(f.missed for f in fates), self.plan.targets.timeliness)


async def figures_of(connection: Connection, period: str, plan: Plan, as_of: datetime) -> PeriodFigures:
    """Count a period.

    Args:
        plan: serves where the period has none of its own yet.

    Raises:
        ValueError: the period is not written like ``2026Q4``.
    """
    begins_at, ends_at = bounds_of(period)
    opened = await frame.find_period(connection, period)
    if opened is not None:
        plan = opened.plan_text.plan
    kinds, risks = list(RequestKind), plan.risk_names
    strata = await count_strata(connection, period)
    strata.sort(key=lambda stratum: (kinds.index(stratum.kind), risks.index(stratum.risk)))
    fates = await count_fates(connection, begins_at, ends_at)
    return PeriodFigures(period, plan, as_of, tuple(strata), tuple(fates))
