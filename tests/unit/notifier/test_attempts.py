"""What a relay's answer means for a notice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifier.domain import notice as moves
from services.notifier.domain.attempts import (
    Answer,
    Outcome,
    RetryPolicy,
    Step,
    Verdict,
    attend,
    conclude,
    judge,
)
from services.notifier.domain.words import NoticeKind, NoticeState, Phase, Reason
from tests.unit.notifier.samples import NOW, REAL, notice

POLICY = RetryPolicy(
    delays=[timedelta(seconds=s) for s in (1, 5, 15)],
    give_up_after=timedelta(hours=72),
    in_doubt_wait=timedelta(minutes=30),
)
FLYING = notice(state=NoticeState.SENDING, phase=Phase.TRANSMITTING, attempt=1, attend_at=REAL)
SECOND = timedelta(seconds=1)
SOON = REAL + SECOND


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (Answer(Step.CONNECT, None), Outcome.RELAY_FAULT, None),
        (Answer(Step.CONNECT, 421), Outcome.RELAY_FAULT, None),
        (Answer(Step.LOGIN, 535), Outcome.RELAY_FAULT, None),
        (Answer(Step.SENDER, 451), Outcome.RELAY_FAULT, None),
        (Answer(Step.SENDER, 550), Outcome.RELAY_FAULT, None),
        (Answer(Step.RECIPIENT, None), Outcome.RETRY, None),
        (Answer(Step.RECIPIENT, 450, "4.2.0"), Outcome.RETRY, None),
        (Answer(Step.RECIPIENT, 550), Outcome.FAILED, Reason.BAD_ADDRESS),
        (Answer(Step.RECIPIENT, 550, "5.1.1"), Outcome.FAILED, Reason.BAD_ADDRESS),
        (Answer(Step.RECIPIENT, 550, "5.2.1"), Outcome.FAILED, Reason.BAD_ADDRESS),
        (Answer(Step.RECIPIENT, 550, "5.7.1"), Outcome.FAILED, Reason.MESSAGE_REFUSED),
        (Answer(Step.RECIPIENT, 552), Outcome.RETRY, None),
        (Answer(Step.RECIPIENT, 552, "5.2.2"), Outcome.RETRY, None),
        (Answer(Step.DATA, None), Outcome.RETRY, None),
        (Answer(Step.DATA, 250), Outcome.RETRY, None),
        (Answer(Step.DATA, 554), Outcome.FAILED, Reason.MESSAGE_REFUSED),
        (Answer(Step.BODY, 250, "2.0.0"), Outcome.SENT, None),
        (Answer(Step.BODY, 451, put_off=(0,)), Outcome.RETRY, None),
        (Answer(Step.BODY, None, put_off=(0,)), Outcome.IN_DOUBT, None),
        (Answer(Step.BODY, 451), Outcome.RETRY, None),
        (Answer(Step.BODY, 552), Outcome.FAILED, Reason.MESSAGE_REFUSED),
        (Answer(Step.BODY, 554, "5.6.0"), Outcome.FAILED, Reason.MESSAGE_REFUSED),
        (Answer(Step.BODY, 550, "5.1.1"), Outcome.FAILED, Reason.BAD_ADDRESS),
        (Answer(Step.BODY, 552, "5.2.2"), Outcome.RETRY, None),
        (Answer(Step.BODY, None), Outcome.IN_DOUBT, None),
        (Answer(Step.BODY, 354), Outcome.IN_DOUBT, None),
    ],
)
def test_an_answer_has_one_meaning(answer: Answer, outcome: Outcome, reason: Reason | None) -> None:
    assert judge(answer) == Verdict(outcome, reason)


def test_pauses_grow_and_the_last_one_repeats() -> None:
    assert [POLICY.delay(failures).total_seconds() for failures in (1, 2, 3, 4, 99)] == [1, 5, 15, 15, 15]


def test_a_refusal_for_now_is_tried_again_after_the_pause() -> None:
    after = conclude(FLYING, Verdict(Outcome.RETRY), REAL, NOW, POLICY)
    assert (after.state, after.failures, after.attend_at) == (NoticeState.READY, 1, SOON)


def test_a_message_that_is_put_off_for_days_is_given_up() -> None:
    again = replace(FLYING, failures=7, first_put_off_at=REAL)
    late = REAL + timedelta(hours=72)
    assert conclude(again, Verdict(Outcome.RETRY), late - timedelta(seconds=1), NOW, POLICY).failures == 8
    after = conclude(again, Verdict(Outcome.RETRY), late, NOW, POLICY)
    assert (after.state, after.reason) == (NoticeState.FAILED, Reason.GAVE_UP)


def test_the_days_are_counted_from_the_first_time_it_was_put_off_and_not_from_an_absence_before() -> None:
    waited = moves.claim(conclude(FLYING, Verdict(Outcome.RELAY_FAULT), REAL, NOW, POLICY), REAL, timedelta(days=9))
    back = REAL + timedelta(hours=73)
    after = conclude(waited, Verdict(Outcome.RETRY), back, NOW, POLICY)
    assert (after.state, after.failures, after.first_put_off_at) == (NoticeState.READY, 1, back)
    once_more = conclude(
        moves.claim(after, back, timedelta(days=9)), Verdict(Outcome.RETRY), back + SECOND, NOW, POLICY
    )
    assert (once_more.failures, once_more.first_put_off_at) == (2, back)


@pytest.mark.parametrize(("version", "failures"), [(1, 7), (2, 0)])
def test_another_address_is_tried_as_long_as_the_first_one(version: int, failures: int) -> None:
    put_off = notice(
        state=NoticeState.READY, attempt=7, failures=7, first_put_off_at=REAL, attend_at=REAL, contact_version=1
    )
    after = moves.make_ready(put_off, REAL, contact_version=version, told_expected_at=None)
    assert (after.failures, after.first_put_off_at) == (failures, REAL if failures else None)


def test_an_absent_relay_counts_no_try_and_is_waited_for() -> None:
    late = REAL + timedelta(days=30)
    after = conclude(FLYING, Verdict(Outcome.RELAY_FAULT), late, NOW, POLICY)
    assert (after.state, after.failures, after.attend_at) == (NoticeState.READY, 0, late)


def test_silence_after_the_body_is_a_doubt_for_half_an_hour() -> None:
    after = conclude(FLYING, Verdict(Outcome.IN_DOUBT), REAL, NOW, POLICY)
    assert (after.state, after.attend_at) == (NoticeState.IN_DOUBT, REAL + timedelta(minutes=30))


@pytest.mark.parametrize("kind", [NoticeKind.RECEIVED, NoticeKind.CLOSED, NoticeKind.BREACH, NoticeKind.ESCALATION])
def test_what_must_arrive_is_sent_once_more_after_a_doubt(kind: NoticeKind) -> None:
    doubtful = notice(kind, state=NoticeState.IN_DOUBT, reason=Reason.IN_DOUBT, attempt=1, attend_at=REAL)
    again = attend(doubtful, REAL, NOW, POLICY, has_bytes=True)
    assert (again.state, again.is_resend) == (NoticeState.READY, True)
    flying = notice(kind, state=NoticeState.IN_DOUBT, reason=Reason.IN_DOUBT, attempt=2, attend_at=REAL, is_resend=True)
    after = attend(flying, REAL, NOW, POLICY, has_bytes=True)
    assert (after.state, after.reason) == (NoticeState.FAILED, Reason.IN_DOUBT)


def test_what_need_not_arrive_is_never_repeated_after_a_doubt() -> None:
    doubtful = notice(
        NoticeKind.WARNING, "role:head", state=NoticeState.IN_DOUBT, reason=Reason.IN_DOUBT, attempt=1, attend_at=REAL
    )
    after = attend(doubtful, REAL, NOW, POLICY, has_bytes=True)
    assert (after.state, after.reason) == (NoticeState.FAILED, Reason.IN_DOUBT)


def test_what_holds_no_more_is_never_repeated() -> None:
    overtaken = moves.overtake(FLYING, NOW)
    doubtful = replace(overtaken, state=NoticeState.IN_DOUBT, phase=None, reason=Reason.IN_DOUBT)
    after = attend(doubtful, REAL, NOW, POLICY, has_bytes=True)
    assert (after.state, after.reason) == (NoticeState.FAILED, Reason.SUPERSEDED)
    for verdict in (Verdict(Outcome.RETRY), Verdict(Outcome.RELAY_FAULT)):
        put_off = conclude(overtaken, verdict, REAL, NOW, POLICY)
        assert (put_off.state, put_off.reason) == (NoticeState.WITHDRAWN, Reason.SUPERSEDED)
        again = conclude(replace(overtaken, is_resend=True), verdict, REAL, NOW, POLICY)
        assert (again.state, again.reason) == (NoticeState.FAILED, Reason.SUPERSEDED)
    assert conclude(doubtful, Verdict(Outcome.SENT), REAL, NOW, POLICY).state is NoticeState.SENT


def test_a_second_sending_that_waits_is_given_up_when_it_holds_no_more() -> None:
    again = notice(state=NoticeState.READY, is_resend=True, attempt=1, attend_at=REAL)
    for waiting in (again, moves.claim(again, REAL, timedelta(seconds=30))):
        after = moves.overtake(waiting, NOW)
        assert (after.state, after.reason) == (NoticeState.FAILED, Reason.SUPERSEDED)


def test_without_the_same_bytes_nothing_is_repeated() -> None:
    doubtful = notice(state=NoticeState.IN_DOUBT, reason=Reason.IN_DOUBT, attempt=1, attend_at=REAL)
    assert attend(doubtful, REAL, NOW, POLICY, has_bytes=False).state is NoticeState.FAILED


def test_a_lease_that_ran_out_before_the_body_is_safe_to_repeat() -> None:
    claimed = notice(state=NoticeState.SENDING, phase=Phase.CLAIMED, attempt=1, attend_at=REAL)
    assert attend(claimed, REAL, NOW, POLICY, has_bytes=True).state is NoticeState.READY


def test_a_lease_that_ran_out_in_the_body_is_a_doubt() -> None:
    assert attend(FLYING, REAL, NOW, POLICY, has_bytes=True).state is NoticeState.IN_DOUBT


def test_nothing_happens_before_its_time() -> None:
    assert attend(FLYING, REAL - timedelta(seconds=1), NOW, POLICY, has_bytes=True) is FLYING
