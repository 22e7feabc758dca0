"""Whether a target is shown, refuted, or not shown yet. Absence of proof is not green."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.quality_audit.domain.estimation import Cell, error_rate, interval, merge_empty
from services.quality_audit.domain.intervals import EVERYTHING, Interval, clopper_pearson, jeffreys


class Verdict(StrEnum):
    SHOWN = "shown"
    REFUTED = "refuted"
    NOT_SHOWN_YET = "not_shown_yet"


@dataclass(frozen=True, slots=True)
class Score:
    """The share of units without an error, as an estimate from a sample.

    Attributes:
        point: weighted estimate; None before the first review.
        displayed: two-sided interval at the plan's confidence (MOVER over Jeffreys limits).
        claimed: each limit holds by itself at that confidence (MOVER over Clopper-Pearson limits); the verdict's basis.
        reviewed, errors: plain counts; their quotient is no estimate where strata have different rates.
        merged: strata judged together because one of them had no review.
    """

    point: float | None
    displayed: Interval
    claimed: Interval
    reviewed: int
    errors: int
    target: float
    verdict: Verdict
    merged: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Census:
    """A share counted over every unit: it has no sampling error, so it is compared with the target as it is."""

    met: int
    missed: int
    target: float

    @property
    def point(self) -> float | None:
        judged = self.met + self.missed
        return self.met / judged if judged else None

    @property
    def verdict(self) -> Verdict:
        if self.point is None:
            return Verdict.NOT_SHOWN_YET
        return Verdict.SHOWN if self.point >= self.target else Verdict.REFUTED


def score(cells: Sequence[Cell], target: float, confidence: float) -> Score:
    """Judge the cells of one dimension, given in the order of the plan."""
    judged = merge_empty(cells)
    rate = error_rate(judged)
    beyond = 1.0 - confidence
    claimed = interval(judged, clopper_pearson, beyond).complement
    return Score(
        point=None if rate is None else 1.0 - rate,
        displayed=interval(judged, jeffreys, beyond / 2.0).complement,
        claimed=claimed,
        reviewed=sum(cell.reviewed for cell in judged),
        errors=sum(cell.errors for cell in judged),
        target=target,
        verdict=verdict_on(claimed, target),
        merged=tuple(cell.name for cell in judged if len(cell.name) > 1),
    )


def verdict_on(claimed: Interval, target: float) -> Verdict:
    """Where the target lies against one-sided limits; nothing is shown as long as nothing is known."""
    if claimed == EVERYTHING:
        return Verdict.NOT_SHOWN_YET
    if claimed.low >= target:
        return Verdict.SHOWN
    return Verdict.REFUTED if claimed.high < target else Verdict.NOT_SHOWN_YET
