"""From reviewed units per stratum to a share of errors with limits.

The selected units of a stratum are a simple random sample of it, whatever its rate (the hash does not know what it
chooses), so each reviewed unit stands for ``frame / reviewed`` units. Limits of the strata are combined by MOVER: the
usual effective sample size calls a big quiet stratum certain and flatters in up to a fifth of the cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from services.quality_audit.domain.intervals import EVERYTHING, Interval, Method


@dataclass(frozen=True, slots=True)
class Cell:
    """Counts of one stratum, or of several that had to be merged.

    Attributes:
        group: cells of one group may be merged with each other (the request kind).
        name: of the stratum; several names after a merge.
        frame: closed requests in it.
        reviewed: those of them that were sampled and reviewed.
        errors: reviewed ones with an error.
    """

    group: str
    name: tuple[str, ...]
    frame: int
    reviewed: int
    errors: int

    @property
    def error_rate(self) -> float:
        """Of a cell with reviews."""
        return self.errors / self.reviewed

    def limits(self, method: Method, tail: float) -> Interval:
        if self.reviewed == 0:
            return EVERYTHING
        if self.reviewed >= self.frame:  # a census has no sampling error
            return Interval(self.error_rate, self.error_rate)
        return method(self.errors, self.reviewed, tail)


def merge_empty(cells: Sequence[Cell]) -> list[Cell]:
    """Give every cell without reviews to the one before it in its group, the first one to the one after it.

    Cells come in the order of the plan, riskiest first, so what nobody looked at is judged by its riskier neighbour.
    The rule is fixed beforehand: nobody can choose a merger by its result. A group without any review keeps one cell of
    which nothing is known. Cells without units vanish.
    """
    merged: list[Cell] = []
    for cell in cells:
        if cell.frame == 0:
            continue
        before = merged[-1] if merged else None
        if before is not None and before.group == cell.group and 0 in {before.reviewed, cell.reviewed}:
            merged[-1] = _together(before, cell)
        else:
            merged.append(cell)
    return merged


def error_rate(cells: Sequence[Cell]) -> float | None:
    """The weighted share of errors; units of which nothing is known count like the rest. None without any review."""
    known = [cell for cell in cells if cell.reviewed]
    units = sum(cell.frame for cell in known)
    if not units:
        return None
    return sum(cell.frame * cell.error_rate for cell in known) / units


def interval(cells: Sequence[Cell], method: Method, tail: float) -> Interval:
    """Limits of the weighted share of errors."""
    return mover(cells, [cell.limits(method, tail) for cell in cells])


def mover(cells: Sequence[Cell], limits: Sequence[Interval]) -> Interval:
    """The method of variance estimates recovery (Donner and Zou 2010) over the limits of each cell."""
    rate = error_rate(cells)
    if rate is None:
        return EVERYTHING
    units = sum(cell.frame for cell in cells)
    below = above = 0.0
    for cell, own in zip(cells, limits, strict=True):
        share = cell.frame / units
        own_rate = cell.error_rate if cell.reviewed else rate
        below += (share * (own_rate - own.low)) ** 2
        above += (share * (own.high - own_rate)) ** 2
    return Interval(max(0.0, rate - sqrt(below)), min(1.0, rate + sqrt(above)))


def _together(one: Cell, other: Cell) -> Cell:
    return Cell(
        one.group,
        one.name + other.name,
        one.frame + other.frame,
        one.reviewed + other.reviewed,
        one.errors + other.errors,
    )
