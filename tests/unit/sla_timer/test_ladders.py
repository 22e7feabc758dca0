"""When each rung of a ladder comes."""

from __future__ import annotations

from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.rules import Budget, BudgetKind, Rung, RungKey, RungKind
from tests.unit.sla_timer.cases import (
    BREACH,
    BREACH_RUNG,
    FIRST,
    HOUR,
    LADDER,
    MINUTE,
    SECOND,
    WARNING,
    Life,
    at,
    elapsed,
    promise,
    working,
)

HOUR_BEFORE = Rung(RungKind.WARNING, 1, after=-HOUR)


def begin(budget: Budget, *rungs: Rung, **fields: object) -> Life:
    return Life.begin(at(10), promise("resolution", budget, ladder=rungs or LADDER, **fields))


def test_warnings_come_after_a_share_of_the_budget_or_a_span_before_the_deadline() -> None:
    half, working_hour, six_hours = (
        Rung(RungKind.WARNING, 1, fraction=0.5),
        Rung(RungKind.WARNING, 2, after=-HOUR, counts=BudgetKind.WORKING),
        Rung(RungKind.WARNING, 3, after=-6 * HOUR),
    )
    life = begin(working(3), half, working_hour, six_hours, BREACH_RUNG)  # until 14; lunch from 12 to 13
    life.tick(at(23))
    assert life.standing("resolution") == {
        RungKey(RungKind.WARNING, 3): at(10),  # never before the start
        RungKey(RungKind.WARNING, 1): at(11.5),
        RungKey(RungKind.WARNING, 2): at(13),  # the latest instant with a working hour left
        BREACH: at(14),
    }


def test_escalations_follow_the_deadline_in_working_or_elapsed_time() -> None:
    rungs = (
        BREACH_RUNG,
        Rung(RungKind.ESCALATION, 1, after=4 * HOUR),
        Rung(RungKind.ESCALATION, 2, after=4 * HOUR, counts=BudgetKind.WORKING),
    )
    life = begin(elapsed(6), *rungs)
    life.tick(at(12, day=3))
    assert life.standing("resolution") == {BREACH: at(16), FIRST: at(20), SECOND: at(11, day=2)}


def test_escalations_leave_pauses_out() -> None:
    life = begin(elapsed(2), paused_by=["documents"])
    life.tick(at(12.5))
    life.tell(Happening.PAUSED, at(12.5), "documents")
    life.tick(at(20))
    assert FIRST not in life.standing("resolution")
    life.tell(Happening.RESUMED, at(20), "documents")
    life.tick(at(21))
    assert life.standing("resolution")[FIRST] == at(20.5)


def test_a_repeating_rung_comes_again_and_again_under_levels_of_its_own() -> None:
    life = begin(elapsed(2), BREACH_RUNG, Rung(RungKind.ESCALATION, 1, after=HOUR, every=2 * HOUR))
    life.tick(at(19))
    assert life.standing("resolution") == {
        BREACH: at(12),
        **{RungKey(RungKind.ESCALATION, level): at(11 + 2 * level) for level in (1, 2, 3, 4)},
    }
    assert [timer.due_at for timer in life.timers()] == [at(21)]


def test_a_repeating_rung_may_come_so_many_times_and_no_more() -> None:
    life = begin(elapsed(2), BREACH_RUNG, Rung(RungKind.ESCALATION, 1, after=HOUR, every=HOUR, times=2))
    life.tick(at(23))
    assert life.standing("resolution") == {BREACH: at(12), FIRST: at(13), SECOND: at(14)}
    assert life.timers() == []


def test_a_repetition_has_an_end_even_when_nobody_ends_the_clock() -> None:
    life = begin(elapsed(1), BREACH_RUNG, Rung(RungKind.ESCALATION, 1, after=MINUTE, every=MINUTE))
    life.tell(Happening.MESSAGE_RECEIVED, at(10, day=3))
    assert max(life.standing("resolution")) == RungKey(RungKind.ESCALATION, 1000)
    assert life.timers() == []


def test_a_repetition_ends_with_the_clock() -> None:
    life = begin(elapsed(1), BREACH_RUNG, Rung(RungKind.ESCALATION, 1, after=HOUR, every=HOUR))
    life.tell(Happening.CLOSED, at(13.5), "paid")
    assert life.standing("resolution") == {BREACH: at(11), FIRST: at(12), SECOND: at(13)}
    assert life.timers() == []


def test_a_warning_before_the_deadline_that_was_given_stands_when_the_clock_pauses_afterwards() -> None:
    life = begin(elapsed(4), HOUR_BEFORE, BREACH_RUNG, paused_by=["documents"])
    life.tick(at(13))
    life.tell(Happening.PAUSED, at(13.5), "documents")
    assert life.standing("resolution") == {WARNING: at(13)}
    life.tell(Happening.RESUMED, at(16), "documents")
    life.tick(at(17))
    assert life.told("resolution") == ["started", "warned", "paused", "resumed", "breached"]


def test_a_warning_before_the_deadline_waits_for_a_clock_that_stands_still() -> None:
    life = begin(elapsed(4), HOUR_BEFORE, BREACH_RUNG, paused_by=["documents"])
    life.tell(Happening.PAUSED, at(12.5), "documents")
    life.tick(at(20))
    assert life.standing("resolution") == {}
    life.tell(Happening.RESUMED, at(20), "documents")
    assert [timer.due_at for timer in life.timers()] == [at(20.5)]
