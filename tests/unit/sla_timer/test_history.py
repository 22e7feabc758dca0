from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from services.sla_timer.domain.history import Happening, Pauses, RequestEvent, find_pauses, request_event
from shared.contracts.clocks import ClockCancelled
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.requests import (
    RequestClosed,
    RequestPaused,
    RequestResponded,
    RequestResumed,
    RequestStageEntered,
)
from tests.unit.sla_timer.cases import REQUEST_ID, at, said

REASONS = frozenset({"documents", "doctor"})


def _event(data: Payload) -> Event[Payload]:
    return Event(
        id=UUID(int=1),
        source="/punctual/intake",
        subject=REQUEST_ID,
        sequence=4,
        occurred_at=at(9),
        recorded_at=at(10),
        correlation_id="c",
        traceparent="t",
        data=data,
    )


def test_request_events_become_entries_of_the_history() -> None:
    cases: list[tuple[Payload, Happening, str | None]] = [
        (RequestStageEntered(request_id=REQUEST_ID, from_stage="a", stage="b"), Happening.STAGE_ENTERED, "b"),
        (RequestResponded(request_id=REQUEST_ID), Happening.RESPONDED, None),
        (RequestPaused(request_id=REQUEST_ID, reason="documents"), Happening.PAUSED, "documents"),
        (RequestResumed(request_id=REQUEST_ID, reason="documents"), Happening.RESUMED, "documents"),
        (RequestClosed(request_id=REQUEST_ID, outcome="paid"), Happening.CLOSED, "paid"),
    ]
    for data, happening, value in cases:
        assert request_event(_event(data)) == RequestEvent(4, happening, at(9), at(10), value)


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
    data = RequestResponded(request_id=REQUEST_ID)
    ahead = _event(data)
    entry = request_event(
        Event(
            id=ahead.id,
            source=ahead.source,
            subject=ahead.subject,
            sequence=4,
            occurred_at=at(10) + timedelta(minutes=4),
            recorded_at=at(10),
            correlation_id="c",
            traceparent="t",
            data=data,
        )
    )
    assert entry is not None
    assert entry.occurred_at == at(10)


def test_pauses_of_several_reasons_are_one_while_any_holds() -> None:
    history = [
        said(1, Happening.SUBMITTED, at(9)),
        said(2, Happening.PAUSED, at(10), "documents"),
        said(3, Happening.PAUSED, at(11), "doctor"),
        said(4, Happening.RESUMED, at(12), "documents"),
        said(5, Happening.RESUMED, at(13), "doctor"),
        said(6, Happening.PAUSED, at(14), "doctor"),
    ]
    assert find_pauses(history, REASONS) == Pauses(((at(10), at(13)),), at(14), "doctor")
    assert find_pauses(history[:4], REASONS) == Pauses((), at(10), "doctor")


def test_a_repeated_pause_begins_with_the_earlier_one() -> None:
    history = [said(2, Happening.PAUSED, at(11), "documents"), said(3, Happening.PAUSED, at(10), "documents")]
    assert find_pauses(history, REASONS).open_since == at(10)


def test_a_resumption_that_occurred_before_its_pause_makes_none_of_it() -> None:
    history = [said(2, Happening.PAUSED, at(11), "documents"), said(3, Happening.RESUMED, at(10), "documents")]
    assert find_pauses(history, REASONS) == Pauses()


def test_a_resumption_without_a_pause_means_nothing() -> None:
    assert find_pauses([said(2, Happening.RESUMED, at(10), "documents")], REASONS) == Pauses()


def test_a_pause_goes_no_further_than_the_end() -> None:
    pauses = Pauses(((at(9), at(10)),), at(11), "documents")
    assert pauses.until(at(12)) == Pauses(((at(9), at(10)), (at(11), at(12))))
    assert pauses.until(at(9.5)) == Pauses(((at(9), at(9.5)),))
