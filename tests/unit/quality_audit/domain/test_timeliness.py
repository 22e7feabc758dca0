from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality_audit.domain.timeliness import ClockFate, Fate, KnownClock, Stretch, after, is_timely
from shared.contracts.clocks import (
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

DUE_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
EARLY_AT = DUE_AT - timedelta(hours=1)
LATE_AT = DUE_AT + timedelta(days=3)
OF_A_CLOCK = {
    "clock_id": UUID(int=1),
    "request_id": UUID(int=2),
    "reference": "K7M4Q-2XD9C",
    "objective": "resolution",
    "policy": "claim",
    "policy_version": 1,
    "due_at": DUE_AT,
}


def news(event: type[ClockPayload], **fields: object) -> ClockPayload:
    return event.model_validate({**OF_A_CLOCK, **fields})


STARTED = news(ClockStarted, started_at=EARLY_AT, budget_seconds=60, budget_kind="working", calendar="hk")
WARNED = news(ClockWarned, level=1)
PAUSED = news(ClockPaused, paused_at=EARLY_AT, reason="third_party")
RESUMED = news(ClockResumed, resumed_at=EARLY_AT)
RETARGETED = news(ClockRetargeted, previous_due_at=EARLY_AT, reason="priority")
BREACHED = news(ClockBreached)
ESCALATED = news(ClockEscalated, level=1)
MET = news(ClockMet, stopped_at=EARLY_AT)
MISSED = news(ClockMissed, stopped_at=LATE_AT)
WITHDRAWN = news(ClockBreachWithdrawn, stopped_at=EARLY_AT)
CANCELLED = news(ClockCancelled, cancelled_at=EARLY_AT, reason="withdrawn")


def fate_of(*events: ClockPayload) -> ClockFate:
    known: ClockFate | None = None
    for event in events:
        known = after(known, event)
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("events", "fate"),
    [
        ([STARTED], ClockFate(Fate.RUNNING)),
        ([STARTED, WARNED, PAUSED, RESUMED, RETARGETED], ClockFate(Fate.RUNNING)),
        ([STARTED, MET], ClockFate(Fate.MET, EARLY_AT)),
        ([STARTED, BREACHED, ESCALATED], ClockFate(Fate.MISSED, DUE_AT)),
        ([STARTED, BREACHED, MISSED], ClockFate(Fate.MISSED, DUE_AT)),
        ([STARTED, MISSED], ClockFate(Fate.MISSED, DUE_AT)),
        ([STARTED, BREACHED, WITHDRAWN, MET], ClockFate(Fate.MET, EARLY_AT)),
        ([STARTED, BREACHED, MISSED, WITHDRAWN, MET], ClockFate(Fate.MET, EARLY_AT)),
        ([STARTED, BREACHED, WITHDRAWN, RETARGETED], ClockFate(Fate.RUNNING)),
        ([STARTED, BREACHED, WITHDRAWN, PAUSED], ClockFate(Fate.RUNNING)),
        ([STARTED, BREACHED, CANCELLED, WITHDRAWN, CANCELLED], ClockFate(Fate.CANCELLED)),
        ([STARTED, CANCELLED], ClockFate(Fate.CANCELLED)),
        ([STARTED, BREACHED, CANCELLED], ClockFate(Fate.MISSED, DUE_AT)),
    ],
)
def test_the_fate_of_a_clock(events: list[ClockPayload], fate: ClockFate) -> None:
    assert fate_of(*events) == fate


def test_a_late_stop_counts_where_the_deadline_was() -> None:
    # The stop lies in another quarter; the failure belongs to the quarter of the deadline.
    assert fate_of(STARTED, MISSED).sealed_at == DUE_AT


@given(st.lists(st.sampled_from([STARTED, WARNED, PAUSED, BREACHED, MET, MISSED, WITHDRAWN, CANCELLED]), min_size=1))
def test_told_twice_is_told_once(events: list[ClockPayload]) -> None:
    doubled = [event for event in events for _ in range(2)]
    assert fate_of(*doubled) == fate_of(*events)


@given(st.lists(st.sampled_from([STARTED, WARNED, PAUSED, BREACHED, MET, MISSED, WITHDRAWN, CANCELLED]), min_size=1))
def test_exactly_the_settled_fates_have_an_instant(events: list[ClockPayload]) -> None:
    found = fate_of(*events)
    assert (found.sealed_at is not None) == (found.fate in {Fate.MET, Fate.MISSED})


def test_a_replayed_start_does_not_forget_the_end() -> None:
    assert fate_of(MET, STARTED) == ClockFate(Fate.MET, EARLY_AT)


@pytest.mark.parametrize(
    ("fates", "timely"),
    [
        ([], None),
        ([Fate.CANCELLED], None),
        ([Fate.MET, Fate.RUNNING], None),
        ([Fate.MET, Fate.CANCELLED], True),
        ([Fate.MET, Fate.MET], True),
        ([Fate.MISSED, Fate.RUNNING], False),
    ],
)
def test_a_request_is_timely_when_all_its_clocks_are(fates: list[Fate], timely: bool | None) -> None:
    assert is_timely(fates) is timely


def test_a_clock_is_one_of_the_unit_in_whose_cycle_it_started() -> None:
    first, second = Stretch(None, EARLY_AT), Stretch(DUE_AT, LATE_AT)
    clocks = [KnownClock(Fate.MET, EARLY_AT), KnownClock(Fate.RUNNING, DUE_AT)]
    assert first.fates_of(clocks) == [Fate.MET]
    assert second.fates_of(clocks) == [Fate.RUNNING]
    unheard = KnownClock(Fate.MISSED, None)
    assert first.fates_of([unheard]) == second.fates_of([unheard]) == [Fate.MISSED]


def test_a_clock_that_starts_as_the_request_is_closed_is_one_of_the_cycle_that_begins_then() -> None:
    clocks = [KnownClock(Fate.MET, EARLY_AT), KnownClock(Fate.MISSED, DUE_AT)]
    assert Stretch(None, DUE_AT).fates_of(clocks) == [Fate.MET]
    assert Stretch(DUE_AT, LATE_AT).fates_of(clocks) == [Fate.MISSED]


def test_a_unit_that_ends_at_the_instant_it_began_has_the_clocks_of_that_instant() -> None:
    clocks = [KnownClock(Fate.MET, DUE_AT)]
    assert Stretch(None, DUE_AT).fates_of(clocks) == [Fate.MET]
    assert Stretch(DUE_AT, DUE_AT).fates_of(clocks) == [Fate.MET]


_HOURS = st.integers(0, 40).map(lambda hours: DUE_AT + timedelta(hours=hours))


@given(
    st.lists(_HOURS, min_size=1, max_size=7, unique=True),
    st.lists(_HOURS, max_size=8),
    st.sampled_from([timedelta(0), timedelta(minutes=1)]),
)
def test_no_clock_is_counted_for_two_closings(
    turns: list[datetime], starts: list[datetime], until_reopened: timedelta
) -> None:
    *turns, last = sorted(turns)
    bounds = [None, *turns, last]
    closings = [later - until_reopened for later in (*turns, last)]
    stretches = [Stretch(began, ended) for began, ended in zip(bounds, closings, strict=False)]
    clocks = [KnownClock(Fate.MET, started_at) for started_at in (EARLY_AT, *starts)]
    counted = sum(len(stretch.fates_of(clocks)) for stretch in stretches)
    assert counted == sum(started_at < last for started_at in (EARLY_AT, *starts))
