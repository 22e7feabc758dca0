"""Decides how a request ends, and what is possible once it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.intake.domain import changes, doubts, moves
from services.intake.domain.history import Change
from services.intake.domain.instants import check_reopening
from services.intake.domain.life import Life, State
from services.intake.domain.moves import Move
from services.intake.domain.process import Process
from services.intake.domain.refusing import THE_MOVE, MoveRefused
from services.intake.domain.requiring import require_allowed, require_complete

ALWAYS: Mapping[type[Move], str] = {
    moves.Note: "note",
    moves.ReceiveMessage: "message",
    moves.InformCustomer: "inform",
    moves.Attach: "attachment",
    moves.GiveFeedback: "feedback",
    moves.Complain: "complain",
    moves.ConfirmFinding: "confirm",
    moves.DismissFinding: "dismiss",
}
"""What a request takes although it is over, as callers name it. Whether its data were right is asked then, too."""

_JUDGING = {ALWAYS[moves.ConfirmFinding], ALWAYS[moves.DismissFinding]}


def closed(process: Process, life: Life, move: moves.Close) -> Change:
    allowed = process.outcomes_at(life.stage)
    require_allowed("outcome_forbidden", "outcome", move.outcome, allowed, f"at stage {life.stage}")
    outcome = process.outcomes[move.outcome]
    if outcome.reasons or move.reason is not None:
        where = f"for outcome {move.outcome}"
        require_allowed("reason_forbidden", "reason", move.reason or "(none)", outcome.reasons, where)
    if not outcome.is_despite_doubts:
        _require_judged(process, life, allowed, move.outcome)
    if not outcome.is_unchecked:
        require_complete(process, life, f"the request can be closed as {move.outcome}")
    return changes.Closed(move.outcome, move.handler, move.reason)


def cancelled(process: Process, _: Life, move: moves.Cancel) -> Change:
    require_allowed("cancelling_forbidden", "reason", move.reason, process.cancelling, "as a reason to cancel")
    return changes.Cancelled(move.reason)


def merged(life: Life, move: moves.MergeInto) -> tuple[Change, ...]:
    """Who merges a request says that it is the same matter as another, so a doubt about that is judged."""
    change = changes.Merged(move.into_request_id)
    if doubts.LIKELY_DUPLICATE in life.doubts:
        return change, doubts.FindingConfirmed(doubts.LIKELY_DUPLICATE, "merged")
    return (change,)


def absorbed(life: Life, move: moves.Absorb) -> tuple[Change, ...]:
    """Which of two duplicates goes on is a matter of convenience: the doubt about the one that came later was right in
    any case, and it is judged unless there are others that it may be a duplicate of.
    """
    change = changes.Absorbed(move.from_request_id)
    if doubts.LIKELY_DUPLICATE in life.doubts and move.likely == {move.from_request_id}:
        return change, doubts.FindingConfirmed(doubts.LIKELY_DUPLICATE, "merged")
    return (change,)


def reopened(process: Process, life: Life, move: moves.Reopen, at: datetime) -> tuple[Change, ...]:
    """The window is judged by when it happened and not by when it was told: late news counts here, too.

    Raises:
        InstantRefused: it lies before the closing.
        MoveRefused: it is not closed, or was for too long.
    """
    if not life.is_over:
        raise MoveRefused("not_closed", "the request is open")
    until = reopens_until(process, life)
    if until is None or life.closed_at is None or at > until or process.reopening is None:
        raise request_over(process, life, at)
    check_reopening(at, life.closed_at)
    reasons = process.reopening.reasons
    require_allowed("reopening_forbidden", "reason", move.reason, reasons, "as a reason to reopen")
    return changes.Reopened(move.reason), changes.StageEntered(life.stage, process.reopening.stage)


def reopens_until(process: Process, life: Life) -> datetime | None:
    """The last instant at which a closed request can be reopened; None when it cannot."""
    if life.ended_as is not State.CLOSED or process.reopening is None or life.closed_at is None:
        return None
    return life.closed_at + process.reopening.within


def request_over(process: Process, life: Life, at: datetime) -> MoveRefused:
    """The refusal of what a request that is over does not take."""
    until = reopens_until(process, life)
    allowed = [name for name in ALWAYS.values() if life.doubts or name not in _JUDGING]
    if until is None or process.reopening is None:
        way_back = "it cannot be reopened"
    elif at > until:
        way_back = f"it could be reopened until {until.isoformat()}"
    else:
        way_back = f"reopen it first (reasons: {', '.join(process.reopening.reasons)})"
        allowed = ["reopen", *allowed]
    return MoveRefused("request_over", f"the request is over: {life.ending}; {way_back}", THE_MOVE, allowed)


def _require_judged(process: Process, life: Life, outcomes: Iterable[str], outcome: str) -> None:
    """Data that may be wrong must not be what a request is decided by. Not everybody is shown every finding, so the
    refusal names none.
    """
    if life.doubts:
        detail = f"staff have to confirm or dismiss first what is doubted: it cannot be closed as {outcome}"
        possible = [other for other in outcomes if process.outcomes[other].is_despite_doubts]
        raise MoveRefused("doubt_open", detail, "outcome", possible)
