"""What the reference reads from a history: terms, cycles, and when a clock stands still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla_timer.domain.facts import Facts
from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.domain.rules import LongestPause, Mode, Objective, Policy, Rulebook
from shared.rules.conditions import Among
from tests.model.reference_time import ALWAYS, CELL, SIGHT, Span, cell, joined, open_cells, walk

OVER = ("closed", "cancelled", "merged")
TERMS = ("changed", "policy_applied", "mode_changed")
Line = Sequence[tuple[int, RequestEvent]]


@dataclass
class Held:
    """Terms and from when they hold."""

    since: int
    facts: dict[str, Any]
    rulebook: Rulebook
    mode: Mode
    cause: str

    @property
    def policy(self) -> Policy:
        for policy in self.rulebook.policies:
            condition = policy.condition
            if not isinstance(condition, Among) or self.facts[condition.name] in condition.values:
                return policy
        raise AssertionError("a default policy always matches")

    def objective(self, code: str) -> Objective | None:
        return next((objective for objective in self.policy.objectives if objective.code == code), None)

    def hours(self, objective: Objective) -> bytearray:
        return open_cells(self.rulebook, objective.calendar)


@dataclass
class Cycle:
    start: int
    end: int | None = None
    is_cancelled: bool = False
    resets: list[int] = field(default_factory=list)


@dataclass
class Still:
    """When a cycle stands still.

    Attributes:
        cells: 1 where it does, apart from a pause without end.
        open_since: where that begins.
        alarms: where a pause has lasted as long as it may, and since when it had lasted.
    """

    cells: bytearray
    open_since: int | None
    alarms: list[Span]


def words_of(event: RequestEvent) -> set[str]:
    name = event.happening.value
    if name == "submitted":
        return {name, f"stage_entered:{event.value}"}
    words = {name} if event.value is None else {name, f"{name}:{event.value}"}
    before = (event.details or {}).get("from")
    return words | {"stage_left", f"stage_left:{before}"} if name == "stage_entered" and before else words


def find_terms(line: Line, facts: Facts, version: int, rulebooks: Mapping[int, Rulebook]) -> list[Held]:
    known = {name: getattr(facts, name) for name in ("kind", "market", "channel", "priority", "customer_tier")}
    terms = [Held(line[0][0], known, rulebooks[version], Mode.NORMAL, "submitted")]
    for at, event in line:
        name = event.happening.value
        if name not in TERMS:
            continue
        last, details = terms[-1], dict(event.details or {})
        held = Held(at, last.facts, last.rulebook, last.mode, name)
        if name == "changed":
            held.facts = {**last.facts, **details}
        elif name == "policy_applied":
            held.rulebook = rulebooks[details["version"]]
        else:
            held.mode = Mode(event.value or "normal")
        terms.append(held)
    return terms


def in_force(terms: Sequence[Held], at: int) -> Held:
    return [held for held in terms if held.since <= at][-1]


def find_cycles(line: Line, terms: Sequence[Held], code: str) -> dict[int, Cycle]:
    promising = [held for held in terms if held.objective(code) is not None]
    cycles: list[Cycle] = []
    is_open = is_over = False
    left: tuple[str | None, int] | None = None
    for at, event in line:
        name, words = event.happening.value, words_of(event)
        held = in_force(terms, at) if at >= promising[0].since else promising[0]
        objective = held.objective(code)
        if objective is None and is_open:
            cycles[-1].end, cycles[-1].is_cancelled, is_open = max(at, cycles[-1].start), True, False
        if name == "stage_left":
            left = event.value, at
        elif name == "stage_entered":
            before = (event.details or {}).get("from")
            left = left if left is not None and left[0] == before else (before, at)
        elif name == "reopened" and left is not None:
            left = left[0], at
        is_over = (is_over or name in OVER) and name != "reopened"
        if objective is None:
            continue
        if is_open:
            is_cancel = name in ("cancelled", "merged") or bool(words & objective.cancels)
            is_stop = bool(words & objective.stops)
            if is_cancel or is_stop or name == "closed":
                cycles[-1].end = max(at, cycles[-1].start)
                cycles[-1].is_cancelled = is_cancel or not is_stop
                is_open = False
            elif words & objective.resets:
                cycles[-1].resets.append(at)
        if not is_open and not is_over and words & objective.starts:
            start = left[1] if objective.from_previous_exit and left is not None else at
            cycles.append(Cycle(max([start, *(cycle.end for cycle in cycles if cycle.end is not None)])))
            is_open = True
    promised_at = promising[0].since if promising[0] is not terms[0] else None
    return {
        number: cycle
        for number, cycle in enumerate(cycles, start=1)
        if promised_at is None or cycle.end is None or cycle.end > promised_at
    }


def find_still(history: Sequence[RequestEvent], objective: Objective, hours: bytearray, end: int | None) -> Still:
    """Pair each beginning with the next end of the same sort, in the order in which they were told."""
    begun = cell(history[0].occurred_at)
    since: dict[str, int] = {}
    spans: list[Span] = []
    for event in history:
        at, name = max(begun, cell(event.occurred_at)), event.happening.value
        marks: list[tuple[str, bool]] = []
        if name in ("paused", "resumed") and objective.paused_by & {"*", str(event.value)}:
            marks.append((str(event.value), name == "paused"))
        for first, last in objective.paused_between:
            marks += [(f"between {first}", False)] if last in words_of(event) else []
            marks += [(f"between {first}", True)] if first in words_of(event) else []
        if name in ("closed", "cancelled", "merged"):
            marks += [(mark, False) for mark in since if not mark.startswith("between ")]
        for mark, begins in marks:
            if begins:
                since[mark] = min(at, since.get(mark, at))
            elif mark in since:
                spans.append((since.pop(mark), at))
    spans = joined([*spans, *((start, SIGHT) for start in since.values())])
    alarms: list[Span] = []
    if objective.longest_pause is not None:
        spans, alarms = limited(spans, objective.longest_pause, hours)
    cells = bytearray(SIGHT)
    for start, stop in spans:
        until = stop if end is None else min(stop, end)
        if until < SIGHT:
            cells[start:until] = b"\1" * (until - start)
    still_open = [start for start, stop in spans if stop == SIGHT and end is None]
    return Still(
        cells, still_open[0] if still_open else None, [alarm for alarm in alarms if end is None or alarm[0] < end]
    )


def limited(spans: Sequence[Span], longest: LongestPause, hours: bytearray) -> tuple[list[Span], list[Span]]:
    alarms: list[Span] = []
    kept: list[Span] = []
    for start, stop in spans:
        row = hours if longest.counts == "working" else ALWAYS
        limit = walk(start, longest.span // CELL, row, bytearray(SIGHT))
        assert limit is not None
        if limit < stop:
            alarms.append((limit, start))
        kept.append((start, min(stop, limit) if longest.resumes else stop))
    return joined(kept), alarms
