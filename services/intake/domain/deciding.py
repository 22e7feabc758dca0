"""Decides moves against the process a request follows. Pure: the same question always has the same answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.intake.domain import changes, doubts, ending, moves
from services.intake.domain.bounds import check_attributes, check_awaited
from services.intake.domain.history import Change
from services.intake.domain.kept import KEPT
from services.intake.domain.life import Life
from services.intake.domain.moves import Move
from services.intake.domain.process import Process
from services.intake.domain.refusing import NOTHING_CHANGED, MoveRefused
from services.intake.domain.requiring import require_allowed, require_complete

MOST_SECONDS = 366 * 86_400
"""Of an extension; sla_timer takes no longer one."""


def decide(process: Process, life: Life, move: Move, at: datetime) -> tuple[Change, ...]:
    """The changes that ``move`` makes: one, and those that follow from it.

    A pause does not stop the work: a paused request may enter a stage, be responded to and be closed.

    Args:
        at: the instant of the move, business time.

    Raises:
        MoveRefused: with the allowed moves.
        InstantRefused: a reopening lies before the closing.
        TooMuch: it would have too many attributes, or documents to wait for.
    """
    if isinstance(move, moves.Reopen):
        return ending.reopened(process, life, move, at)
    if life.is_over and type(move) not in ending.ALWAYS:
        raise ending.request_over(process, life, at)
    if isinstance(move, moves.ReceiveDocuments):
        return _received(life, move.documents)
    if isinstance(move, moves.Attach):
        return _attached(life, move)
    if isinstance(move, moves.MergeInto):
        return ending.merged(life, move)
    if isinstance(move, moves.Absorb):
        return ending.absorbed(life, move)
    return (_DECIDERS[type(move)](process, life, move),)


def _acknowledged(_: Process, life: Life, move: moves.Acknowledge) -> Change:
    if life.is_acknowledged:
        raise MoveRefused("already_acknowledged", "the request was acknowledged before")
    return changes.Acknowledged(move.handler)


def _stage_entered(process: Process, life: Life, move: moves.EnterStage) -> Change:
    here = process.stages[life.stage]
    allowed = process.stages_after(life.stage)
    require_allowed("stage_forbidden", "stage", move.stage, allowed, f"from stage {life.stage}")
    if move.stage not in here.rework:
        require_complete(process, life, f"stage {move.stage} can begin")
    return changes.StageEntered(life.stage, move.stage, move.handler)


def _stage_left(process: Process, life: Life, move: moves.LeaveStage) -> Change:
    if life.has_left_stage:
        raise MoveRefused("stage_left_already", f"stage {life.stage} was left before; enter the next one")
    if not process.stages[life.stage].next:
        raise MoveRefused("stage_is_last", f"no stage follows {life.stage}; close the request")
    require_complete(process, life, "it can be left")
    return changes.StageLeft(life.stage, move.handler)


def _control_recorded(process: Process, life: Life, move: moves.RecordControl) -> Change:
    controls = process.stages[life.stage].control_points
    require_allowed("control_forbidden", "control", move.control, controls, f"at stage {life.stage}")
    missing = [name for name in controls[move.control] if name not in move.recorded]
    if missing:
        detail = f"control point {move.control} asks for more to be recorded: {', '.join(missing)}"
        raise MoveRefused("control_incomplete", detail, "recorded", missing=[f"recorded:{name}" for name in missing])
    return changes.ControlRecorded(life.stage, move.control, move.is_passed, move.recorded, move.handler)


def _paused(process: Process, life: Life, move: moves.Pause) -> Change:
    """Who waits for a reason already may ask for more documents; what is asked for already is not asked for again."""

    def further(reason: str) -> tuple[str, ...]:
        return tuple(document for document in move.documents if document not in life.awaited.get(reason, ()))

    free = [known for known in process.pauses if known not in life.pause_reasons or further(known)]
    require_allowed("pause_forbidden", "reason", move.reason, free, "as a further reason to pause")
    check_awaited(life, further(move.reason))
    return changes.Paused(move.reason, further(move.reason))


def _resumed(_: Process, life: Life, move: moves.Resume) -> Change:
    require_allowed("resume_forbidden", "reason", move.reason, life.pause_reasons, "as a reason to resume from")
    return changes.Resumed(move.reason)


def _received(life: Life, documents: tuple[str, ...]) -> tuple[Change, ...]:
    """What was received; the request goes on for every reason whose documents are now all there."""
    done = [reason for reason, asked in life.awaited.items() if all(document in documents for document in asked)]
    return changes.DocumentsReceived(documents), *(changes.Resumed(reason) for reason in done)


def _attached(life: Life, move: moves.Attach) -> tuple[Change, ...]:
    """A document that was asked for has come when it is attached; nobody needs to tell it twice."""
    change = changes.Attached(move.attachment_id, move.media_type, move.size, move.sha256, move.document)
    if move.document is None or not any(move.document in asked for asked in life.awaited.values()):
        return (change,)
    return change, *_received(life, (move.document,))


def _assigned(_: Process, life: Life, move: moves.Assign) -> Change:
    """Who worked on it for another team does not go on with it, unless the move says so."""
    team = life.team if move.team is KEPT else move.team
    has_left = life.team is not None and team != life.team
    handler = None if move.handler is KEPT and life.handler is not None and has_left else move.handler
    if (team, life.handler if handler is KEPT else handler) == (life.team, life.handler):
        raise MoveRefused(NOTHING_CHANGED, "the request is assigned so already")
    return changes.Assigned(move.team, handler)


def _changed(_: Process, life: Life, move: moves.ChangeFacts) -> Change:
    """Only what is different is told."""
    change = changes.Changed(
        reason=move.reason,
        product_line=move.product_line if move.product_line != life.product_line else None,
        priority=move.priority if move.priority is not life.priority else None,
        customer_tier=move.customer_tier if move.customer_tier is not life.customer_tier else None,
        attributes={n: value for n, value in move.attributes.items() if not _is_same(life.attributes, n, value)},
    )
    if change == changes.Changed(move.reason):
        raise MoveRefused(NOTHING_CHANGED, "all of it is so already")
    check_attributes(life, move)
    return change


def _is_same(attributes: Mapping[str, Any], name: str, value: Any) -> bool:
    """True and 1 are equal to Python and not to a policy."""
    return name in attributes and attributes[name] == value and type(attributes[name]) is type(value)


def _extended(_: Process, __: Life, move: moves.Extend) -> Change:
    if not 0 < move.seconds <= MOST_SECONDS:
        raise MoveRefused("extension_forbidden", "an extension lasts 1 second to 366 days", "seconds", ["1..31622400"])
    return changes.Extended(move.objective, move.seconds, move.reason, move.approved_by)


def _judged(_: Process, life: Life, move: moves.ConfirmFinding | moves.DismissFinding) -> Change:
    require_allowed("finding_not_open", "rule", move.rule, life.doubts, "as a finding that nobody judged yet")
    made = doubts.FindingConfirmed if isinstance(move, moves.ConfirmFinding) else doubts.FindingDismissed
    return made(move.rule, move.reason)


def _process_changed(_: Process, life: Life, move: moves.FollowProcess) -> Change:
    """Nothing is passed over by it: the request stays at its stage, where that one is there."""
    new = move.process
    possible = dict.fromkeys((life.process, move.chosen))
    where = f"for a request of kind {life.kind} and product line {life.product_line or '(none)'}"
    require_allowed("process_forbidden", "process", new.code, possible, where)
    if new.kind is not life.kind:
        raise MoveRefused(
            "process_forbidden", f"version {new.version} of {new.code} is for requests of kind {new.kind}"
        )
    if (new.code, new.version) == (life.process, life.process_version):
        raise MoveRefused(NOTHING_CHANGED, f"the request follows version {new.version} of {new.code} already")
    unknown = [reason for reason in life.pause_reasons if reason not in new.pauses]
    if unknown:
        detail = f"version {new.version} of {new.code} knows no pause for {', '.join(unknown)}; resume first"
        raise MoveRefused("process_forbidden", detail)
    stage = _stage_under(new, life, move)
    from_stage = life.stage if stage != life.stage or life.has_left_stage else None
    return changes.ProcessChanged(new.code, new.version, stage, move.reason, from_stage)


def _stage_under(new: Process, life: Life, move: moves.FollowProcess) -> str:
    if life.stage in new.stages:
        why = f"where the request stays at stage {life.stage}, which version {new.version} of {new.code} has too"
        require_allowed("stage_forbidden", "stage", move.stage or life.stage, [life.stage], why)
        return life.stage
    why = f"in version {new.version} of {new.code}, which has no stage {life.stage}"
    stage = move.stage or "(none)"
    require_allowed("stage_forbidden", "stage", stage, new.stages, why)
    return stage


_DECIDERS: Mapping[type[Move], Any] = {
    moves.Acknowledge: _acknowledged,
    moves.Assign: _assigned,
    moves.EnterStage: _stage_entered,
    moves.LeaveStage: _stage_left,
    moves.RecordControl: _control_recorded,
    moves.Respond: lambda _, __, move: changes.Responded(move.handler),
    moves.InformCustomer: lambda _, __, move: changes.CustomerInformed(move.handler),
    moves.ReceiveMessage: lambda _, __, ___: changes.MessageReceived(),
    moves.Note: lambda _, __, move: changes.Noted(move.handler),
    moves.Pause: _paused,
    moves.Resume: _resumed,
    moves.ChangeFacts: _changed,
    moves.Extend: _extended,
    moves.Signal: lambda _, __, move: changes.Signalled(move.signal),
    moves.Close: ending.closed,
    moves.Cancel: ending.cancelled,
    moves.SplitOff: lambda _, __, move: changes.Split(move.into_request_id),
    moves.Complain: lambda _, __, move: changes.Complained(move.complaint_request_id),
    moves.GiveFeedback: lambda _, __, move: changes.FeedbackGiven(move.score),
    moves.FollowProcess: _process_changed,
    moves.ConfirmFinding: _judged,
    moves.DismissFinding: _judged,
}
