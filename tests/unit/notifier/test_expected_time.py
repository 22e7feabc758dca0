"""When a customer is told another expected time, also in whatever order the two topics are heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.announcing import announce
from services.notifier.domain.notice import Notice
from services.notifier.domain.request_file import RequestFile
from services.notifier.domain.views import RequestView
from services.notifier.domain.words import NoticeKind, NoticeState, Phase, Reason
from shared.contracts.clocks import ClockMet, ClockResumed, ClockRetargeted, ClockStarted
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestClosed, RequestReopened
from tests.unit.notifier.samples import (
    DUE,
    LATER,
    NOW,
    REAL,
    REQUEST,
    TOLD,
    clock,
    kinds,
    news,
    notice,
    only,
    open_file,
    submission,
)

AGAIN = DUE + timedelta(days=3)
CLOSED = RequestClosed(request_id=REQUEST, outcome="declined")
REOPENED = RequestReopened(request_id=REQUEST, reason="new_evidence")
LATE_NEWS = clock(ClockRetargeted, due_at=LATER, reason="late_news")
REOPENED_AT = NOW + timedelta(days=1)
FIRST = clock(ClockStarted)
STARTED = clock(ClockStarted, cycle=2, started_at=REOPENED_AT, due_at=AGAIN)
OF_REQUESTS: Sequence[Payload] = (CLOSED, REOPENED)


def heard(*data: Payload, view: RequestView = TOLD) -> RequestFile:
    file = open_file(view=view)
    for each in data:
        file.hear(news(each, REOPENED_AT if each is REOPENED else NOW))
    return file


def told(file: RequestFile) -> list[tuple[NoticeKind, int, datetime | None, datetime | None]]:
    return sorted(
        (n.key.kind, n.key.cycle, n.facts.expected_at, n.facts.previous_expected_at)
        for n in file.notices.values()
        if n.state is NoticeState.PLANNED
    )


def test_a_moved_deadline_is_told_to_a_customer_who_knows_the_old_one() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    change = only(file, NoticeKind.EXPECTED_TIME_CHANGED)
    assert change.key.cause == "revision:2"
    assert (change.facts.previous_expected_at, change.facts.expected_at) == (DUE, LATER)


def test_an_unsent_confirmation_takes_the_new_time_instead() -> None:
    file = open_file(notice(state=NoticeState.READY, attend_at=REAL), view=replace(TOLD, told_expected_at=None))
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    assert kinds(file) == [NoticeKind.RECEIVED]


def test_a_confirmation_that_may_have_been_seen_is_corrected() -> None:
    flying = notice(state=NoticeState.SENDING, phase=Phase.TRANSMITTING, attend_at=REAL, told_expected_at=DUE)
    file = open_file(flying, view=replace(TOLD, told_expected_at=None))
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    assert NoticeKind.EXPECTED_TIME_CHANGED in kinds(file)


def test_a_newer_time_supersedes_one_that_was_not_sent() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    file.hear(news(clock(ClockRetargeted, due_at=LATER + timedelta(hours=1))))
    first, second = [n for n in file.notices.values() if n.key.kind is NoticeKind.EXPECTED_TIME_CHANGED]
    assert (first.state, first.reason) == (NoticeState.WITHDRAWN, Reason.SUPERSEDED)
    assert second.facts.previous_expected_at == DUE


def test_a_time_that_came_back_before_it_was_told_is_not_told() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    file.hear(news(clock(ClockRetargeted, due_at=DUE)))
    assert [n.state for n in file.notices.values()] == [NoticeState.WITHDRAWN]


def change_to(at: datetime, **state: Any) -> Notice:
    """One that said this time."""
    return notice(NoticeKind.EXPECTED_TIME_CHANGED, told_expected_at=at, attempt=1, **state)


@pytest.mark.parametrize(
    "state",
    [
        {"state": NoticeState.READY, "is_resend": True, "attend_at": REAL},
        {"state": NoticeState.IN_DOUBT, "reason": Reason.IN_DOUBT, "attend_at": REAL},
        {"state": NoticeState.SENDING, "phase": Phase.TRANSMITTING, "attend_at": REAL},
    ],
)
def test_a_time_that_comes_back_while_another_was_perhaps_told_is_told(state: dict[str, Any]) -> None:
    file = open_file(change_to(LATER, **state), view=replace(TOLD, expected_at=LATER))
    file.hear(news(clock(ClockRetargeted, due_at=DUE)))
    assert told(file) == [(NoticeKind.EXPECTED_TIME_CHANGED, 1, DUE, LATER)]


@pytest.mark.parametrize("reason", [Reason.IN_DOUBT, Reason.SUPERSEDED])
def test_a_time_that_comes_back_after_another_was_perhaps_told_is_told(reason: Reason) -> None:
    failed = change_to(LATER, state=NoticeState.FAILED, reason=reason, ended_at=NOW)
    view, _ = announce(replace(TOLD, expected_at=LATER), failed, None, NOW)
    file = heard(clock(ClockRetargeted, due_at=DUE), view=view)
    assert told(file) == [(NoticeKind.EXPECTED_TIME_CHANGED, 1, DUE, None)]


def test_a_time_that_comes_back_after_another_certainly_did_not_arrive_is_not_told() -> None:
    failed = change_to(LATER, state=NoticeState.FAILED, reason=Reason.BAD_ADDRESS, ended_at=NOW)
    view, _ = announce(replace(TOLD, expected_at=LATER), failed, None, NOW)
    assert told(heard(clock(ClockRetargeted, due_at=DUE), view=view)) == []


def test_a_message_in_doubt_that_states_the_same_or_no_time_is_no_reason_to_tell_it() -> None:
    doubtful = notice(NoticeKind.DOCUMENTS_NEEDED, state=NoticeState.IN_DOUBT, reason=Reason.IN_DOUBT, attend_at=REAL)
    for each in (doubtful, replace(doubtful, told_expected_at=DUE)):
        file = open_file(each, view=TOLD)
        file.hear(news(clock(ClockResumed, due_at=LATER)))
        file.hear(news(clock(ClockRetargeted, due_at=DUE)))
        assert told(file) == []


def test_the_same_deadline_again_is_no_change() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockResumed, due_at=DUE)))
    assert file.notices == {}


@given(
    st.permutations([0, 0, 1, 1, 1]),
    st.sampled_from([(clock(ClockMet), STARTED, STARTED), (LATE_NEWS, clock(ClockMet), STARTED)]),
)
def test_a_reopening_and_its_new_expected_time_are_told_in_any_order(
    topics: list[int], of_clocks: Sequence[Payload]
) -> None:
    queues = iter(OF_REQUESTS), iter(of_clocks)
    assert told(heard(*(next(queues[topic]) for topic in topics))) == told(
        heard(CLOSED, *of_clocks[:2], REOPENED, STARTED)
    )


def test_a_new_time_that_overtakes_the_reopening_is_told_with_it() -> None:
    file = heard(CLOSED, clock(ClockMet), STARTED, REOPENED)
    assert (NoticeKind.EXPECTED_TIME_CHANGED, 2, AGAIN, DUE) in told(file)


def test_late_news_of_the_time_before_the_reopening_is_told_to_nobody() -> None:
    for order in ((CLOSED, LATE_NEWS, REOPENED), (CLOSED, REOPENED, LATE_NEWS)):
        assert [kind for kind, *_ in told(heard(*order))] == [NoticeKind.CLOSED, NoticeKind.REOPENED]
    file = heard(CLOSED, REOPENED, STARTED, LATE_NEWS)
    assert file.view.expected_at == AGAIN


def test_a_clock_that_is_heard_of_only_after_its_request_ended_is_of_the_time_before() -> None:
    closed = replace(TOLD, expected_at=None, expected_cycle=0)
    file = heard(CLOSED, clock(ClockStarted, due_at=LATER), clock(ClockMet), REOPENED, view=closed)
    assert [kind for kind, *_ in told(file)] == [NoticeKind.CLOSED, NoticeKind.REOPENED]


def test_a_clock_that_first_starts_after_a_reopening_gives_the_expected_time() -> None:
    first = clock(ClockStarted, started_at=REOPENED_AT)
    for order in ((CLOSED, REOPENED, first), (CLOSED, first, REOPENED), (first, CLOSED, REOPENED)):
        file = heard(*order, view=RequestView(REQUEST, submission=submission()))
        assert (NoticeKind.EXPECTED_TIME_CHANGED, 2, DUE, None) in told(file)


def test_a_time_of_before_the_reopening_is_told_to_nobody_whenever_its_clock_is_heard_of() -> None:
    closed = replace(TOLD, expected_at=None, expected_cycle=0, told_expected_at=None)
    for order in ((FIRST, CLOSED, REOPENED), (CLOSED, FIRST, REOPENED), (CLOSED, REOPENED, FIRST)):
        file = heard(*order, LATE_NEWS, view=closed)
        assert [kind for kind, *_ in told(file)] == [NoticeKind.CLOSED, NoticeKind.REOPENED]


def test_a_clock_counts_its_cycles_by_itself() -> None:
    """Its first one began only after the first reopening, its second after the second."""
    view = replace(TOLD, cycle=2, reopened_at=NOW, expected_started_at=NOW)
    for order in ((CLOSED, STARTED, REOPENED), (STARTED, CLOSED, REOPENED), (CLOSED, REOPENED, STARTED)):
        assert (NoticeKind.EXPECTED_TIME_CHANGED, 3, AGAIN, DUE) in told(heard(*order, view=view))


def test_a_later_cycle_of_before_the_reopening_is_told_to_nobody() -> None:
    """The clock began anew while the request was open."""
    restarted = clock(ClockStarted, cycle=2, due_at=LATER)
    view = replace(TOLD, expected_at=LATER, told_expected_at=LATER, expected_started_at=NOW)
    file = heard(restarted, CLOSED, REOPENED, clock(ClockRetargeted, cycle=2, due_at=AGAIN), view=view)
    assert [kind for kind, *_ in told(file)] == [NoticeKind.CLOSED, NoticeKind.REOPENED]


def test_a_customer_who_was_told_no_time_is_told_the_one_after_the_reopening() -> None:
    untold = replace(TOLD, expected_at=None, expected_cycle=0, told_expected_at=None)
    first = FIRST, clock(ClockMet)
    for order in ((REOPENED, STARTED), (STARTED, REOPENED), (*first, REOPENED, STARTED), (REOPENED, *first, STARTED)):
        assert (NoticeKind.EXPECTED_TIME_CHANGED, 2, AGAIN, None) in told(heard(CLOSED, *order, view=untold))


def test_a_time_of_before_cycles_were_told_apart_is_moved_as_it_was() -> None:
    file = heard(LATE_NEWS, view=replace(TOLD, expected_cycle=0))
    assert (NoticeKind.EXPECTED_TIME_CHANGED, 1, LATER, DUE) in told(file)


def test_the_same_time_is_no_news_to_whoever_was_told_none() -> None:
    for known in (0, 1):
        file = heard(clock(ClockResumed), view=replace(TOLD, expected_cycle=known, told_expected_at=None))
        assert (told(file), file.view.expected_cycle, file.view.expected_revision) == ([], 1, 1)


def test_what_a_confirmation_in_doubt_states_is_what_was_told_before() -> None:
    doubtful = notice(state=NoticeState.IN_DOUBT, reason=Reason.IN_DOUBT, attend_at=REAL, told_expected_at=DUE)
    file = open_file(doubtful, view=replace(TOLD, told_expected_at=None))
    for each in (CLOSED, STARTED, REOPENED):
        file.hear(news(each, NOW))
    assert (NoticeKind.EXPECTED_TIME_CHANGED, 2, AGAIN, DUE) in told(file)
