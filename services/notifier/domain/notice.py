"""One notice and its state machine. Every function gives a new notice; a move the model forbids raises.

planned ─▶ held ⇄ ready ─▶ sending(claimed ─▶ transmitting) ─▶ sent | failed | ready again | in_doubt
planned, held, ready, sending(claimed) ─▶ suppressed | withdrawn | planned anew; in_doubt ─▶ sent | failed, ⇄ ready

While some of its recipients have it, it is ready again for the others alone: it can neither be taken back nor fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.notifier.domain.words import LIVE, MUST_ARRIVE, NoticeKind, NoticeState, Phase, Reason, role_of

_DOUBTS = frozenset({Reason.IN_DOUBT, Reason.SUPERSEDED})
"""Why a notice failed whose mail may have arrived all the same."""


class IllegalMove(ValueError):
    """The notice is not in a state from which this can happen."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the words are about. Holds no personal data. Business instants.

    Attributes:
        level: of a warning or an escalation; the number of a reminder, or of a pause that lasts too long.
        documents: codes of what the customer is asked for.
    """

    objective: str | None = None
    level: int | None = None
    due_at: datetime | None = None
    stopped_at: datetime | None = None
    expected_at: datetime | None = None
    previous_expected_at: datetime | None = None
    outcome: str | None = None
    stage: str | None = None
    entered_at: datetime | None = None
    documents: tuple[str, ...] | None = None
    paused_at: datetime | None = None
    pause_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a notice unique for ever; the schema enforces it."""

    request_id: UUID
    cycle: int
    kind: NoticeKind
    cause: str
    audience: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Attributes:
    caused_at, planned_at, ended_at: business instants.
    attempt: the number of the last claim; an outcome of an earlier one is refused.
    failures: how often the relay put it off, for the address that it has now; chooses the next delay.
    is_resend: it was in doubt and goes out a second and last time, with the same bytes.
    remaining: positions, in its rendering, of the recipients who are still to be tried while others have it; None when
        all are. Of a notice that ended: those who never got it. Positions, so that no address stands here.
    is_overtaken: what it says holds no more, and it was perhaps seen; it is not sent again.
    attend_at: real instant at which somebody has to look: next attempt, end of the lease, end of the doubt.
    first_put_off_at: real instant of the first of these failures.
    contact_version: of the address it was rendered for; None for staff.
    told_expected_at: the expected time that its words state.
    """

    notice_id: UUID
    key: Key
    facts: Facts
    correlation_id: str
    traceparent: str
    caused_at: datetime
    planned_at: datetime
    state: NoticeState = NoticeState.PLANNED
    reason: str | None = None
    phase: Phase | None = None
    attempt: int = 0
    failures: int = 0
    is_resend: bool = False
    remaining: tuple[int, ...] | None = None
    is_overtaken: bool = False
    attend_at: datetime | None = None
    first_put_off_at: datetime | None = None
    contact_version: int | None = None
    told_expected_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_for_customer(self) -> bool:
        return role_of(self.key.audience) is None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def is_recallable(self) -> bool:
        """Nobody can have seen it yet."""
        if self.is_resend or self.is_partly_sent:
            return False
        return self.state in {NoticeState.PLANNED, NoticeState.HELD, NoticeState.READY} or self.phase is Phase.CLAIMED

    @property
    def is_partly_sent(self) -> bool:
        """Some recipients have it, others are still to be tried."""
        return self.remaining is not None and self.is_live

    @property
    def is_repeat_waiting(self) -> bool:
        """Somebody has it or may have it, and it can still be kept from going out again."""
        is_waiting = self.state is NoticeState.READY or self.phase is Phase.CLAIMED
        return is_waiting and (self.is_resend or self.is_partly_sent)

    @property
    def was_perhaps_seen(self) -> bool:
        """Somebody may have read it; a failed one whose first or only sending was in doubt, too."""
        return (
            self.state in {NoticeState.SENT, NoticeState.IN_DOUBT}
            or self.phase is Phase.TRANSMITTING
            or (self.is_resend and self.is_live)
            or self.is_partly_sent
            or (self.state is NoticeState.FAILED and (self.is_resend or self.reason in _DOUBTS))
        )


def hold(notice: Notice, reason: Reason) -> Notice:
    _require(notice.is_recallable, notice)
    return replace(notice, state=NoticeState.HELD, reason=reason, phase=None, attend_at=None)


def make_ready(
    notice: Notice, real_now: datetime, *, contact_version: int | None, told_expected_at: datetime | None
) -> Notice:
    """Allow it to be claimed at once, with the words rendered for this contact and expected time."""
    _require(notice.is_recallable, notice)
    is_same_contact = contact_version == notice.contact_version
    return replace(
        notice,
        failures=notice.failures if is_same_contact else 0,
        first_put_off_at=notice.first_put_off_at if is_same_contact else None,
        state=NoticeState.READY,
        reason=None,
        phase=None,
        attend_at=real_now,
        contact_version=contact_version,
        told_expected_at=told_expected_at,
    )


def restate(notice: Notice, facts: Facts) -> Notice:
    """Let it say something else; whoever settles it next has to put it into words again."""
    _require(notice.is_recallable, notice)
    return replace(notice, facts=facts, state=NoticeState.PLANNED, reason=None, phase=None, attend_at=None)


def suppress(notice: Notice, reason: Reason, now: datetime) -> Notice:
    _require(notice.is_recallable, notice)
    return _end(notice, NoticeState.SUPPRESSED, reason, now)


def withdraw(notice: Notice, reason: Reason, now: datetime) -> Notice:
    _require(notice.is_recallable, notice)
    return _end(notice, NoticeState.WITHDRAWN, reason, now)


def overtake(notice: Notice, now: datetime) -> Notice:
    """What it says holds no more: never let it be sent again. What came of sending it stays to be heard."""
    _require(not notice.is_recallable, notice)
    if notice.is_repeat_waiting:
        return give_up(notice, Reason.SUPERSEDED, now)
    return replace(notice, is_overtaken=True) if notice.is_live else notice


def give_up(notice: Notice, reason: Reason, now: datetime) -> Notice:
    """Do without a repeat: the second sending after a doubt, or the one to those who were put off."""
    _require(notice.is_repeat_waiting, notice)
    return _end_unserved(notice, reason, now)


def postpone(notice: Notice, attend_at: datetime) -> Notice:
    """It cannot be handed over before, through nobody's fault at the other end."""
    _require(notice.state is NoticeState.READY, notice)
    return replace(notice, attend_at=attend_at)


def claim(notice: Notice, real_now: datetime, lease: timedelta) -> Notice:
    _require(notice.state is NoticeState.READY, notice)
    return replace(
        notice,
        state=NoticeState.SENDING,
        phase=Phase.CLAIMED,
        reason=None,
        attempt=notice.attempt + 1,
        attend_at=real_now + lease,
    )


def begin(notice: Notice, attempt: int, real_now: datetime, lease: timedelta) -> Notice | None:
    """Mark that the body is about to be sent; None when this attempt may not any more."""
    if notice.attempt != attempt or notice.state is not NoticeState.SENDING:
        return None
    return replace(notice, phase=Phase.TRANSMITTING, attend_at=real_now + lease)


def accepts_outcome(notice: Notice, attempt: int) -> bool:
    """Whether the outcome of this attempt still counts. A late one of an expired lease does, until the next claim."""
    is_open = notice.state in {NoticeState.SENDING, NoticeState.IN_DOUBT}
    return notice.attempt == attempt and is_open


def sent(notice: Notice, now: datetime) -> Notice:
    _require(notice.state is NoticeState.IN_DOUBT or notice.phase is Phase.TRANSMITTING, notice)
    return _end(replace(notice, remaining=None), NoticeState.SENT, None, now)


def partly_sent(notice: Notice, put_off: Sequence[int]) -> Notice:
    """Only those whom the relay put off are still to be tried.

    Args:
        put_off: positions among those whom the attempt was for.
    """
    _require(notice.state is NoticeState.IN_DOUBT or notice.phase is Phase.TRANSMITTING, notice)
    tried = notice.remaining
    return replace(notice, remaining=tuple(put_off) if tried is None else tuple(tried[at] for at in put_off))


def failed(notice: Notice, reason: Reason, now: datetime) -> Notice:
    """It did not arrive and is not tried again; sent all the same when another of its recipients has it."""
    _require(notice.state in {NoticeState.SENDING, NoticeState.IN_DOUBT}, notice)
    return _end_unserved(notice, reason, now)


def put_back(notice: Notice, attend_at: datetime) -> Notice:
    """It was certainly not sent; try again at ``attend_at``."""
    _require(notice.state in {NoticeState.SENDING, NoticeState.IN_DOUBT}, notice)
    return replace(notice, state=NoticeState.READY, phase=None, reason=None, attend_at=attend_at)


def put_off(notice: Notice, real_now: datetime, attend_at: datetime) -> Notice:
    """The relay does not take it now; try again at ``attend_at``."""
    first = notice.first_put_off_at or real_now
    return replace(put_back(notice, attend_at), failures=notice.failures + 1, first_put_off_at=first)


def doubt(notice: Notice, attend_at: datetime) -> Notice:
    _require(notice.state in {NoticeState.SENDING, NoticeState.IN_DOUBT} or notice.is_repeat_waiting, notice)
    return replace(notice, state=NoticeState.IN_DOUBT, phase=None, reason=Reason.IN_DOUBT, attend_at=attend_at)


def end_doubt(notice: Notice, real_now: datetime, now: datetime, *, has_bytes: bool) -> Notice:
    """The wait is over: must-arrive kinds go once more with the same bytes, everything else is given up."""
    _require(notice.state is NoticeState.IN_DOUBT, notice)
    if notice.is_overtaken:
        return failed(notice, Reason.SUPERSEDED, now)
    if notice.key.kind in MUST_ARRIVE and not notice.is_resend and has_bytes:
        return replace(notice, state=NoticeState.READY, reason=None, is_resend=True, attend_at=real_now)
    return failed(notice, Reason.IN_DOUBT, now)


def _end_unserved(notice: Notice, reason: Reason, now: datetime) -> Notice:
    is_served = notice.is_partly_sent
    return _end(notice, NoticeState.SENT if is_served else NoticeState.FAILED, None if is_served else reason, now)


def _end(notice: Notice, state: NoticeState, reason: Reason | None, now: datetime) -> Notice:
    return replace(notice, state=state, reason=reason, phase=None, attend_at=None, ended_at=now)


def _require(is_allowed: bool, notice: Notice) -> None:
    if not is_allowed:
        raise IllegalMove(f"notice {notice.notice_id} is {notice.state}, phase {notice.phase}")
