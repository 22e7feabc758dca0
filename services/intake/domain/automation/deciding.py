"""Which rule acts on a request now, and what it does. The process decides whether it may."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from services.intake.domain import moves
from services.intake.domain.automation.rules import (
    CYCLE,
    STAYS,
    AssignStep,
    CloseStep,
    OpenStep,
    RecordStep,
    Rule,
    RuleSet,
    SignalStep,
    StageStep,
    Step,
)
from services.intake.domain.automation.staying import (
    CAUSE,
    acted,
    acted_here,
    count_stays,
    failed_here,
    is_left_to_people,
    made_by,
    teams_here,
)
from services.intake.domain.changes import Attached, DocumentsReceived
from services.intake.domain.deciding import decide
from services.intake.domain.history import Change, Entry
from services.intake.domain.life import Life, evolve
from services.intake.domain.moves import Move
from services.intake.domain.process import Process
from services.intake.domain.refusing import NOTHING_CHANGED, MoveRefused
from services.intake.domain.requiring import find_missing
from services.intake.domain.validation.values import read_date
from shared.contracts.payload import AttributeValue, RequestKind
from shared.rules.conditions import AllOf, AnyOf, Condition
from shared.rules.facts import STANDARD_FACTS
from shared.values import value

PAST_FACTS = frozenset({"requests_before", "complaints_before"})
"""Only the database knows them."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the same customer had asked for when the request came, within the year before its submission.

    Attributes:
        requests: all of them, complaints too.
    """

    requests: int = 0
    complaints: int = 0


@value
class Case:
    """A request as rules see it.

    Attributes:
        channel, market: they never change.
    """

    request_id: UUID
    channel: str
    market: str
    life: Life
    process: Process
    history: Sequence[Entry]
    past: Past = Past()

    def get(self, name: str) -> AttributeValue | None:
        """A fact of ``CASE_FACTS``, or an attribute; None when there is none of that name."""
        derive = _DERIVED.get(name)
        if derive is not None:
            return derive(self)
        if name in _OF_THE_LIFE:
            value: AttributeValue | None = getattr(self.life, name)
            return value
        return self.life.attributes.get(name)


def _is_in_force(case: Case) -> bool:
    """Whether the incident lies within the time of the policy, by the attributes; no while one of them is missing."""
    dates = [read_date(case.life.attributes.get(name)) for name in ("policy_from", "incident_date", "policy_to")]
    begins, happens, ends = dates
    return begins is not None and happens is not None and ends is not None and begins <= happens <= ends


def _count_passed(case: Case) -> int:
    """Control points of the stage that were passed, optional ones too."""
    return sum(case.life.controls.get(name, False) for name in case.process.stages[case.life.stage].control_points)


def _count_received(case: Case) -> int:
    """Different documents that came, told of or attached by their names."""
    found: set[str] = set()
    for entry in case.history:
        if isinstance(entry.change, DocumentsReceived):
            found.update(entry.change.documents)
        elif isinstance(entry.change, Attached) and entry.change.document is not None:
            found.add(entry.change.document)
    return len(found)


_DERIVED: Mapping[str, Callable[[Case], AttributeValue]] = {
    "channel": lambda case: case.channel,
    "market": lambda case: case.market,
    "state": lambda case: case.life.state.value,
    "waits_for": lambda case: case.process.turn_at(case.life.stage).value,
    "is_complete": lambda case: not find_missing(case.process, case.life),
    "is_doubted": lambda case: bool(case.life.doubts),
    "is_in_force": _is_in_force,
    "controls_missing": lambda case: len(case.process.stages[case.life.stage].control_points) - _count_passed(case),
    "controls_passed": _count_passed,
    "documents_missing": lambda case: sum(len(documents) for documents in case.life.awaited.values()),
    "documents_received": _count_received,
    STAYS: lambda case: count_stays(case.history),
    "requests_before": lambda case: case.past.requests,
    "complaints_before": lambda case: case.past.complaints,
}

_OF_THE_LIFE = {"process", "stage", "team", CYCLE, "score", *STANDARD_FACTS} - _DERIVED.keys()


@dataclass(frozen=True, slots=True)
class Action:
    """What a rule does.

    Attributes:
        changes: in order; empty when the request is held back for people.
        opens: the request to open, which one of the changes names.
    """

    rule: str
    changes: tuple[Change, ...]
    is_held_back: bool = False
    opens: OpenStep | None = None

    @property
    def cause(self) -> str:
        return f"{CAUSE}{self.rule}"


def next_action(rules: RuleSet, case: Case, at: datetime, new_id: UUID) -> Action | None:
    """What the first rule that is on and applies does; None when none does.

    A rule acts once while a request is at a stage; whoever enters the stage again has it act again. A rule that opens
    another request acts once and never again. What one rule left to people no other one ends before they moved it on.

    Args:
        at: business time.
        new_id: of a request to open.
    """
    here, is_left = acted_here(case.history), is_left_to_people(case.history)
    for rule in rules.rules:
        if not rule.is_on or not may_look(rule, case) or (is_left and rule.ends_as is not None):
            continue
        if rule.code in (here if rule.opens is None else acted(case.history)) or not rule.when.holds(case):
            continue
        changes = try_steps(rule, case, at, new_id)
        if changes is None:
            continue
        if is_held_back(rule, case):
            return Action(rule.code, (), is_held_back=True)
        return Action(rule.code, changes, opens=rule.opens)
    return None


def may_look(rule: Rule, case: Case) -> bool:
    """Whether the rule is for such a request at all. What a rule opened opens no more: rules could lead in a circle.

    What people opened again or sent back they want to decide themselves, so a rule that ends requests leaves it alone
    unless it asks for just that: for ``cycle`` or for ``stays``.
    """
    if rule.opens is not None and made_by(case.history[0]) is not None:
        return False
    if case.life.is_over:
        return rule.looks_at_ended
    if rule.ends_as is None:
        return True
    asked = rule.when.names()
    return (CYCLE in asked or case.life.cycle == 1) and (STAYS in asked or count_stays(case.history) <= 1)


def may_act_at_first(rules: RuleSet, case: Case) -> bool:
    """Whether a rule that is on could apply to a request that has just come, whatever its customer asked for before."""
    return any(rule.is_on and could_hold(rule.when, case) for rule in rules.rules)


def could_hold(condition: Condition, case: Case) -> bool:
    """Whether it holds, or would for some past of the customer."""
    match condition:
        case AllOf(parts=parts):
            return all(could_hold(part, case) for part in parts)
        case AnyOf(parts=parts):
            return any(could_hold(part, case) for part in parts)
        case _:
            return bool(condition.names() & PAST_FACTS) or condition.holds(case)


def try_steps(rule: Rule, case: Case, at: datetime, new_id: UUID) -> tuple[Change, ...] | None:
    """The changes that the rule's steps make; None when the process or a person forbids one, or they change nothing.

    A step that finds everything so already is done. So is giving it to a team that had it since the stage was entered:
    whoever gave it to another one meant that. Who looked and found a control point failed is not overruled either.

    Args:
        new_id: of a request to open.
    """
    life, made = case.life, list[Change]()
    for step in rule.steps:
        told = chain((e.change for e in case.history), made)
        if isinstance(step, AssignStep) and step.team in teams_here(told):
            continue
        if isinstance(step, RecordStep) and step.control in failed_here(told):
            return None
        move = _move(step, case.process, life, new_id)
        if move is None:
            return None
        try:
            changes = decide(case.process, life, move, at)
        except MoveRefused as refused:
            if refused.code == NOTHING_CHANGED:
                continue
            return None
        for change in changes:
            life = evolve(life, change, at)
            made.append(change)
    return tuple(made) or None


def is_held_back(rule: Rule, case: Case) -> bool:
    """Whether this request is among the share that is left to people; the same answer however often it is asked.

    Its id decides, of which intake draws 74 bits by chance: whoever submits it cannot choose.
    """
    text = f"{rule.code} {case.request_id} {case.life.cycle}".encode()
    drawn = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / 2**64
    return drawn < rule.held_back


def _move(step: Step, process: Process, life: Life, new_id: UUID) -> Move | None:
    """None where no one stage follows."""
    match step:
        case RecordStep(control, recorded):
            return moves.RecordControl(control, is_passed=True, recorded=recorded)
        case StageStep(stage):
            following = process.stages[life.stage].next if stage is None else (stage,)
            return moves.EnterStage(following[0]) if len(following) == 1 else None
        case CloseStep(outcome, reason):
            return moves.Close(outcome, None, reason)
        case AssignStep(team):
            return moves.Assign(team)
        case SignalStep(signal):
            return moves.Signal(signal)
        case OpenStep(kind):
            return moves.Complain(new_id) if kind is RequestKind.COMPLAINT else moves.SplitOff(new_id)
