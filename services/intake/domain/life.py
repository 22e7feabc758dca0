"""The life of a request: moves are decided against its process, changes are folded into its state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.intake.domain.changes import Change, Closed, Entry, Paused, Responded, Resumed, StageEntered, Submitted
from services.intake.domain.process import Process
from shared.errors import PunctualError


class State(StrEnum):
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Life:
    """Where a request stands.

    Attributes:
        pause_reasons: what it waits for, in the order the pauses came; it runs again when none is left.
        is_responded: somebody answered the customer in substance.
        version: the sequence of the last change.
    """

    stage: str
    submitted_at: datetime
    version: int = 1
    pause_reasons: tuple[str, ...] = ()
    is_responded: bool = False
    outcome: str | None = None
    closed_at: datetime | None = None

    @property
    def state(self) -> State:
        if self.closed_at is not None:
            return State.CLOSED
        return State.PAUSED if self.pause_reasons else State.OPEN


@dataclass(frozen=True, slots=True)
class EnterStage:
    stage: str
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Respond:
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    reason: str


@dataclass(frozen=True, slots=True)
class Close:
    outcome: str
    handler: str | None = None


Move = EnterStage | Respond | Pause | Resume | Close


class MoveRefused(PunctualError):
    """The process definition forbids the move.

    Attributes:
        code: a stable word in snake_case.
        field: the field of the move that is at fault; None when no such move is possible at all.
        allowed: what the field may be instead.
    """

    def __init__(self, code: str, detail: str, field: str | None = None, allowed: Iterable[str] = ()) -> None:
        self.allowed = tuple(allowed)
        if field is not None:
            detail = f"{detail}; allowed: {', '.join(self.allowed) or 'none'}"
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


def decide(process: Process, life: Life, move: Move) -> Change:
    """The change that ``move`` makes.

    A pause does not stop the work: a paused request may enter a stage, be responded to and be closed.

    Raises:
        MoveRefused: with the allowed moves.
    """
    if life.state is State.CLOSED:
        raise MoveRefused("request_closed", f"the request was closed with outcome {life.outcome}; no move is allowed")
    match move:
        case EnterStage(stage, handler):
            _require("stage_forbidden", "stage", stage, process.stages_after(life.stage), f"from stage {life.stage}")
            return StageEntered(life.stage, stage, handler)
        case Respond(handler):
            return Responded(handler)
        case Pause(reason):
            free = [known for known in process.pause_reasons if known not in life.pause_reasons]
            _require("pause_forbidden", "reason", reason, free, "as a further reason to pause")
            return Paused(reason)
        case Resume(reason):
            _require("resume_forbidden", "reason", reason, life.pause_reasons, "as a reason to resume from")
            return Resumed(reason)
        case Close(outcome, handler):
            _require("outcome_forbidden", "outcome", outcome, process.outcomes_at(life.stage), f"at stage {life.stage}")
            return Closed(outcome, handler)


def _require(code: str, field: str, value: str, allowed: Iterable[str], where: str) -> None:
    if value not in allowed:
        raise MoveRefused(code, f"{field} {value} is not allowed {where}", field, allowed)


def begin(submitted: Submitted, submitted_at: datetime) -> Life:
    return Life(stage=submitted.stage, submitted_at=submitted_at)


def evolve(life: Life, change: Change, occurred_at: datetime) -> Life:
    """The state after ``change``. Trusts the history: what was recorded is never judged again."""
    life = replace(life, version=life.version + 1)
    match change:
        case Submitted():
            raise ValueError("a request is submitted once")
        case StageEntered(stage=stage):
            return replace(life, stage=stage)
        case Responded():
            return replace(life, is_responded=True)
        case Paused(reason):
            return replace(life, pause_reasons=(*life.pause_reasons, reason))
        case Resumed(reason):
            return replace(life, pause_reasons=tuple(held for held in life.pause_reasons if held != reason))
        case Closed(outcome):
            return replace(life, outcome=outcome, closed_at=occurred_at, pause_reasons=())


def replay(history: Iterable[Entry]) -> Life:
    """The state that a whole history, in order of sequence, leads to."""
    entries = iter(history)
    first = next(entries)
    if not isinstance(first.change, Submitted):
        raise ValueError("a history begins with the submission")  # noqa: TRY004  the value is wrong, not its type
    life = begin(first.change, first.occurred_at)
    for entry in entries:
        life = evolve(life, entry.change, entry.occurred_at)
    return life
