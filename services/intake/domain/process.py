"""Process definitions as data: which stages a kind of request has, what each asks for, which moves are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.contracts.payload import Language, RequestKind


class Waiting(StrEnum):
    """For whom a request waits."""

    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    THIRD_PARTY = "third_party"
    HOUSE = "house"


@dataclass(frozen=True, slots=True)
class StageWords:
    """What a customer reads of a stage.

    Attributes:
        name: as a heading in the list of what happened.
        now: what is happening, and whose turn it is.
    """

    name: str
    now: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        role: whose work it is.
        is_key: its handling time matters most (REQUIREMENTS D2). It is shown so; nothing measures it yet.
        next: the stages that may follow once everything asked for is there.
        rework: the stages it may go back to at any time.
        outcomes: those a request may be closed with here; None means every outcome of the process.
        required: attributes that must be known before it is left.
        controls: quality control points that must be passed before it is left, each with what is recorded there.
        optional_controls: control points that are recorded where somebody looks; one that failed holds up the way out.
        waits_for: whose turn it is while the request is here; None means the role's.
        words: what customers read, where the status page has no words of its own for it.
    """

    role: str | None = None
    is_key: bool = False
    next: tuple[str, ...] = ()
    rework: tuple[str, ...] = ()
    outcomes: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()
    controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional_controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waits_for: Waiting | None = None
    words: Mapping[Language, StageWords] = field(default_factory=dict)

    @property
    def control_points(self) -> Mapping[str, tuple[str, ...]]:
        """All of them, each with what is recorded there."""
        return {**self.controls, **self.optional_controls}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request may end.

    Attributes:
        reasons: one of them has to be given; empty means that none is asked for.
        is_unchecked: it may be chosen although something asked for is missing, such as when cover never existed.
        is_despite_doubts: it may be chosen while a doubt is open, as it decides nothing, such as when the customer
            withdraws.
    """

    reasons: tuple[str, ...] = ()
    is_unchecked: bool = False
    is_despite_doubts: bool = False


@dataclass(frozen=True, slots=True)
class Reopening:
    """When and where a closed request goes on.

    Attributes:
        within: elapsed time after the closing.
    """

    within: timedelta
    stage: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """One version of a process.

    Attributes:
        code: its name.
        version: 1, 2, 3, ... per code.
        product_lines: those it is for; empty means every one of the kind that has no process of its own.
        pauses: the reasons to wait, and for whom each means waiting.
        reopening: None when a closed request stays closed.
        cancelling: reasons to cancel.
    """

    code: str
    version: int
    kind: RequestKind
    start: str
    stages: Mapping[str, Stage]
    outcomes: Mapping[str, Outcome]
    product_lines: tuple[str, ...] = ()
    pauses: Mapping[str, Waiting] = field(default_factory=dict)
    reopening: Reopening | None = None
    cancelling: tuple[str, ...] = ()

    def outcomes_at(self, stage: str) -> tuple[str, ...]:
        outcomes = self.stages[stage].outcomes
        return tuple(self.outcomes) if outcomes is None else outcomes

    def turn_at(self, stage: str) -> Waiting:
        """Whose turn it is while a request is here: the house's where the stage does not say."""
        found = self.stages.get(stage)
        return found.waits_for if found is not None and found.waits_for is not None else Waiting.HOUSE

    def stages_after(self, stage: str) -> tuple[str, ...]:
        """Where a request can go from here, forward and back."""
        return *self.stages[stage].next, *self.stages[stage].rework
