"""Random rules: every sort of objective, with budgets and ladders whose instants all lie on quarters of an hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

from services.sla_timer.domain.rules import (
    Budget,
    BudgetKind,
    LongestPause,
    Mode,
    Objective,
    Policy,
    Rulebook,
    Rung,
    RungKind,
)
from shared.contracts.payload import Market
from shared.rules.conditions import ALWAYS, Among
from shared.worktime import Calendar, Window, WorkingTime

HOUR = timedelta(hours=1)
REASONS = ("documents", "third_party")
STAGES = ("registration", "assessment", "decision")


def _week(*hours: tuple[int, int], on: int = 5) -> tuple[tuple[Window, ...], ...]:
    day = tuple(Window(opens * HOUR, closes * HOUR) for opens, closes in hours)
    return (day,) * on + ((),) * (7 - on)


CALENDARS = {
    name: WorkingTime(Calendar(name, "UTC", week))
    for name, week in {
        "office": _week((9, 12), (13, 18)),
        "mornings": _week((8, 12), on=6),
        "nights": _week((22, 30), on=7),
    }.items()
}

SHAPES: dict[str, dict[str, Any]] = {
    "response": {"starts": ["submitted"], "stops": ["responded", "stage_entered:decision", "closed"]},
    "resolution": {
        "starts": ["submitted", "reopened"],
        "stops": ["closed"],
        "cancels": ["closed:withdrawn"],
        "resets": ["signalled:complete"],
    },
    "next_response": {"starts": ["message_received"], "stops": ["responded", "closed"]},
    "update": {
        "starts": ["submitted", "responded", "customer_informed"],
        "stops": ["responded", "customer_informed", "closed"],
    },
    "decision": {"starts": ["stage_entered:decision"], "stops": ["stage_left:decision", "closed"]},
    "surveyor": {"starts": ["paused:third_party"], "stops": ["resumed:third_party"]},
    "beat": {"starts": ["submitted", "signalled:beat"], "stops": ["signalled:beat", "closed:paid"]},
}


def draw_rulebook(random: Random, version: int, before: Rulebook | None) -> Rulebook:
    """A later version keeps some of the policies of the one before as they were."""
    policies = [_draw_policy(random, name) for name in ("urgent", "usual")]
    if before is not None:
        policies = [old if random.random() < 0.3 else new for old, new in zip(before.policies, policies, strict=True)]
    name = random.choice(["office", "office", "mornings"])
    return Rulebook(version, tuple(policies), CALENDARS, dict.fromkeys(Market, name))


def _draw_policy(random: Random, name: str) -> Policy:
    codes = [code for code in SHAPES if random.random() < 0.6] or ["resolution"]
    condition = Among("priority", frozenset({"urgent"})) if name == "urgent" else ALWAYS
    return Policy(name, condition, tuple(_draw_objective(random, code) for code in codes))


def _draw_objective(random: Random, code: str) -> Objective:
    shape: dict[str, Any] = {name: frozenset(words) for name, words in SHAPES[code].items()}
    if random.random() < 0.1:
        shape["stops"] |= {"signalled:complete"}
    budgets = [_draw_budget(random) for _ in range(3)]
    has_days = any(budget.kind is BudgetKind.DAYS for budget in budgets)
    calendar = random.choice([None, None, None, "mornings", "mornings" if has_days else "nights"])
    paused_by: Sequence[str] = random.choice([(), (), REASONS[:1], REASONS, ("*",)])
    return Objective(
        code,
        budgets[0],
        **shape,
        paused_by=frozenset() if code == "surveyor" else frozenset(paused_by),
        paused_between=(("signalled:ping", "signalled:pong"),) if random.random() < 0.15 else (),
        ladder=_draw_ladder(random),
        longest_pause=_draw_longest(random),
        modes=dict(zip([Mode.PEAK, Mode.EMERGENCY], budgets[1:], strict=True)) if random.random() < 0.5 else {},
        modes_move_running=random.random() < 0.5,
        calendar=calendar,
        from_previous_exit=code == "decision" and random.random() < 0.5,
        restarts_on_change=random.random() < 0.25,
    )


def _draw_budget(random: Random) -> Budget:
    kind = random.choice(
        [BudgetKind.ELAPSED, BudgetKind.ELAPSED, BudgetKind.WORKING, BudgetKind.WORKING, BudgetKind.DAYS]
    )
    if kind is BudgetKind.DAYS:
        return Budget(kind, days=random.randint(0, 3), is_end_of_day=random.random() < 0.5)
    return Budget(kind, random.choice([1, 2, 4, 8, 12, 24]) * HOUR)


def _draw_ladder(random: Random) -> tuple[Rung, ...]:
    warnings = [_draw_warning(random, level) for level in range(1, random.choice([1, 2, 3, 4]))]
    escalations: list[Rung] = []
    for level in range(1, random.choice([1, 2, 3])):
        after = (escalations[-1].after if escalations else timedelta(0)) + random.randint(1, 10) * HOUR
        escalations.append(Rung(RungKind.ESCALATION, level, None, after, _counts(random), ("manager",)))
    if escalations and random.random() < 0.3:
        last = escalations.pop()
        every, times = random.randint(6, 30) * HOUR, random.choice([None, 2, 3])
        escalations.append(Rung(last.kind, last.level, None, last.after, last.counts, last.roles, every, times))
    return (*warnings, Rung(RungKind.BREACH, 1, roles=("lead",)), *escalations)


def _draw_warning(random: Random, level: int) -> Rung:
    if random.random() < 0.6:
        return Rung(RungKind.WARNING, level, fraction=random.choice([0.25, 0.5, 0.75]), roles=("lead",))
    return Rung(RungKind.WARNING, level, after=-random.randint(1, 8) * HOUR, counts=_counts(random), roles=("lead",))


def _draw_longest(random: Random) -> LongestPause | None:
    if random.random() < 0.6:
        return None
    return LongestPause(random.choice([1, 3, 9, 24]) * HOUR, _counts(random), ("lead",), resumes=random.random() < 0.5)


def _counts(random: Random) -> BudgetKind:
    return random.choice([BudgetKind.ELAPSED, BudgetKind.WORKING])
