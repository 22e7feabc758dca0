"""Which notices there shall be of what clocks say: warnings, breaches, escalations, withdrawals, long pauses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.notifier.domain.notice import Notice
from services.notifier.domain.request_file import RequestFile
from services.notifier.domain.words import NoticeKind, NoticeState, Reason
from shared.contracts.clocks import (
    ClockBreached,
    ClockBreachWithdrawn,
    ClockCancelled,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockPauseOverrun,
    ClockPayload,
    ClockResumed,
    ClockRetargeted,
    ClockWarned,
)
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestClosed, RequestReopened, RequestResumed
from shared.contracts.topics import TOPICS
from tests.unit.notifier.samples import (
    CLOCK,
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
)


def test_warnings_breaches_and_escalations_go_to_each_role_once() -> None:
    file = open_file(view=TOLD)
    for _ in range(2):
        file.hear(news(clock(ClockWarned, notify_roles=("team_lead", "head"))))
        file.hear(news(clock(ClockBreached)))
        file.hear(news(clock(ClockEscalated, level=2, notify_roles=("head",))))
    assert [(n.key.kind, n.key.audience, n.facts.level) for n in file.notices.values()] == [
        (NoticeKind.WARNING, "role:team_lead", 1),
        (NoticeKind.WARNING, "role:head", 1),
        (NoticeKind.BREACH, "role:team_lead", 0),
        (NoticeKind.ESCALATION, "role:head", 2),
    ]


def test_a_withdrawn_breach_takes_back_what_was_not_sent() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockBreached)))
    file.hear(news(clock(ClockEscalated)))
    file.hear(news(clock(ClockBreachWithdrawn)))
    assert {n.reason for n in file.notices.values()} == {Reason.BREACH_WITHDRAWN}


def test_a_withdrawn_breach_is_told_to_those_who_may_know_of_it() -> None:
    told = notice(NoticeKind.BREACH, "role:head", state=NoticeState.SENT, ended_at=NOW)
    file = open_file(told, view=TOLD)
    file.hear(news(clock(ClockEscalated)))
    file.hear(news(clock(ClockBreachWithdrawn)))
    assert only(file, NoticeKind.BREACH_WITHDRAWN).key.audience == "role:head"


def test_a_breach_of_the_moved_deadline_is_told_again_and_the_same_breach_is_not() -> None:
    file = open_file(view=TOLD)
    for sequence, news_of_clock in (
        (2, clock(ClockBreached)),
        (2, clock(ClockBreached)),
        (3, clock(ClockBreachWithdrawn)),
        (4, clock(ClockBreached, due_at=LATER)),
    ):
        file.hear(news(news_of_clock, sequence=sequence))
    breaches = [n for n in file.notices.values() if n.key.kind is NoticeKind.BREACH]
    assert {n.facts.due_at for n in breaches if n.state is NoticeState.PLANNED} == {LATER}
    assert len({n.key.cause for n in breaches}) == 2


def test_a_breach_that_is_true_again_at_the_same_deadline_is_told_again() -> None:
    file = open_file(view=TOLD)
    for kind in (NoticeKind.BREACH, NoticeKind.ESCALATION):
        told = notice(kind, "role:team_lead", state=NoticeState.SENT, ended_at=NOW)
        file.replace(replace(told, notice_id=UUID(int=len(file.notices))))
    kinds_of_news: list[type[ClockPayload]] = [ClockBreachWithdrawn, ClockResumed, ClockBreached, ClockEscalated]
    for sequence, kind_of_news in enumerate(kinds_of_news, 4):
        for _ in range(2):  # a replay carries the same number
            file.hear(news(clock(kind_of_news), sequence=sequence))
    assert [n.key.kind for n in file.notices.values() if n.state is NoticeState.PLANNED] == [
        NoticeKind.BREACH_WITHDRAWN,
        NoticeKind.BREACH,
        NoticeKind.ESCALATION,
    ]


def told_breach(number: int, role: str, **changes: Any) -> Notice:
    """One that was caused by the clock's event of this number."""
    told = notice(NoticeKind.BREACH, role, **{"state": NoticeState.SENT, "ended_at": NOW, **changes})
    key = replace(told.key, cause=f"{CLOCK}:1:breach:0:20261125T150000.000000Z:{number}")
    return replace(told, notice_id=UUID(int=1000 + number), key=key)


def test_a_second_withdrawal_that_names_the_same_deadline_is_told_too() -> None:
    file = open_file(told_breach(4, "role:head"), view=TOLD)
    file.hear(news(clock(ClockBreachWithdrawn, due_at=LATER), sequence=5))
    file.replace(told_breach(6, "role:head"))
    file.hear(news(clock(ClockBreachWithdrawn, due_at=LATER), sequence=7))
    assert kinds(file).count(NoticeKind.BREACH_WITHDRAWN) == 2


def test_a_withdrawal_is_not_told_to_whoever_read_only_of_a_breach_withdrawn_before() -> None:
    file = open_file(told_breach(4, "role:head"), view=TOLD)
    file.hear(news(clock(ClockBreachWithdrawn), sequence=5))
    file.replace(told_breach(6, "role:team_lead"))
    file.hear(news(clock(ClockBreachWithdrawn), sequence=7))
    withdrawals = [n for n in file.notices.values() if n.key.kind is NoticeKind.BREACH_WITHDRAWN]
    assert [n.key.audience for n in withdrawals] == ["role:head", "role:team_lead"]


def test_a_breach_of_before_causes_had_numbers_is_withdrawn_though_its_clock_had_a_withdrawal() -> None:
    file = open_file(view=TOLD)
    for number, kind in enumerate((NoticeKind.BREACH_WITHDRAWN, NoticeKind.BREACH)):
        told = notice(kind, "role:head", state=NoticeState.SENT, ended_at=NOW)
        key = replace(told.key, cause=f"{CLOCK}:1:{kind}:0:20261125T150000.000000Z")
        file.replace(replace(told, notice_id=UUID(int=number), key=key))
    for sequence in (9, 11):
        file.hear(news(clock(ClockBreachWithdrawn, due_at=LATER), sequence=sequence))
    assert [n.state for n in file.notices.values()] == [NoticeState.SENT, NoticeState.SENT, NoticeState.PLANNED]


@pytest.mark.parametrize(
    ("failure", "is_told"),
    [
        ({"reason": Reason.IN_DOUBT}, True),
        ({"reason": Reason.SUPERSEDED}, True),
        ({"reason": Reason.MESSAGE_REFUSED, "is_resend": True}, True),
        ({"reason": Reason.MESSAGE_REFUSED}, False),
        ({"reason": Reason.GAVE_UP}, False),
    ],
)
def test_a_withdrawal_is_told_where_a_failed_breach_may_have_arrived(failure: dict[str, Any], is_told: bool) -> None:
    file = open_file(told_breach(4, "role:head", state=NoticeState.FAILED, **failure), view=TOLD)
    file.hear(news(clock(ClockBreachWithdrawn), sequence=5))
    assert (NoticeKind.BREACH_WITHDRAWN in kinds(file)) == is_told


def test_a_withdrawn_breach_of_one_clock_leaves_the_others() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockBreached)))
    file.hear(news(clock(ClockBreachWithdrawn, cycle=2)))
    assert only(file, NoticeKind.BREACH).state is NoticeState.PLANNED


def in_doubt(kind: NoticeKind, audience: str = "role:team_lead") -> Notice:
    return notice(kind, audience, state=NoticeState.IN_DOUBT, reason=Reason.IN_DOUBT, attempt=1, attend_at=REAL)


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        (NoticeKind.BREACH, clock(ClockBreachWithdrawn)),
        (NoticeKind.ESCALATION, clock(ClockBreachWithdrawn)),
        (NoticeKind.BREACH, clock(ClockCancelled)),
        (NoticeKind.BREACH_WITHDRAWN, clock(ClockBreached)),
        (NoticeKind.CLOSED, RequestReopened(request_id=REQUEST, reason="new_evidence")),
        (NoticeKind.REOPENED, RequestClosed(request_id=REQUEST, outcome="paid")),
        (NoticeKind.EXPECTED_TIME_CHANGED, RequestClosed(request_id=REQUEST, outcome="paid")),
        (NoticeKind.EXPECTED_TIME_CHANGED, clock(ClockResumed, due_at=LATER)),
    ],
)
def test_what_is_in_doubt_is_not_repeated_after_its_correction(kind: NoticeKind, ending: Payload) -> None:
    doubtful = in_doubt(kind)
    file = open_file(doubtful, view=TOLD)
    file.hear(news(ending))
    assert file.notices[doubtful.notice_id] == replace(doubtful, is_overtaken=True)


def test_asking_in_doubt_is_not_repeated_when_the_documents_came() -> None:
    asked = in_doubt(NoticeKind.DOCUMENTS_NEEDED, "customer")
    asked = replace(asked, key=replace(asked.key, cause="paused:customer_documents:1"))
    file = open_file(asked, view=TOLD)
    file.hear(news(RequestResumed(request_id=REQUEST, reason="customer_documents")))
    assert only(file, NoticeKind.DOCUMENTS_NEEDED).is_overtaken


def overrun() -> Payload:
    return clock(ClockPauseOverrun, notify_roles=("team_lead", "head"))


def test_a_pause_that_lasts_too_long_is_told_to_each_role_once() -> None:
    file = open_file(view=TOLD)
    for sequence in (4, 4, 9):
        file.hear(news(overrun(), sequence=sequence))
    assert [n.key.audience for n in file.notices.values()] == 2 * ["role:team_lead", "role:head"]
    (first, *_) = file.notices.values()
    assert (first.facts.paused_at, first.facts.pause_reason, first.facts.level) == (NOW, "customer_documents", 1)
    assert first.key.cause == f"{CLOCK}:1:pause_overrun:1:20261124T090000.000000Z:4"


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (clock(ClockResumed), Reason.PAUSE_ENDED),
        (clock(ClockMet), Reason.CLOCK_STOPPED),
        (clock(ClockMissed), Reason.CLOCK_STOPPED),
        (clock(ClockCancelled), Reason.CLOCK_CANCELLED),
        (RequestClosed(request_id=REQUEST, outcome="paid"), Reason.WAIT_ENDED),
        (clock(ClockResumed, cycle=2), None),
        (clock(ClockRetargeted, due_at=LATER), None),
    ],
)
def test_a_pause_that_lasted_too_long_is_told_to_nobody_when_it_is_over(ending: Payload, reason: Reason | None) -> None:
    file = open_file(view=TOLD)
    file.hear(news(overrun()))
    file.hear(news(ending))
    assert {n.reason for n in file.notices.values() if n.key.kind is NoticeKind.PAUSE_OVERRUN} == {reason}


def test_an_end_that_is_heard_late_spares_what_a_later_cycle_said() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockPauseOverrun), LATER))  # the first cycle of a clock that began after the reopening
    file.hear(news(RequestClosed(request_id=REQUEST, outcome="paid")))
    assert only(file, NoticeKind.PAUSE_OVERRUN).state is NoticeState.PLANNED


def test_an_end_takes_back_that_a_pause_of_any_cycle_before_it_lasted_too_long() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockPauseOverrun, cycle=2)))
    file.hear(news(RequestClosed(request_id=REQUEST, outcome="paid"), LATER))
    assert only(file, NoticeKind.PAUSE_OVERRUN).reason is Reason.WAIT_ENDED


def test_every_event_that_names_roles_to_tell_is_heard() -> None:
    naming = {payload for topic in TOPICS for payload in topic.payloads if "notify_roles" in payload.model_fields}
    assert ClockPauseOverrun in naming
    heard = vars(RequestFile)["_apply"].dispatcher.registry
    assert naming <= set(heard)
