"""What a relay's answer means, and when to try again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from services.notifier.domain import notice as moves
from services.notifier.domain.notice import Notice
from services.notifier.domain.words import NoticeState, Phase, Reason


class Step(IntEnum):
    """The step of the conversation that gave the answer, or at which the relay fell silent or hung up."""

    CONNECT = 1
    LOGIN = 2
    SENDER = 3
    RECIPIENT = 4
    DATA = 5
    BODY = 6


@dataclass(frozen=True, slots=True)
class Answer:
    """Attributes:
    code: the reply code; None for silence or a dropped connection.
    enhanced: the enhanced status code such as ``5.1.1`` (RFC 3463), where the relay gave one.
    put_off: positions, among the recipients of this attempt, of those whom the relay put off while it took others.
    """

    step: Step
    code: int | None
    enhanced: str | None = None
    put_off: tuple[int, ...] = ()


class Outcome(StrEnum):
    """``partly_sent``: some of several recipients were put off, the others have it.
    ``relay_fault``: it lies with the relay or with us, not with this message; no try counts and the relay rests.
    """

    SENT = "sent"
    PARTLY_SENT = "partly_sent"
    RETRY = "retry"
    RELAY_FAULT = "relay_fault"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Attributes:
    put_off: of an answer that was ``partly_sent``, see there.
    """

    outcome: Outcome
    reason: Reason | None = None
    put_off: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """All real time.

    Attributes:
        delays: after the first, second, ... failure; the last one repeats.
        give_up_after: since a relay first put off this very message; one that was away before is waited for.
        in_doubt_wait: before a notice in doubt is sent once more or given up.
    """

    delays: Sequence[timedelta]
    give_up_after: timedelta
    in_doubt_wait: timedelta

    def delay(self, failures: int) -> timedelta:
        """The pause after this many failures, at least one."""
        return self.delays[min(failures, len(self.delays)) - 1]


_SENT, _RETRY = Verdict(Outcome.SENT), Verdict(Outcome.RETRY)
_RELAY_FAULT, _IN_DOUBT = Verdict(Outcome.RELAY_FAULT), Verdict(Outcome.IN_DOUBT)
_BAD_ADDRESS = Verdict(Outcome.FAILED, Reason.BAD_ADDRESS)
_REFUSED = Verdict(Outcome.FAILED, Reason.MESSAGE_REFUSED)

_MAILBOX_FULL = "5.2.2"
_MAILBOX_DISABLED = "5.2.1"
_UNKNOWN_MAILBOX = frozenset({550, 551, 553})
_FULL = 552


def judge(answer: Answer) -> Verdict:
    """The class of an answer (RFC 5321 section 4.2; silence before the body is safe to repeat, after it is a doubt)."""
    kind = answer.code // 100 if answer.code is not None else None
    if answer.step is Step.BODY:
        return _judge_body(answer, kind)
    if answer.step <= Step.SENDER:
        return _RELAY_FAULT
    if kind != 5:  # noqa: PLR2004  the reply class of RFC 5321
        return _RETRY
    return _judge_recipient(answer) if answer.step is Step.RECIPIENT else _REFUSED


def _judge_body(answer: Answer, kind: int | None) -> Verdict:
    match kind:
        case 2:
            return Verdict(Outcome.PARTLY_SENT, put_off=answer.put_off) if answer.put_off else _SENT
        case 4:
            return _RETRY
        case 5:
            return _judge_enhanced(answer.enhanced) or _REFUSED
        case _:  # silence, a drop, or a reply that is none: the mail may lie in the relay's queue
            return _IN_DOUBT


def _judge_recipient(answer: Answer) -> Verdict:
    known = _judge_enhanced(answer.enhanced)
    if known is not None:
        return known
    if answer.code == _FULL:
        return _RETRY
    return _BAD_ADDRESS if answer.enhanced is None and answer.code in _UNKNOWN_MAILBOX else _REFUSED


def _judge_enhanced(enhanced: str | None) -> Verdict | None:
    if enhanced is None:
        return None
    if enhanced == _MAILBOX_FULL:
        return _RETRY
    return _BAD_ADDRESS if enhanced.startswith("5.1.") or enhanced == _MAILBOX_DISABLED else None


def conclude(notice: Notice, verdict: Verdict, real_now: datetime, now: datetime, policy: RetryPolicy) -> Notice:
    """The notice after an attempt that ended so. The caller has checked that the attempt still counts."""
    match verdict.outcome:
        case Outcome.SENT:
            return moves.sent(notice, now)
        case Outcome.FAILED:
            return moves.failed(notice, verdict.reason or Reason.MESSAGE_REFUSED, now)
        case Outcome.IN_DOUBT:
            return moves.doubt(notice, real_now + policy.in_doubt_wait)
        case Outcome.RELAY_FAULT:
            return _unless_overtaken(moves.put_back(notice, real_now), now)
        case Outcome.PARTLY_SENT:
            return _try_again(moves.partly_sent(notice, verdict.put_off), real_now, now, policy)
        case Outcome.RETRY:
            return _try_again(notice, real_now, now, policy)


def _try_again(notice: Notice, real_now: datetime, now: datetime, policy: RetryPolicy) -> Notice:
    if notice.first_put_off_at is not None and real_now - notice.first_put_off_at >= policy.give_up_after:
        return moves.failed(notice, Reason.GAVE_UP, now)
    return _unless_overtaken(moves.put_off(notice, real_now, real_now + policy.delay(notice.failures + 1)), now)


def _unless_overtaken(notice: Notice, now: datetime) -> Notice:
    """It is ready to be tried again; what holds no more need not be."""
    if not notice.is_overtaken:
        return notice
    end = moves.withdraw if notice.is_recallable else moves.give_up
    return end(notice, Reason.SUPERSEDED, now)


def attend(notice: Notice, real_now: datetime, now: datetime, policy: RetryPolicy, *, has_bytes: bool) -> Notice:
    """The notice after its lease or its doubt ran out; unchanged while neither has."""
    if notice.attend_at is None or notice.attend_at > real_now:
        return notice
    if notice.state is NoticeState.IN_DOUBT:
        return moves.end_doubt(notice, real_now, now, has_bytes=has_bytes)
    if notice.phase is Phase.CLAIMED:  # the body never began: nobody can have seen it
        return moves.put_back(notice, real_now)
    if notice.phase is Phase.TRANSMITTING:
        return moves.doubt(notice, real_now + policy.in_doubt_wait)
    return notice
