"""Where a request stands. Changes are folded into it; the same history always gives the same state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.intake.domain.changes import (
    Absorbed,
    Acknowledged,
    Assigned,
    Attached,
    Cancelled,
    Changed,
    Closed,
    Complained,
    ControlRecorded,
    CustomerInformed,
    DocumentsReceived,
    Extended,
    FeedbackGiven,
    HeldBack,
    Merged,
    MessageReceived,
    Noted,
    Paused,
    ProcessChanged,
    Reopened,
    Responded,
    Resumed,
    Signalled,
    Split,
    StageEntered,
    StageLeft,
    Submitted,
)
from services.intake.domain.doubts import Doubted, FindingConfirmed, FindingDismissed
from services.intake.domain.history import Change, Entry
from services.intake.domain.kept import KEPT
from services.intake.domain.reminded import Reminded
from shared.contracts.payload import AttributeValue, CustomerTier, Priority, RequestKind
from shared.values import value


class State(StrEnum):
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"


@value
class Life:
    """Where a request stands.

    Attributes:
        stage: where it is, or was last.
        version: the sequence of the last change.
        pause_reasons: what it waits for, in the order the pauses came; it runs again when none is left.
        awaited: for each of these reasons the documents that are still missing.
        controls: the control points recorded since the stage was entered, and whether they were passed.
        has_left_stage: the stage is finished and the next one has not begun.
        is_acknowledged: somebody took it on, in this cycle or one before.
        is_responded: somebody answered the customer in substance, in this cycle or one before.
        ended_as: closed, cancelled or merged; None while it is none of them.
        reason: why it ended as it did.
        cycle: 1, and one more with each reopening.
        score: the latest satisfaction of this cycle, 1 to 5.
        doubts: findings that nobody judged yet, by their codes; while there is one the request is in quarantine.
        confirmed, dismissed: the findings that a person judged.
    """

    kind: RequestKind
    process: str
    process_version: int
    stage: str
    submitted_at: datetime
    priority: Priority = Priority.NORMAL
    product_line: str | None = None
    customer_tier: CustomerTier = CustomerTier.STANDARD
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    version: int = 1
    pause_reasons: tuple[str, ...] = ()
    awaited: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    controls: Mapping[str, bool] = field(default_factory=dict)
    has_left_stage: bool = False
    is_acknowledged: bool = False
    is_responded: bool = False
    team: str | None = None
    handler: str | None = None
    ended_as: State | None = None
    outcome: str | None = None
    reason: str | None = None
    closed_at: datetime | None = None
    merged_into: UUID | None = None
    cycle: int = 1
    score: int | None = None
    doubts: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    dismissed: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        if self.ended_as is not None:
            return self.ended_as
        return State.PAUSED if self.pause_reasons else State.OPEN

    @property
    def is_over(self) -> bool:
        return self.ended_as is not None

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        match self.ended_as:
            case State.CANCELLED:
                return f"cancelled because of {self.reason}"
            case State.MERGED:
                return "merged into another request"
            case _:
                return f"closed with outcome {self.outcome}"


def begin(submitted: Submitted, submitted_at: datetime) -> Life:
    return Life(
        kind=submitted.kind,
        process=submitted.process or submitted.kind.value,
        process_version=submitted.process_version,
        stage=submitted.stage,
        submitted_at=submitted_at,
        priority=submitted.priority,
        product_line=submitted.product_line,
        customer_tier=submitted.customer_tier,
        attributes=submitted.attributes,
    )


def evolve(life: Life, change: Change, occurred_at: datetime) -> Life:  # noqa: C901, PLR0912  one case per change
    """The state after ``change``. Trusts the history: what was recorded is never judged again."""
    life = replace(life, version=life.version + 1)
    match change:
        case Submitted():
            raise ValueError("a request is submitted once")
        case Acknowledged():
            return replace(life, is_acknowledged=True)
        case Assigned(team, handler):
            return replace(
                life,
                team=life.team if team is KEPT else team,
                handler=life.handler if handler is KEPT else handler,
            )
        case StageEntered(stage=stage):
            return replace(life, stage=stage, controls={}, has_left_stage=False)
        case StageLeft():
            return replace(life, has_left_stage=True)
        case ControlRecorded(control=control, is_passed=is_passed):
            return replace(life, controls={**life.controls, control: is_passed})
        case Responded():
            return replace(life, is_responded=True)
        case Paused(reason, documents):
            reasons = tuple(dict.fromkeys((*life.pause_reasons, reason)))
            asked = (*life.awaited.get(reason, ()), *documents)
            return replace(
                life, pause_reasons=reasons, awaited={**life.awaited, reason: asked} if asked else life.awaited
            )
        case DocumentsReceived(documents):
            left = {reason: tuple(d for d in asked if d not in documents) for reason, asked in life.awaited.items()}
            return replace(life, awaited={reason: asked for reason, asked in left.items() if asked})
        case Resumed(reason):
            return replace(
                life, pause_reasons=_less(life.pause_reasons, reason), awaited=_without(life.awaited, reason)
            )
        case Changed():
            return _changed(life, change)
        case Reopened():
            return replace(
                life, ended_as=None, outcome=None, reason=None, closed_at=None, cycle=life.cycle + 1, score=None
            )
        case Closed(outcome, _, reason):
            return replace(_over(life, State.CLOSED, occurred_at), outcome=outcome, reason=reason)
        case Cancelled(reason):
            return replace(_over(life, State.CANCELLED, occurred_at), reason=reason)
        case Merged(into):
            return replace(_over(life, State.MERGED, occurred_at), merged_into=into)
        case FeedbackGiven(score):
            return replace(life, score=score)
        case Doubted(findings):
            return _doubted(life, findings)
        case FindingConfirmed(rule):
            return replace(life, doubts=_less(life.doubts, rule), confirmed=(*life.confirmed, rule))
        case FindingDismissed(rule):
            return replace(life, doubts=_less(life.doubts, rule), dismissed=(*life.dismissed, rule))
        case ProcessChanged(process, version, stage):
            return replace(
                life, process=process, process_version=version, stage=stage, controls={}, has_left_stage=False
            )
        case (
            CustomerInformed()
            | MessageReceived()
            | Noted()
            | Attached()
            | Extended()
            | Signalled()
            | HeldBack()
            | Reminded()
            | Absorbed()
            | Split()
            | Complained()
        ):
            return life


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


def _changed(life: Life, change: Changed) -> Life:
    return replace(
        life,
        product_line=change.product_line or life.product_line,
        priority=change.priority or life.priority,
        customer_tier=change.customer_tier or life.customer_tier,
        attributes={**life.attributes, **change.attributes},
    )


def _doubted(life: Life, findings: Iterable[str]) -> Life:
    """What was judged before is open again: it was another value that somebody judged."""
    return replace(
        life,
        doubts=tuple(dict.fromkeys((*life.doubts, *findings))),
        confirmed=tuple(rule for rule in life.confirmed if rule not in findings),
        dismissed=tuple(rule for rule in life.dismissed if rule not in findings),
    )


def _over(life: Life, ended_as: State, at: datetime) -> Life:
    return replace(life, ended_as=ended_as, closed_at=at, pause_reasons=(), awaited={})


def _less(words: tuple[str, ...], word: str) -> tuple[str, ...]:
    return tuple(held for held in words if held != word)


def _without(awaited: Mapping[str, tuple[str, ...]], reason: str) -> dict[str, tuple[str, ...]]:
    return {held: documents for held, documents in awaited.items() if held != reason}
