"""What becomes of warnings whose deadline moves before they are sent."""

from __future__ import annotations

from typing import Any

import pytest

from services.notifier.domain.words import NoticeKind, NoticeState, Phase, Reason
from shared.contracts.clocks import (
    ClockCancelled,
    ClockMet,
    ClockPaused,
    ClockResumed,
    ClockRetargeted,
    ClockWarned,
)
from shared.contracts.payload import Payload
from tests.unit.notifier.samples import LATER, REAL, TOLD, clock, news, notice, only, open_file


def test_a_warning_that_did_not_go_names_the_deadline_it_was_moved_to() -> None:
    ready = notice(NoticeKind.WARNING, "role:head", state=NoticeState.READY, attend_at=REAL)
    for moving in (clock(ClockResumed, due_at=LATER), clock(ClockRetargeted, due_at=LATER, reason="extended")):
        file = open_file(ready, view=TOLD)
        file.hear(news(moving))
        moved = only(file, NoticeKind.WARNING)
        assert (moved.state, moved.facts.due_at, moved.key) == (NoticeState.PLANNED, LATER, ready.key)
    file = open_file(ready, view=TOLD)
    file.hear(news(clock(ClockResumed)))
    assert only(file, NoticeKind.WARNING) == ready


@pytest.mark.parametrize(
    "moving",
    [
        clock(ClockPaused, withdrawn_warnings=(1,)),
        clock(ClockResumed, due_at=LATER, withdrawn_warnings=(1,)),
        clock(ClockRetargeted, due_at=LATER, reason="extended", withdrawn_warnings=(1,)),
    ],
)
def test_a_warning_that_comes_again_is_not_told_before(moving: Payload) -> None:
    file = open_file(view=TOLD)
    for level in (1, 2):
        file.hear(news(clock(ClockWarned, level=level)))
    file.hear(news(moving))
    first, second = [n for n in file.notices.values() if n.key.kind is NoticeKind.WARNING]
    assert (first.state, first.reason) == (NoticeState.WITHDRAWN, Reason.DEADLINE_MOVED)
    assert second.state is NoticeState.PLANNED


@pytest.mark.parametrize("waiting", [{"state": NoticeState.READY}, {"state": NoticeState.SENDING}])
def test_a_warning_that_some_have_goes_to_nobody_else_with_the_old_deadline(waiting: dict[str, Any]) -> None:
    phase = Phase.TRANSMITTING if waiting["state"] is NoticeState.SENDING else None
    partly = notice(NoticeKind.WARNING, "role:head", phase=phase, attempt=1, remaining=(1,), attend_at=REAL, **waiting)
    file = open_file(partly, view=TOLD)
    file.hear(news(clock(ClockResumed)))
    assert only(file, NoticeKind.WARNING) == partly
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    moved = only(file, NoticeKind.WARNING)
    assert moved.is_overtaken or moved.state is NoticeState.SENT


def test_a_warning_that_may_have_been_seen_stays_as_it_was() -> None:
    flying = notice(NoticeKind.WARNING, "role:head", state=NoticeState.SENDING, phase=Phase.TRANSMITTING)
    file = open_file(flying, view=TOLD)
    file.hear(news(clock(ClockResumed, due_at=LATER)))
    assert only(file, NoticeKind.WARNING).facts == flying.facts


def test_a_warning_that_comes_again_takes_the_place_of_one_that_did_not_go() -> None:
    file = open_file(view=TOLD)
    file.hear(news(clock(ClockWarned), sequence=2))
    file.hear(news(clock(ClockWarned, level=2), sequence=3))
    file.hear(news(clock(ClockRetargeted, due_at=LATER), sequence=4))
    for _ in range(2):  # from a timer that does not say yet which warnings it withdrew
        file.hear(news(clock(ClockWarned, due_at=LATER), sequence=5))
    warnings = [n for n in file.notices.values() if n.key.kind is NoticeKind.WARNING]
    assert [(n.facts.level, n.facts.due_at, n.reason) for n in warnings] == [
        (1, LATER, Reason.SUPERSEDED),
        (2, LATER, None),
        (1, LATER, None),
    ]


def test_warnings_end_when_their_count_begins_anew_or_their_clock_stops() -> None:
    for ending, reason in (
        (clock(ClockRetargeted, due_at=LATER, reason="reset"), Reason.DEADLINE_MOVED),
        (clock(ClockMet), Reason.CLOCK_STOPPED),
        (clock(ClockCancelled), Reason.CLOCK_CANCELLED),
    ):
        file = open_file(view=TOLD)
        file.hear(news(clock(ClockWarned)))
        file.hear(news(ending))
        assert only(file, NoticeKind.WARNING).reason is reason
