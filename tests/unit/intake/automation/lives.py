"""Requests for the tests of reminders: a history, and what happens to it minute by minute."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.intake.domain.automation.deciding import Case
from services.intake.domain.automation.reminding import Coming, coming_reminders
from services.intake.domain.automation.rules import RuleSet
from services.intake.domain.changes import Submitted
from services.intake.domain.deciding import decide
from services.intake.domain.history import Change, Entry
from services.intake.domain.life import begin, evolve
from services.intake.domain.moves import Move
from services.intake.domain.process import Process, Waiting
from shared.contracts.payload import Priority, RequestKind
from tests.unit.intake.shipped import process_of

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # a Tuesday, 17:00 in Hong Kong
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def with_house_pause(process: Process) -> Process:
    """It also knows a pause during which the house waits for itself."""
    return replace(process, pauses={**process.pauses, "second_opinion": Waiting.HOUSE})


MOTOR = with_house_pause(process_of("claim", "motor"))


def submitted(at: datetime = START, process: Process = MOTOR, priority: Priority = Priority.NORMAL) -> Case:
    change = Submitted(
        RequestKind.CLAIM,
        1,
        process.start,
        priority,
        product_line="motor",
        process=process.code,
        attributes={"amount": 1},
    )
    entry = Entry(1, change, at, at, "app")
    return Case(UUID(int=7), "app", "HK", begin(change, at), process, (entry,))


def moved(case: Case, move: Move, at: datetime, told_at: datetime | None = None) -> Case:
    """After a move of that instant, told at another one.

    Raises:
        MoveRefused: the process does not allow it.
    """
    return changed(case, decide(case.process, case.life, move, at), at, told_at or at)


def changed(case: Case, changes: Iterable[Change], at: datetime, told_at: datetime, cause: str | None = None) -> Case:
    first = case.life.version + 1
    for change in changes:
        life = evolve(case.life, change, at)
        why = cause if life.version == first else f"entry:{first}"
        entry = Entry(life.version, change, at, told_at, "app", why)
        case = replace(case, life=life, history=(*case.history, entry))
    return case


def looked_at(rules: RuleSet, case: Case, at: datetime) -> tuple[Case, list[Coming]]:
    """After a look: what was due is in the history."""
    due = [coming for coming in coming_reminders(rules, case) if coming.due_at <= at]
    for coming in due:
        case = changed(case, [coming.reminded], at, at, coming.cause)
    return case, due
