"""What is shown of a clock, event by event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.deadlines import Deadline, DeadlineState, expected_at, follow, overdue_since
from shared.contracts.clocks import (
    PAYLOADS,
    ClockBreached,
    ClockBreachWithdrawn,
    ClockCancelled,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockPaused,
    ClockPayload,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockWarned,
)

T = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DUE = T + timedelta(hours=8)


def event(kind: type[ClockPayload], cycle: int = 1, **data: Any) -> ClockPayload:
    """An event with every field any kind may need; a kind takes those it knows."""
    given_fields = {
        "clock_id": UUID(int=1),
        "request_id": UUID(int=2),
        "reference": "K7M4Q-2XD9C",
        "objective": "resolution",
        "cycle": cycle,
        "policy": "default",
        "policy_version": 1,
        "started_at": T,
        "due_at": DUE,
        "previous_due_at": DUE,
        "budget_seconds": 28800.0,
        "budget_kind": "working",
        "calendar": "hk",
        "paused_at": T,
        "resumed_at": T,
        "cancelled_at": T,
        "stopped_at": T,
        "reason": "third_party",
        "level": 1,
    }
    return kind.model_validate(given_fields | data)


def after(*events: ClockPayload) -> Deadline:
    deadline: Deadline | None = None
    for payload in events:
        deadline = follow(deadline, payload, T)
    assert deadline is not None
    return deadline


STARTED = event(ClockStarted)


@pytest.mark.parametrize(
    ("events", "state", "due_at"),
    [
        ([], "running", DUE),
        ([event(ClockWarned)], "running", DUE),
        ([event(ClockPaused)], "paused", None),
        ([event(ClockPaused), event(ClockResumed, due_at=DUE + timedelta(1))], "running", DUE + timedelta(1)),
        ([event(ClockPaused), event(ClockRetargeted)], "paused", None),
        ([event(ClockRetargeted, due_at=T)], "running", T),
        ([event(ClockBreached)], "breached", DUE),
        ([event(ClockBreached), event(ClockPaused)], "breached", DUE),
        ([event(ClockBreached), event(ClockPaused), event(ClockResumed, due_at=T)], "breached", T),
        ([event(ClockMet), event(ClockRetargeted, due_at=DUE)], "running", DUE),
        ([event(ClockMissed), event(ClockRetargeted, due_at=T)], "breached", T),
        ([event(ClockCancelled), event(ClockPaused)], "paused", None),
        ([event(ClockBreached), event(ClockRetargeted, due_at=DUE + timedelta(1))], "running", DUE + timedelta(1)),
        ([event(ClockBreached), event(ClockRetargeted, due_at=T)], "breached", T),
        ([event(ClockMet)], "met", DUE),
        ([event(ClockBreached), event(ClockBreachWithdrawn), event(ClockMet)], "met", DUE),
        ([event(ClockBreached), event(ClockMissed), event(ClockBreachWithdrawn), event(ClockMet)], "met", DUE),
        ([event(ClockBreached), event(ClockBreachWithdrawn)], "running", DUE),
        ([event(ClockBreached), event(ClockBreachWithdrawn), event(ClockPaused)], "paused", None),
        ([event(ClockBreached), event(ClockCancelled), event(ClockBreachWithdrawn)], "cancelled", None),
        ([event(ClockMet), event(ClockBreachWithdrawn)], "met", DUE),
        ([event(ClockCancelled)], "cancelled", None),
        ([event(ClockMet), event(ClockStarted, cycle=2)], "running", DUE),
    ],
)
def test_each_event_leaves_its_state(events: list[ClockPayload], state: str, due_at: datetime | None) -> None:
    deadline = after(STARTED, *events)
    assert (deadline.state, deadline.due_at) == (state, due_at)


def test_a_new_cycle_begins_afresh() -> None:
    deadline = after(STARTED, event(ClockWarned), event(ClockEscalated, level=2), event(ClockWarned, cycle=2))
    assert (deadline.cycle, deadline.is_warned, deadline.escalation_level) == (2, True, 0)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_late_news_of_an_earlier_cycle_changes_nothing(kind: type[ClockPayload]) -> None:
    second = after(STARTED, event(ClockStarted, cycle=2, due_at=DUE + timedelta(1)))
    assert follow(second, event(kind), T) == second


def test_a_repeated_lower_escalation_does_not_lower_the_level() -> None:
    assert after(STARTED, event(ClockEscalated, level=2), event(ClockEscalated, level=1)).escalation_level == 2


@given(st.lists(st.sampled_from(PAYLOADS), min_size=1, max_size=12))
def test_any_events_in_any_order_give_a_deadline_without_contradictions(kinds: list[type[ClockPayload]]) -> None:
    deadline = after(*(event(kind) for kind in kinds))
    if deadline.state in (DeadlineState.PAUSED, DeadlineState.CANCELLED) and kinds[-1] in (ClockPaused, ClockCancelled):
        assert deadline.due_at is None
    if deadline.state in (DeadlineState.MET, DeadlineState.MISSED):
        assert deadline.stopped_at is not None
    assert expected_at([deadline]) is None or overdue_since([deadline]) is None


def test_the_expected_time_is_that_of_the_running_resolution() -> None:
    response = follow(None, event(ClockStarted, objective="response", due_at=T), T)
    assert expected_at([response, after(STARTED)]) == DUE
    assert expected_at([response]) is None
    assert overdue_since([after(STARTED, event(ClockBreached))]) == DUE
    assert overdue_since([response]) is None


def test_a_clock_event_of_a_newer_kind_changes_nothing() -> None:
    assert follow(after(STARTED), event(ClockPayload), T) == after(STARTED)
