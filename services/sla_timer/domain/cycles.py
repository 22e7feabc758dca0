"""The cycles of an objective on a request: when each began and how it ended, by the words of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.sla_timer.domain.case import Case, Terms, Timeline
from services.sla_timer.domain.history import Happening, RequestEvent
from services.sla_timer.domain.rules import Objective

NOT_PROMISED = "not_promised"
"""Why a clock is cancelled whose objective the policy that holds now does not have."""


@dataclass(slots=True)
class Cycle:
    """One stretch between a start and an end.

    Attributes:
        number: 1, 2, 3, ...
        ended_at: the stop or the cancellation; None while it is open.
        is_cancelled: it ended without a verdict.
        cause: the outcome or reason of what ended it.
        reset_ats: when the count began anew.
    """

    number: int
    started_at: datetime
    ended_at: datetime | None = None
    is_cancelled: bool = False
    cause: str | None = None
    reset_ats: list[datetime] = field(default_factory=list)

    def end(self, at: datetime, cause: str | None, *, is_cancelled: bool) -> None:
        self.ended_at = max(at, self.started_at)
        self.cause = cause
        self.is_cancelled = is_cancelled


def find_cycles(case: Case, code: str) -> list[Cycle]:
    """Every cycle of an objective, in order; the last one may be open.

    An event stops before it starts, so one word can end a cycle and begin the next. A request that is over starts
    nothing until it is reopened. An objective that only later terms promise is read over the whole history, since time
    already spent counts; cycles that had ended before it was promised never were.
    """
    reader: CycleReader | None = case.remembered.get(code)
    if reader is None:
        reader = case.remembered[code] = CycleReader(case.terms, code)
    return reader.read_on(case.timeline)


class CycleReader:
    """Walks over a timeline, and goes on where it stopped when that has grown while the terms stayed the same.

    Attributes:
        cycles: those found so far.
    """

    def __init__(self, terms: Sequence[Terms], code: str) -> None:
        promises = [held.policy.objective(code) for held in terms]
        first = next((number for number, objective in enumerate(promises) if objective is not None), len(terms))
        self.cycles: list[Cycle] = []
        self._terms = terms[first:]  # none when late news has shown that what promised it never applied
        self._promised_at = self._terms[0].from_at if first and self._terms else None
        self._objective = promises[first] if self._terms else None
        self._code = code
        self._open: Cycle | None = None
        self._is_over = False
        self._read = 0
        self._left: tuple[str | None, datetime] | None = None  # the stage left last, and when

    def read_on(self, timeline: Timeline) -> list[Cycle]:
        """Read what has been added since the last time; gives the cycles."""
        has_changes = len(self._terms) > 1
        for at, event in timeline[self._read :]:
            if has_changes:
                self._follow(at)
            self.read(at, event)
        self._read = len(timeline)
        promised_at = self._promised_at
        if promised_at is None:
            return self.cycles
        return [cycle for cycle in self.cycles if cycle.ended_at is None or cycle.ended_at > promised_at]

    def _follow(self, at: datetime) -> None:
        """Other terms may hold from here on."""
        holding = [held for held in self._terms if held.from_at <= at]
        self._objective = (holding[-1] if holding else self._terms[0]).policy.objective(self._code)
        if self._objective is None and self._open is not None:
            self._open.end(at, NOT_PROMISED, is_cancelled=True)
            self._open = None

    def read(self, at: datetime, event: RequestEvent) -> None:
        objective, words, happening = self._objective, event.meaning.words, event.happening
        if happening is Happening.STAGE_ENTERED or happening is Happening.STAGE_LEFT:
            self._note_exit(at, event)
        if event.meaning.ends_request:
            self._is_over = True
        elif happening is Happening.REOPENED:
            self._is_over = False
            if self._left is not None:
                self._left = self._left[0], at  # nobody was to work on it while it was closed
        if objective is None:
            return
        if self._open is not None:
            self._end(objective, at, event)
        if self._open is None and not self._is_over and not words.isdisjoint(objective.starts):
            begins = self._left[1] if objective.from_previous_exit and self._left is not None else at
            if self.cycles and self.cycles[-1].ended_at is not None:
                begins = max(begins, self.cycles[-1].ended_at)  # no time counts twice
            self._open = Cycle(len(self.cycles) + 1, begins)
            self.cycles.append(self._open)

    def _note_exit(self, at: datetime, event: RequestEvent) -> None:
        """Entering a stage leaves the one before, unless that was left already."""
        if event.happening is Happening.STAGE_LEFT:
            self._left = event.value, at
        else:
            before = (event.details or {}).get("from")
            if self._left is None or self._left[0] != before:
                self._left = before, at

    def _end(self, objective: Objective, at: datetime, event: RequestEvent) -> None:
        assert self._open is not None
        words = event.words
        cancels = event.happening in (Happening.CANCELLED, Happening.MERGED) or not words.isdisjoint(objective.cancels)
        stops = not words.isdisjoint(objective.stops)
        if cancels or stops or event.happening is Happening.CLOSED:
            self._open.end(at, event.value or event.happening.value, is_cancelled=cancels or not stops)
            self._open = None
        elif not words.isdisjoint(objective.resets):
            self._open.reset_ats.append(at)
