"""Any interleaving of claims, markers, answers, crashes, takeovers and recalls keeps a notice's promises."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.notifier.domain import notice as moves
from services.notifier.domain.attempts import Answer, Outcome, RetryPolicy, Step, attend, conclude, judge
from services.notifier.domain.notice import IllegalMove
from services.notifier.domain.words import MUST_ARRIVE, NoticeKind, NoticeState, Phase, Reason
from tests.unit.notifier.samples import DUE, NOW, REAL, notice

LEASE = timedelta(seconds=30)
EVERYBODY = (0, 1, 2)
POLICY = RetryPolicy([timedelta(seconds=1)], timedelta(hours=1), timedelta(minutes=30))
ANSWERS = st.builds(Answer, st.sampled_from(list(Step)), st.sampled_from([None, 250, 354, 421, 450, 550, 552, 554]))


class NoticeMachine(RuleBasedStateMachine):
    """Counts the bodies that may have reached the relay without a definite refusal: those are mails somebody may read.

    A mail to a role has three recipients, any of whom the relay may put off.
    Workers are remembered for ever, so zombies of expired leases act at any later time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.notice = notice()
        self.real_now = REAL
        self.workers: list[int] = []
        self.envelopes: dict[int, tuple[int, ...]] = {}
        self.put_off: dict[int, tuple[int, ...]] = {}
        self.bodies: dict[int, set[int]] = {}
        self.served: set[int] = set()
        self.is_taken_back = False
        self.begun_when_overtaken: set[int] = set()

    @rule(kind=st.sampled_from([NoticeKind.BREACH, NoticeKind.WARNING]))
    @precondition(lambda self: self.notice.state is NoticeState.PLANNED)
    def become_ready(self, kind: NoticeKind) -> None:
        planned = notice(kind, "role:head")
        self.notice = moves.make_ready(planned, self.real_now, contact_version=None, told_expected_at=DUE)

    @rule()
    @precondition(lambda self: self.notice.state is NoticeState.READY and self.notice.attend_at <= self.real_now)
    def claim(self) -> None:
        self.notice = moves.claim(self.notice, self.real_now, LEASE)
        self.workers.append(self.notice.attempt)
        self.envelopes[self.notice.attempt] = EVERYBODY if self.notice.remaining is None else self.notice.remaining

    @rule(data=st.data())
    @precondition(lambda self: self.workers)
    def begin(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(self.workers))
        if attempt in self.bodies:
            return
        begun = moves.begin(self.notice, attempt, self.real_now, LEASE)
        if begun is not None:
            self.notice = begun
            envelope = self.envelopes[attempt]
            delayed = data.draw(st.sets(st.sampled_from(range(len(envelope))), max_size=len(envelope) - 1))
            self.put_off[attempt] = tuple(sorted(delayed))
            self.bodies[attempt] = {who for at, who in enumerate(envelope) if at not in delayed}

    @rule(data=st.data(), answer=ANSWERS)
    @precondition(lambda self: self.workers)
    def answer(self, data: st.DataObject, answer: Answer) -> None:
        attempt = data.draw(st.sampled_from(self.workers))
        if (answer.step is Step.BODY) != (attempt in self.bodies):
            return
        verdict = judge(replace(answer, put_off=self.put_off.get(attempt, ())))
        self.workers.remove(attempt)
        was_taken = verdict.outcome in {Outcome.SENT, Outcome.PARTLY_SENT}
        if attempt in self.bodies and not was_taken and verdict.outcome is not Outcome.IN_DOUBT:
            del self.bodies[attempt]
        if moves.accepts_outcome(self.notice, attempt):
            if was_taken:
                self.served |= self.bodies[attempt]
            self.notice = conclude(self.notice, verdict, self.real_now, NOW, POLICY)

    @rule()
    @precondition(lambda self: self.workers)
    def crash(self) -> None:
        self.workers.clear()

    @rule(span=st.sampled_from([timedelta(seconds=1), LEASE, timedelta(minutes=30)]))
    def time_passes(self, span: timedelta) -> None:
        self.real_now += span
        self.notice = attend(self.notice, self.real_now, NOW, POLICY, has_bytes=True)

    @rule()
    def a_repeat_is_found_damaged(self) -> None:
        if self.notice.state is NoticeState.READY and self.notice.is_repeat_waiting:
            self.notice = moves.doubt(self.notice, self.real_now)

    @rule()
    def recall(self) -> None:
        if self.notice.is_recallable:
            self.notice = moves.withdraw(self.notice, Reason.SUPERSEDED, NOW)
        else:
            with pytest.raises(IllegalMove):
                moves.withdraw(self.notice, Reason.SUPERSEDED, NOW)
            self.notice = moves.overtake(self.notice, NOW)
            self.begun_when_overtaken = set(self.bodies)
            self.is_taken_back = True

    @invariant()
    def nobody_can_have_read_it_more_often_than_allowed(self) -> None:
        limit = 2 if self.notice.key.kind in MUST_ARRIVE else 1
        mails = Counter(who for readers in self.bodies.values() for who in readers)
        assert all(count <= limit for count in mails.values())

    @invariant()
    def who_has_it_for_certain_is_not_written_to_again(self) -> None:
        if self.notice.state is NoticeState.READY:
            assert self.served.isdisjoint(EVERYBODY if self.notice.remaining is None else self.notice.remaining)

    @invariant()
    def it_is_sent_when_somebody_has_it_and_nobody_is_left(self) -> None:
        assert not (self.served and self.notice.state is NoticeState.FAILED)

    @invariant()
    def no_body_begins_after_it_was_taken_back(self) -> None:
        assert not self.is_taken_back or self.bodies.keys() <= self.begun_when_overtaken

    @invariant()
    def what_was_withdrawn_or_suppressed_was_never_read(self) -> None:
        if self.notice.state in {NoticeState.WITHDRAWN, NoticeState.SUPPRESSED}:
            assert not self.bodies

    @invariant()
    def the_schema_would_take_it(self) -> None:
        n = self.notice
        assert (n.state is NoticeState.SENDING) == (n.phase is not None)
        assert (n.attend_at is not None) == (n.state in {NoticeState.READY, NoticeState.SENDING, NoticeState.IN_DOUBT})
        assert (n.ended_at is None) == n.is_live
        assert n.phase is None or isinstance(n.phase, Phase)
        assert n.remaining is None or (n.remaining and (n.is_live or n.state is NoticeState.SENT))


TestNoticeMachine = NoticeMachine.TestCase


def test_an_outcome_of_an_older_attempt_does_not_count() -> None:
    first = moves.claim(notice(state=NoticeState.READY, attend_at=REAL), REAL, LEASE)
    late = REAL + LEASE
    second = moves.claim(attend(first, late, NOW, POLICY, has_bytes=True), late, LEASE)
    assert not moves.accepts_outcome(second, first.attempt)
    assert moves.begin(second, first.attempt, late, LEASE) is None
    assert moves.begin(second, second.attempt, late, LEASE) is not None


def test_a_late_answer_ends_a_doubt() -> None:
    flying = notice(state=NoticeState.SENDING, phase=Phase.TRANSMITTING, attempt=1, attend_at=REAL)
    doubtful = attend(flying, REAL, NOW, POLICY, has_bytes=True)
    assert doubtful.state is NoticeState.IN_DOUBT
    assert moves.accepts_outcome(doubtful, 1)
    assert conclude(doubtful, judge(Answer(Step.BODY, 250)), REAL, NOW, POLICY).state is NoticeState.SENT


def test_who_is_left_may_be_tried_again_but_the_notice_can_not_be_taken_back() -> None:
    flying = notice(NoticeKind.BREACH, "role:head", state=NoticeState.SENDING, phase=Phase.TRANSMITTING, attempt=1)
    partly = conclude(flying, judge(Answer(Step.BODY, 250, put_off=(0, 2))), REAL, NOW, POLICY)
    assert (partly.state, partly.failures, partly.remaining) == (NoticeState.READY, 1, (0, 2))
    assert not partly.is_recallable
    assert partly.was_perhaps_seen
    again = replace(moves.claim(partly, REAL + LEASE, LEASE), phase=Phase.TRANSMITTING)
    left = conclude(again, judge(Answer(Step.BODY, 250, put_off=(1,))), REAL, NOW, POLICY)
    assert left.remaining == (2,)
    last = replace(moves.claim(left, REAL + LEASE, LEASE), phase=Phase.TRANSMITTING)
    done = conclude(last, judge(Answer(Step.BODY, 250)), REAL, NOW, POLICY)
    assert (done.state, done.remaining) == (NoticeState.SENT, None)


@pytest.mark.parametrize("answer", [Answer(Step.RECIPIENT, 550), Answer(Step.BODY, 554), Answer(Step.RECIPIENT, 452)])
def test_what_some_have_is_sent_whatever_becomes_of_the_others(answer: Answer) -> None:
    flying = notice(
        NoticeKind.BREACH, "role:head", state=NoticeState.SENDING, phase=Phase.TRANSMITTING, attempt=2, remaining=(1,)
    )
    long_ago = replace(flying, first_put_off_at=REAL - timedelta(hours=1))
    done = conclude(long_ago, judge(answer), REAL, NOW, POLICY)
    assert (done.state, done.reason, done.remaining) == (NoticeState.SENT, None, (1,))
