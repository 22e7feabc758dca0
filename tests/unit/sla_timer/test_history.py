from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.sla_timer.domain.history import Happening, RequestEvent, means_nothing, request_event
from shared.contracts.casework import RequestNoted, RequestProcessChanged
from shared.contracts.clocks import ClockCancelled
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload, Priority
from shared.contracts.requests import (
    RequestAssigned,
    RequestCancelled,
    RequestChanged,
    RequestClosed,
    RequestCustomerInformed,
    RequestExtended,
    RequestMerged,
    RequestMessageReceived,
    RequestPaused,
    RequestReopened,
    RequestResponded,
    RequestResumed,
    RequestSignalled,
    RequestStageEntered,
    RequestStageLeft,
)
from tests.unit.sla_timer.cases import REQUEST_ID, at, said

INTO = UUID("01977c00-0000-7000-8000-000000000002")


def followed(from_stage: str | None) -> RequestProcessChanged:
    return RequestProcessChanged(
        request_id=REQUEST_ID, process="claim", process_version=2, stage="b", reason="renamed", from_stage=from_stage
    )


CASES: list[tuple[Payload, Happening, str | None, Mapping[str, Any] | None]] = [
    (
        RequestStageEntered(request_id=REQUEST_ID, from_stage="a", stage="b"),
        Happening.STAGE_ENTERED,
        "b",
        {"from": "a"},
    ),
    (RequestStageLeft(request_id=REQUEST_ID, stage="a"), Happening.STAGE_LEFT, "a", None),
    (followed("a"), Happening.STAGE_ENTERED, "b", {"from": "a"}),
    (RequestResponded(request_id=REQUEST_ID), Happening.RESPONDED, None, None),
    (RequestMessageReceived(request_id=REQUEST_ID), Happening.MESSAGE_RECEIVED, None, None),
    (RequestCustomerInformed(request_id=REQUEST_ID), Happening.CUSTOMER_INFORMED, None, None),
    (RequestAssigned(request_id=REQUEST_ID, team="motor"), Happening.ASSIGNED, "motor", None),
    (RequestAssigned(request_id=REQUEST_ID, cleared=("team",)), Happening.ASSIGNED, None, {"cleared": ["team"]}),
    (RequestPaused(request_id=REQUEST_ID, reason="documents"), Happening.PAUSED, "documents", None),
    (RequestResumed(request_id=REQUEST_ID, reason="documents"), Happening.RESUMED, "documents", None),
    (RequestSignalled(request_id=REQUEST_ID, signal="complete"), Happening.SIGNALLED, "complete", None),
    (
        RequestChanged(request_id=REQUEST_ID, priority=Priority.URGENT, reason="asked"),
        Happening.CHANGED,
        "asked",
        {"priority": "urgent"},
    ),
    (
        RequestExtended(
            request_id=REQUEST_ID, objective="resolution", seconds=3600, reason="storm", approved_by="head"
        ),
        Happening.EXTENDED,
        "resolution",
        {"seconds": 3600, "reason": "storm", "approved_by": "head"},
    ),
    (RequestClosed(request_id=REQUEST_ID, outcome="paid"), Happening.CLOSED, "paid", None),
    (RequestReopened(request_id=REQUEST_ID, reason="appeal"), Happening.REOPENED, "appeal", None),
    (RequestCancelled(request_id=REQUEST_ID, reason="mistake"), Happening.CANCELLED, "mistake", None),
    (RequestMerged(request_id=REQUEST_ID, into_request_id=INTO), Happening.MERGED, None, {"into": str(INTO)}),
]


def _event(data: Payload, occurred_at: datetime | None = None) -> Event[Payload]:
    return Event(
        id=UUID(int=1),
        source="/punctual/intake",
        subject=REQUEST_ID,
        sequence=4,
        occurred_at=occurred_at or at(9),
        recorded_at=at(10),
        correlation_id="c",
        traceparent="t",
        data=data,
    )


@pytest.mark.parametrize(("data", "happening", "value", "details"), CASES, ids=lambda part: type(part).__name__)
def test_request_events_become_entries_of_the_history(
    data: Payload, happening: Happening, value: str | None, details: Mapping[str, Any] | None
) -> None:
    assert request_event(_event(data)) == RequestEvent(4, happening, at(9), at(10), value, details)


def test_what_says_nothing_to_clocks_is_passed_over() -> None:
    noted = RequestNoted(request_id=REQUEST_ID)
    for payload, nothing in ((followed(None), True), (noted, True), (followed("a"), False)):
        assert means_nothing(payload) is nothing
        assert (request_event(_event(payload)) is None) is nothing


def test_an_event_that_is_not_about_a_request_is_none() -> None:
    told = ClockCancelled(
        clock_id=REQUEST_ID,
        request_id=REQUEST_ID,
        reference="r",
        objective="response",
        policy="p",
        policy_version=1,
        cancelled_at=at(9),
        reason="withdrawn",
    )
    assert request_event(_event(told)) is None


def test_what_is_said_to_happen_later_has_happened_when_it_was_said() -> None:
    entry = request_event(_event(RequestResponded(request_id=REQUEST_ID), at(10) + timedelta(minutes=4)))
    assert entry is not None
    assert entry.occurred_at == at(10)


def test_a_policy_calls_an_event_by_its_name_or_by_its_name_and_value() -> None:
    assert said(2, Happening.CLOSED, at(9), "paid").words == {"closed", "closed:paid"}
    assert said(2, Happening.RESPONDED, at(9)).words == {"responded"}


def test_a_submission_enters_its_first_stage() -> None:
    assert said(1, Happening.SUBMITTED, at(9), "registration").words == {"submitted", "stage_entered:registration"}


def test_entering_a_stage_leaves_the_one_before() -> None:
    entry = said(2, Happening.STAGE_ENTERED, at(9), "decision", details={"from": "assessment"})
    assert entry.words == {"stage_entered", "stage_entered:decision", "stage_left", "stage_left:assessment"}


@pytest.mark.parametrize("happening", [Happening.CLOSED, Happening.CANCELLED, Happening.MERGED])
def test_a_request_that_is_closed_cancelled_or_merged_is_over(happening: Happening) -> None:
    assert said(2, happening, at(9), "x").meaning.ends_request
    assert said(2, happening, at(9), "x").meaning.concerns_every_clock
