"""How often the data of requests are wrong: only what a person confirmed counts, never a doubt.

A record is wrong when at least one of its findings was confirmed. Records with a finding that nobody judged yet are in
neither part of the share: to count them as wrong would blame rules for their own doubts, to count them as right would
hide a backlog. Records that no rule doubted count as right, so the rate is that of errors which validation can see;
what it cannot see is for the reviewed samples of quality_audit. Requests that were refused never became records.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.intake.domain.anomalies.shares import Interval, wilson

TARGET = 0.005
"""Requirement Q6: data errors below 0.5 %."""


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one channel and kind in a span of time; no record is in two of the last three.

    Attributes:
        taken_in: all of them.
        confirmed: with a finding that a person confirmed as wrong.
        dismissed: with findings that all were dismissed.
        unjudged: with a finding that nobody judged, and none that was confirmed.
    """

    channel: str
    kind: str
    taken_in: int
    confirmed: int = 0
    dismissed: int = 0
    unjudged: int = 0

    def __post_init__(self) -> None:
        """Raises:
        ValueError: a number below 0, or more records with findings than were taken in.
        """
        parts = self.confirmed, self.dismissed, self.unjudged
        if min(parts) < 0 or sum(parts) > self.taken_in:
            raise ValueError(f"{self.taken_in} records cannot be divided into {parts}")


class Verdict(StrEnum):
    """Members:
    SHOWN: the whole interval lies below the target.
    REFUTED: the whole interval lies above it.
    NOT_SHOWN_YET: there are too few records to say.
    """

    SHOWN = "shown"
    REFUTED = "refuted"
    NOT_SHOWN_YET = "not_shown_yet"


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Attributes:
    records: those that were judged or never doubted.
    wrong: of them confirmed as wrong.
    dismissed: of them doubted without cause.
    unjudged: those in neither, still to be judged.
    interval: of the share, 95 %.
    """

    records: int
    wrong: int
    dismissed: int
    unjudged: int
    interval: Interval

    @property
    def share(self) -> float | None:
        """None when there is nothing to divide by."""
        return self.wrong / self.records if self.records else None

    @property
    def precision(self) -> Interval:
        """How many of the doubts that were judged were right, 95 %: what tells a good rule from a nuisance."""
        return wilson(self.wrong, self.wrong + self.dismissed)

    def verdict(self, target: float = TARGET) -> Verdict:
        """Whether the rate is shown to lie below the target."""
        if self.interval.high < target:
            return Verdict.SHOWN
        return Verdict.REFUTED if self.interval.low > target else Verdict.NOT_SHOWN_YET


def error_rates(records: Iterable[Records]) -> dict[tuple[str | None, str | None], ErrorRate]:
    """By channel and kind; None stands for all of them, so ``(None, None)`` is the whole house."""
    sums: dict[tuple[str | None, str | None], list[int]] = {(None, None): [0, 0, 0, 0]}
    for one in records:
        numbers = one.taken_in, one.confirmed, one.dismissed, one.unjudged
        for channel in (one.channel, None):
            for kind in (one.kind, None):
                before = sums.get((channel, kind), [0, 0, 0, 0])
                sums[channel, kind] = [a + b for a, b in zip(before, numbers, strict=True)]
    return {key: _rate(*numbers) for key, numbers in sums.items()}


def _rate(taken_in: int, confirmed: int, dismissed: int, unjudged: int) -> ErrorRate:
    judged = taken_in - unjudged
    return ErrorRate(judged, confirmed, dismissed, unjudged, wilson(confirmed, judged))
