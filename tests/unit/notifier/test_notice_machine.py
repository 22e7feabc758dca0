"""Any interleaving of claims, markers, answers, crashes, takeovers and recalls keeps a notice's promises."""

from __future__ import annotations

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
POLICY = RetryPolicy([timedelta(seconds=1)], timedelta(hours=1), timedelta(minutes=30))
ANSWERS = st.builds(Answer, st.sampled_from(list(Step)), st.sampled_from([None, 250, 354, 421, 450, 550, 552, 554]))


class NoticeMachine(RuleBasedStateMachine):
    """Counts the bodies that may have reached the relay without a definite refusal: those are mails somebody may read.

    Workers are remembered for ever, so zombies of expired leases act at any later time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.notice = notice()
        self.real_now = REAL
        self.workers: list[int] = []
        self.bodies: dict[int, str] = {}
        self.is_taken_back = False
        self.begun_when_overtaken: set[int] = set()

    @rule(kind=st.sampled_from([NoticeKind.RECEIVED, NoticeKind.WARNING]))
    @precondition(lambda self: self.notice.state is NoticeState.PLANNED)
    def become_ready(self, kind: NoticeKind) -> None:
        self.notice = moves.make_ready(notice(kind), self.real_now, contact_version=1, told_expected_at=DUE)

    @rule()
    @precondition(lambda self: self.notice.state is NoticeState.READY and self.notice.attend_at <= self.real_now)
    def claim(self) -> None:
        self.notice = moves.claim(self.notice, self.real_now, LEASE)
        self.workers.append(self.notice.attempt)

    @rule(data=st.data())
    @precondition(lambda self: self.workers)
    def begin(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(self.workers))
        if attempt in self.bodies:
            return
        begun = moves.begin(self.notice, attempt, self.real_now, LEASE)
        if begun is not None:
            self.notice = begun
            self.bodies[attempt] = "unknown"

    @rule(data=st.data(), answer=ANSWERS)
    @precondition(lambda self: self.workers)
    def answer(self, data: st.DataObject, answer: Answer) -> None:
        attempt = data.draw(st.sampled_from(self.workers))
        if (answer.step is Step.BODY) != (attempt in self.bodies):
            return
        verdict = judge(answer)
        self.workers.remove(attempt)
        if verdict.outcome is Outcome.SENT:
            self.bodies[attempt] = "read"
        elif attempt in self.bodies and verdict.outcome is not Outcome.IN_DOUBT:
            del self.bodies[attempt]
        if moves.accepts_outcome(self.notice, attempt):
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
        assert len(self.bodies) <= limit

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
