"""What must stand on a request, reckoned from all its events at once: simple, slow, and nothing of the engine in it.

Only the data types of rules and histories are shared; every rule is read from the design anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.domain.rules import Budget, Rulebook, Rung, RungKey, RungKind
from tests.model.reference_history import Cycle, Held, Line, find_cycles, find_still, find_terms
from tests.model.reference_time import ALWAYS, CELL, CELLS_A_DAY, DAYS, ORIGIN, SIGHT, cell, instant, walk

MOST_REPETITIONS = 1000


@dataclass(frozen=True)
class Answer:
    """One cycle of one objective.

    Attributes:
        came: the rungs that have come, each with its instant.
    """

    state: str
    started_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    is_paused: bool
    came: dict[RungKey, datetime]


def reckon(
    history: Sequence[RequestEvent],
    facts: Facts,
    version: int,
    rulebooks: Mapping[int, Rulebook],
    at: datetime,
    only: str | None = None,
) -> dict[tuple[str, int], Answer]:
    """Every cycle, by objective and number.

    Args:
        history: in the order in which it was said, the submission first.
        facts, version: that the request began with.
        at: everything that came until then.
        only: this objective.
    """
    begun = cell(history[0].occurred_at)
    line = sorted(placed(history, begun), key=lambda entry: entry[0])
    terms = find_terms(line, facts, version, rulebooks)
    codes = {objective.code for held in terms for objective in held.policy.objectives}
    codes = codes if only is None else {only}
    found: dict[tuple[str, int], Answer] = {}
    for code in sorted(codes):
        for number, cycle in find_cycles(line, terms, code).items():
            found[code, number] = Reckoning(history, line, terms, code, cycle).answer(at)
    return found


def placed(history: Sequence[RequestEvent], begun: int) -> Iterator[tuple[int, RequestEvent]]:
    """When each happened: nothing before the submission, stages in the order in which they were said."""
    for number, event in enumerate(history):
        is_stage = event.happening.value.startswith("stage_")
        before = [each.occurred_at for each in history[:number] if each.happening.value.startswith("stage_")]
        yield max(begun, *(cell(at) for at in (event.occurred_at, *(before if is_stage else ())))), event


class Reckoning:
    """Reckons one cycle."""

    def __init__(
        self, history: Sequence[RequestEvent], line: Line, terms: Sequence[Held], code: str, cycle: Cycle
    ) -> None:
        self.history, self.code, self.cycle = history, code, cycle
        promising = [held for held in terms if held.objective(code) is not None]
        before = [held for held in promising if held.since <= cycle.start]
        self._take(before[-1] if before else promising[0])
        self.mode = self.held.mode
        self.budget = self.objective.budget_in(self.mode)
        self.anchor = self.moved = cycle.start
        self.extra = 0.0
        self.due = self._spent()
        if self.held.since > cycle.start:
            self.moved = self.held.since
            self.due = None if self.due is None else max(self.due, self.moved)
        changes: list[tuple[int, Held | str | float]] = [
            (held.since, held) for held in terms if held.since > cycle.start
        ]
        changes += [(at, "reset") for at in cycle.resets]
        changes += [
            (at, (event.details or {})["seconds"] / 900)
            for at, event in line
            if event.happening.value == "extended" and event.value == code and at >= cycle.start
        ]
        for at, what in sorted(changes, key=lambda change: change[0]):
            if (self.due is not None and self.due <= at) or (cycle.end is not None and at >= cycle.end):
                break
            self._change(at, what)

    def _take(self, held: Held) -> None:
        objective = held.objective(self.code)
        assert objective is not None
        self.held, self.objective, self.hours = held, objective, held.hours(objective)
        self.still = find_still(self.history, objective, self.hours, self.cycle.end)

    def _change(self, at: int, what: Held | str | float) -> None:
        counted = self._counted()
        if isinstance(what, Held):
            if what.objective(self.code) is None:
                return
            self._take(what)
            if self.objective.modes_move_running:
                self.mode = what.mode
            budget = self.objective.budget_in(self.mode)
            if what.cause == "changed" and self.objective.restarts_on_change and budget != self.budget:
                self.anchor, self.extra = at, 0.0
            self.budget = budget
        elif isinstance(what, str):
            self.anchor, self.extra = at, 0.0
        else:
            self.extra += what
        if self._counted() == counted:
            return
        due = self._spent()
        due = None if due is None else max(due, at)
        if due is None or due != self.due:
            self.due, self.moved = due, at

    def _counted(self) -> tuple[Any, ...]:
        return self.anchor, self.budget, self.extra, self.still, self.hours

    def _spent(self) -> int | None:
        return self._known(self._spend())

    def _spend(self) -> int | None:
        if self.budget.kind != "days":
            return walk(self.anchor, self.budget.span / CELL + self.extra, self._row(), self.still.cells)
        at = self._days(self.budget)
        return at if at is None else walk(at, self.extra, self.hours, self.still.cells)

    def _row(self) -> bytearray:
        return ALWAYS if self.budget.kind == "elapsed" else self.hours

    def _known(self, at: int | None) -> int | None:
        """Nothing is known beyond a pause without end."""
        if at is None or (self.still.open_since is not None and at > self.still.open_since):
            return None
        return at

    def _days(self, budget: Budget) -> int | None:
        """The same time of day so many working days later, and as much later again as was lost to pauses."""
        hours, still = self.hours, self.still.cells
        received = next(at for at in range(self.anchor, SIGHT) if hours[at])
        day = received // CELLS_A_DAY
        later = [n for n in range(day + 1, DAYS) if any(hours[n * CELLS_A_DAY : (n + 1) * CELLS_A_DAY])]
        first = received if budget.days == 0 else later[budget.days - 1] * CELLS_A_DAY + received % CELLS_A_DAY
        first = next(at for at in range(first, SIGHT) if hours[at])
        owed = sum(hours[received:first])
        at, counted = received, 0
        while at < first or counted < owed or not hours[at] or (still[at] and still[at - 1]):
            counted += hours[at] and not still[at]
            at += 1
            if at >= SIGHT:
                return None
        if not budget.is_end_of_day:
            return at
        while True:
            midnight = at - at % CELLS_A_DAY
            closing = max(n for n in range(midnight, midnight + CELLS_A_DAY) if hours[n]) + 1
            if not still[closing - 1]:
                return closing
            resumed = next(n for n in range(closing, SIGHT) if not still[n])
            at = next(n for n in range(resumed, SIGHT) if hours[n])

    def answer(self, at: datetime) -> Answer:
        now = (at - ORIGIN) // CELL
        cycle, due = self.cycle, self.due
        came: dict[RungKey, datetime] = {}
        for key, where in self._rungs(now if cycle.end is None else cycle.end):
            if where is not None and (where <= now if cycle.end is None else where < cycle.end):
                came[key] = instant(where)
        is_open = self.still.open_since is not None and self.still.open_since <= now
        is_paused = cycle.end is None and (is_open or bool(self.still.cells[now]))
        if cycle.end is not None:
            assert due is not None
            state = "cancelled" if cycle.is_cancelled else "met" if cycle.end <= due else "missed"
        elif due is not None and due <= now:
            state = "breached"
        else:
            state = "paused" if is_paused else "running"
        ended_at = instant(cycle.end) if cycle.end is not None else None
        return Answer(state, instant(cycle.start), None if due is None else instant(due), ended_at, is_paused, came)

    def _rungs(self, until: int) -> list[tuple[RungKey, int | None]]:
        found: list[tuple[RungKey, int | None]] = []
        for rung in self.objective.ladder:
            if rung.kind == "warning":
                warned = self._warning(rung)
                found.append((RungKey(rung.kind, rung.level), None if warned is None else max(warned, self.moved)))
            elif rung.kind == "breach":
                found.append((RungKey(rung.kind, 1), self.due))
            elif self.due is not None:
                found += self._escalations(rung, self.due, until)
        for level, (at, since) in enumerate(self.still.alarms, start=1):
            if at >= self.cycle.start and (self.cycle.end is None or since < self.cycle.end):
                found.append((RungKey(RungKind.PAUSE_ALARM, level), at))
        return found

    def _warning(self, rung: Rung) -> int | None:
        if rung.fraction is None:
            return self._before(rung)
        if self.budget.kind != "days":
            count = (self.budget.span / CELL + self.extra) * rung.fraction
            return self._known(walk(self.anchor, count, self._row(), self.still.cells))
        whole = self._spend()
        if whole is None:
            return None
        count = sum(
            h and not s
            for h, s in zip(self.hours[self.anchor : whole], self.still.cells[self.anchor : whole], strict=True)
        )
        return self._known(walk(self.anchor, count * rung.fraction, self.hours, self.still.cells))

    def _before(self, rung: Rung) -> int | None:
        """Pauses are not left out on the way back: the span is what is left to the person who is warned.

        Where the deadline is not known any more, the one that held when the clock came to stand still counts.
        """
        due = self.due if self.due is not None else self._spend()
        if due is None:
            return None
        row = ALWAYS if rung.counts == "elapsed" else self.hours
        at, left = due, -rung.after // CELL
        while left > 0 and at > self.cycle.start:
            at -= 1
            left -= row[at]
        return self._known(at)

    def _escalations(self, rung: Rung, due: int, until: int) -> list[tuple[RungKey, int | None]]:
        row = ALWAYS if rung.counts == "elapsed" else self.hours
        found: list[tuple[RungKey, int | None]] = []
        times = 1 if rung.every is None else min(rung.times or MOST_REPETITIONS, MOST_REPETITIONS)
        for number in range(times):
            span = rung.after + number * (rung.every or timedelta(0))
            at = self._known(walk(due, span / CELL, row, self.still.cells))
            if at is None:
                break
            found.append((RungKey(rung.kind, rung.level + number), at))
            if at > until:
                break
        return found
