"""Reads the ladder of an objective: warnings, the breach, escalations, and the longest pause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from services.sla_timer.domain.rules import BudgetKind, LongestPause, Rung, RungKind
from services.sla_timer.domain.spans import read_counted_span
from shared.rules.document import Field
from shared.rules.words import read_truth, roles_of

MOST_RUNGS = 50
SHORTEST_REPETITION = timedelta(minutes=1)
_MOST_TIMES = 1000


def read_ladder(members: Mapping[str, Field]) -> tuple[Rung, ...]:
    """Warnings, the breach and escalations, each in the order they come as far as that can be told beforehand."""
    if "warning" in members and "warnings" in members:
        raise members["warning"].fail("give `warning` or `warnings`, not both")
    warnings: list[Field] = []
    if "warning" in members:
        warnings = [members["warning"]]
    elif "warnings" in members:
        warnings = members["warnings"].items()
    escalations = members["escalations"].items() if "escalations" in members else []
    if len(warnings) + len(escalations) > MOST_RUNGS:
        raise members["breach"].fail(f"a ladder has at most {MOST_RUNGS} rungs")
    breach = members["breach"].members(frozenset({"roles"}))
    return (
        *_warnings(warnings),
        Rung(RungKind.BREACH, 1, roles=roles_of(breach["roles"])),
        *_escalations(escalations),
    )


def read_longest_pause(field: Field) -> LongestPause:
    members = field.members(frozenset({"after", "roles"}), frozenset({"resumes"}))
    span, counts = _counted(members["after"])
    if not span:
        raise members["after"].fail("must be longer than nothing")
    resumes = members["resumes"].parse(read_truth) if "resumes" in members else False
    return LongestPause(span, counts, roles_of(members["roles"]), resumes=resumes)


def _warnings(fields: list[Field]) -> list[Rung]:
    rungs: list[Rung] = []
    for level, field in enumerate(fields, start=1):
        rung = _warning(level, field)
        if any(_is_late(before, rung) for before in rungs):
            raise field.fail("must be later than the warnings before")
        rungs.append(rung)
    return rungs


def _is_late(before: Rung, rung: Rung) -> bool:
    """Whether a warning that is written before another certainly comes no earlier."""
    if before.fraction is not None and rung.fraction is not None:
        return before.fraction >= rung.fraction
    if before.fraction is not None or rung.fraction is not None or before.counts is not rung.counts:
        return False
    return before.after >= rung.after


def _warning(level: int, field: Field) -> Rung:
    members = field.members(frozenset({"roles"}), frozenset({"fraction", "before"}))
    roles = roles_of(members["roles"])
    if ("fraction" in members) == ("before" in members):
        raise field.fail("needs either `fraction` of the budget or a span `before` the deadline")
    if "fraction" in members:
        return Rung(RungKind.WARNING, level, fraction=members["fraction"].parse(_fraction), roles=roles)
    span, counts = _counted(members["before"])
    if not span:
        raise members["before"].fail("must be longer than nothing")
    return Rung(RungKind.WARNING, level, after=-span, counts=counts, roles=roles)


def _escalations(fields: list[Field]) -> list[Rung]:
    rungs: list[Rung] = []
    for level, field in enumerate(fields, start=1):
        members = field.members(frozenset({"after", "roles"}), frozenset({"every", "times"}))
        after, counts = _counted(members["after"])
        if rungs and counts is rungs[-1].counts and after <= rungs[-1].after:
            raise members["after"].fail("must be later than the level before")
        if level < len(fields) and "every" in members:
            raise members["every"].fail("only the last level may repeat")
        every, times = _repetition(members, counts)
        roles = roles_of(members["roles"])
        rungs.append(Rung(RungKind.ESCALATION, level, None, after, counts, roles, every, times))
    return rungs


def _repetition(members: Mapping[str, Field], counts: BudgetKind) -> tuple[timedelta | None, int | None]:
    if "every" not in members:
        if "times" in members:
            raise members["times"].fail("goes with `every`")
        return None, None
    every, counts_every = members["every"].parse(lambda text: read_counted_span(text, default=counts))
    if counts_every is not counts:
        raise members["every"].fail(f"must be {counts.value} time, as `after` is")
    if every < SHORTEST_REPETITION:
        raise members["every"].fail("must be at least a minute")
    return every, members["times"].parse(_times) if "times" in members else None


def _counted(field: Field) -> tuple[timedelta, BudgetKind]:
    return field.parse(lambda text: read_counted_span(text, default=BudgetKind.ELAPSED))


def _fraction(text: str) -> float:
    try:
        fraction = float(text)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction < 1:
        raise ValueError(f"{text!r} is not a fraction between 0 and 1")
    return fraction


def _times(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= _MOST_TIMES:
        raise ValueError(f"must be a number from 1 to {_MOST_TIMES}")
    return int(text)
