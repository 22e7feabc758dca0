"""Which notices there shall be, news by news."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.notifier.domain.words import CUSTOMER, NoticeKind, NoticeState, Reason
from shared.contracts.casework import RequestProcessChanged
from shared.contracts.clocks import (
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
)
from shared.contracts.payload import Payload
from shared.contracts.requests import (
    RequestCancelled,
    RequestClosed,
    RequestMerged,
    RequestPaused,
    RequestReopened,
    RequestResponded,
    RequestResumed,
    RequestStageEntered,
)
from tests.unit.notifier.samples import (
    DUE,
    LATER,
    NOW,
    REQUEST,
    TOLD,
    clock,
    kinds,
    news,
    only,
    open_file,
    reminded,
    submitted,
)


def test_a_submitted_request_calls_for_a_confirmation() -> None:
    file = open_file()
    file.hear(news(submitted()))
    assert only(file, NoticeKind.RECEIVED).state is NoticeState.PLANNED
    assert file.view.submission is not None
    assert file.view.submission.reference == "K7M4Q-2XD9C"


def test_the_first_deadline_is_the_expected_time_and_no_change() -> None:
    file = open_file()
    file.hear(news(submitted()))
    file.hear(news(clock(ClockStarted)))
    assert file.view.expected_at == DUE
    assert kinds(file) == [NoticeKind.RECEIVED]


def test_a_deadline_may_come_before_the_request_it_belongs_to() -> None:
    file = open_file()
    file.hear(news(clock(ClockStarted)))
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    file.hear(news(submitted()))
    assert file.view.expected_at == LATER
    assert kinds(file) == [NoticeKind.RECEIVED]


def test_only_the_resolution_clock_gives_the_expected_time() -> None:
    file = open_file()
    file.hear(news(clock(ClockStarted, objective="response")))
    assert file.view.expected_at is None


def test_a_closed_request_has_no_expected_time_any_more() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    file.hear(news(RequestClosed(request_id=REQUEST, outcome="paid")))
    file.hear(news(clock(ClockRetargeted, due_at=LATER + timedelta(hours=1))))
    assert only(file, NoticeKind.EXPECTED_TIME_CHANGED).state is NoticeState.WITHDRAWN
    assert only(file, NoticeKind.CLOSED).facts.outcome == "paid"


def test_a_reopened_request_is_told_and_its_second_end_too() -> None:
    file = open_file(view=TOLD)
    file.hear(news(RequestClosed(request_id=REQUEST, outcome="declined")))
    file.hear(news(RequestReopened(request_id=REQUEST, reason="new_evidence")))
    assert not file.view.is_closed
    assert only(file, NoticeKind.REOPENED).key.cycle == 2
    file.hear(news(RequestClosed(request_id=REQUEST, outcome="paid")))
    closings = [n for n in file.notices.values() if n.key.kind is NoticeKind.CLOSED]
    assert [(n.key.cycle, n.facts.outcome) for n in closings] == [(1, "declined"), (2, "paid")]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (RequestCancelled(request_id=REQUEST, reason="duplicate"), NoticeKind.CANCELLED),
        (RequestMerged(request_id=REQUEST, into_request_id=UUID(int=77)), NoticeKind.MERGED),
    ],
)
def test_a_customer_is_told_that_nobody_works_on_it_any_more(data: Payload, kind: NoticeKind) -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    file.hear(news(data))
    assert file.view.is_closed
    assert only(file, NoticeKind.EXPECTED_TIME_CHANGED).state is NoticeState.WITHDRAWN
    assert only(file, kind).is_for_customer


def test_closing_never_takes_back_the_confirmation() -> None:
    file = open_file()
    file.hear(news(submitted()))
    file.hear(news(RequestClosed(request_id=REQUEST, outcome="paid")))
    assert only(file, NoticeKind.RECEIVED).state is NoticeState.PLANNED


def test_pauses_and_stages_are_remembered_and_told_to_nobody() -> None:
    file = open_file(view=TOLD)
    file.hear(news(RequestStageEntered(request_id=REQUEST, from_stage="received", stage="assessment")))
    file.hear(news(RequestPaused(request_id=REQUEST, reason="third_party")))
    file.hear(news(RequestPaused(request_id=REQUEST, reason="customer_documents")))
    file.hear(news(RequestResumed(request_id=REQUEST, reason="third_party")))
    assert (file.view.stage, file.view.state) == ("assessment", "paused")
    file.hear(news(RequestResumed(request_id=REQUEST, reason="customer_documents")))
    file.hear(news(RequestResponded(request_id=REQUEST)))
    assert (file.view.state, file.notices) == ("open", {})


def process_changed(from_stage: str | None) -> RequestProcessChanged:
    return RequestProcessChanged(
        request_id=REQUEST, process="claim", process_version=2, stage="review", reason="renamed", from_stage=from_stage
    )


def test_another_process_may_mean_another_stage() -> None:
    file = open_file(view=replace(TOLD, stage="assessment"))
    file.hear(news(process_changed(None)))
    assert file.view.stage == "assessment"
    file.hear(news(process_changed("assessment")))
    assert file.view.stage == "review"


def test_a_reminder_is_told_to_each_role_once() -> None:
    file = open_file(view=TOLD)
    for _ in range(2):
        file.hear(news(reminded()))
    assert [(n.key.audience, n.key.cause) for n in file.notices.values()] == [
        ("role:team_lead", "stage_waits:2:1"),
        ("role:head", "stage_waits:2:1"),
    ]
    (first, _) = file.notices.values()
    assert (first.facts.stage, first.facts.level, first.facts.entered_at) == ("assessment", 1, NOW)


@pytest.mark.parametrize(
    "ending",
    [
        RequestStageEntered(request_id=REQUEST, from_stage="assessment", stage="decision"),
        process_changed("assessment"),
        RequestPaused(request_id=REQUEST, reason="customer_documents"),
        RequestClosed(request_id=REQUEST, outcome="paid"),
        RequestCancelled(request_id=REQUEST, reason="test"),
        RequestMerged(request_id=REQUEST, into_request_id=UUID(int=8)),
    ],
)
def test_a_reminder_that_did_not_go_is_taken_back_when_the_wait_ends(ending: Payload) -> None:
    file = open_file(view=TOLD)
    file.hear(news(reminded(notify_roles=("team_lead",))))
    file.hear(news(ending))
    found = only(file, NoticeKind.REMINDER)
    assert (found.state, found.reason) == (NoticeState.WITHDRAWN, Reason.WAIT_ENDED)


def test_a_reminder_that_is_heard_after_the_end_is_told_to_nobody() -> None:
    file = open_file(view=TOLD)
    file.hear(news(RequestClosed(request_id=REQUEST, outcome="paid")))
    file.hear(news(reminded()))
    assert {notice.key.kind for notice in file.notices.values()} == {NoticeKind.CLOSED}


def test_what_happens_otherwise_takes_no_reminder_back() -> None:
    file = open_file(view=TOLD)
    file.hear(news(reminded(notify_roles=("team_lead",))))
    file.hear(news(RequestResumed(request_id=REQUEST, reason="third_party")))
    file.hear(news(process_changed(None)))
    file.hear(news(RequestResponded(request_id=REQUEST)))
    assert only(file, NoticeKind.REMINDER).state is NoticeState.PLANNED


def test_a_newer_reminder_takes_the_place_of_one_that_did_not_go_and_never_the_other_way_round() -> None:
    file = open_file(view=TOLD)
    for number in (1, 2, 1):
        file.hear(news(reminded(number, notify_roles=("team_lead",))))
    file.hear(news(reminded(3, rule="urgent_waits", notify_roles=("team_lead",))))
    assert [(n.key.cause, n.state, n.reason) for n in file.notices.values()] == [
        ("stage_waits:2:1", NoticeState.WITHDRAWN, Reason.SUPERSEDED),
        ("stage_waits:2:2", NoticeState.PLANNED, None),
        ("urgent_waits:2:3", NoticeState.PLANNED, None),
    ]


def asking(*documents: str, reason: str = "customer_documents") -> RequestPaused:
    return RequestPaused(request_id=REQUEST, reason=reason, documents=documents)


def test_a_customer_is_told_which_documents_are_needed_once() -> None:
    file = open_file(view=TOLD)
    file.hear(news(asking("receipts", "report")))
    file.hear(news(asking("receipts", "report")))
    found = only(file, NoticeKind.DOCUMENTS_NEEDED)
    assert (found.facts.documents, found.key.audience) == (("receipts", "report"), CUSTOMER)


def test_asking_again_later_is_told_again_and_a_pause_without_documents_is_not() -> None:
    file = open_file(view=TOLD)
    file.hear(news(asking("receipts")))
    file.hear(news(asking("report"), NOW + timedelta(days=1)))
    file.hear(news(asking(reason="third_party")))
    found = [notice.facts.documents for notice in file.notices.values()]
    assert found == [("receipts",), ("report",)]


def test_what_is_asked_for_at_the_same_instant_is_told_too() -> None:
    file = open_file(view=TOLD)
    for sequence, document in ((2, "receipts"), (3, "report"), (3, "report")):
        file.hear(news(asking(document), sequence=sequence))
    assert [notice.facts.documents for notice in file.notices.values()] == [("receipts",), ("report",)]


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        (RequestResumed(request_id=REQUEST, reason="customer_documents"), NoticeState.WITHDRAWN),
        (RequestResumed(request_id=REQUEST, reason="customer"), NoticeState.PLANNED),
        (RequestClosed(request_id=REQUEST, outcome="paid"), NoticeState.WITHDRAWN),
        (RequestCancelled(request_id=REQUEST, reason="test"), NoticeState.WITHDRAWN),
    ],
)
def test_asking_that_did_not_go_is_taken_back_when_nothing_is_needed_any_more(
    ending: Payload, state: NoticeState
) -> None:
    file = open_file(view=TOLD)
    file.hear(news(asking("receipts")))
    file.hear(news(ending))
    assert only(file, NoticeKind.DOCUMENTS_NEEDED).state is state


def test_asking_that_is_heard_after_the_end_is_told_to_nobody() -> None:
    file = open_file(view=TOLD)
    file.hear(news(RequestClosed(request_id=REQUEST, outcome="paid")))
    file.hear(news(asking("receipts")))
    assert kinds(file) == [NoticeKind.CLOSED]
