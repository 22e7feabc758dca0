"""Whatever is told late or out of order, whenever the ticks come, clocks end as walking minute by minute says."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.sla_timer.domain.clocks import ClockState
from services.sla_timer.domain.history import Happening
from tests.unit.sla_timer.cases import MINUTE, POLICY, Life, at, walk

_ENDED = (ClockState.MET, ClockState.MISSED, ClockState.CANCELLED)

lateness = st.sampled_from([0, 0, 0, 30, 60, 240, 1500])
happenings = st.sampled_from(
    [
        (Happening.RESPONDED, None),
        (Happening.STAGE_ENTERED, "assessment"),
        (Happening.STAGE_ENTERED, "decision"),
        (Happening.PAUSED, "documents"),
        (Happening.PAUSED, "documents"),
        (Happening.PAUSED, "doctor"),
        (Happening.PAUSED, "lunch"),
        (Happening.RESUMED, "documents"),
        (Happening.RESUMED, "documents"),
        (Happening.RESUMED, "doctor"),
        (Happening.CLOSED, "paid"),
        (Happening.CLOSED, "withdrawn"),
    ]
)


class Clocks(RuleBasedStateMachine):
    @initialize(hour=st.integers(6, 19), late=lateness)
    def submit(self, hour: int, late: int) -> None:
        self.now = at(hour) + late * MINUTE
        self.life = Life.begin(at(hour), self.now)

    @rule(half_hours=st.integers(1, 14))
    def time_passes(self, half_hours: int) -> None:
        """On the grid of the budgets, so that stops often fall on deadlines."""
        self.now += half_hours * 30 * MINUTE

    @rule()
    def tick(self) -> None:
        self.life.tick(self.now)
        self._compare()

    def _compare(self) -> None:
        """Valid right after a tick, and after news, which is read as of now too."""
        for objective in POLICY.objectives:
            walked = walk(objective, self.life.case.history, self.now)
            state = self.life.clocks[objective.code].reading.state
            assert (state if state in _ENDED else "open") == walked.state
            assert set(self.life.standing(objective.code)) == set(walked.decided)
            reading = self.life.clocks[objective.code].reading
            instants = dict(zip((rung.key for rung in objective.ladder), reading.rung_ats, strict=True))
            assert {key: instants[key] for key in walked.decided} == walked.decided

    @rule(happening=happenings, late=lateness)
    def tell(self, happening: tuple[Happening, str | None], late: int) -> None:
        submitted_at = self.life.case.history[0].occurred_at
        occurred_at = max(submitted_at, self.now - late * MINUTE)
        self.life.tell(happening[0], occurred_at, happening[1], recorded_at=self.now)
        self._compare()

    @rule(happening=happenings, objective=st.sampled_from(["response", "resolution"]), rung=st.integers(0, 3))
    def tell_what_happened_at_the_instant_of_a_rung(
        self, happening: tuple[Happening, str | None], objective: str, rung: int
    ) -> None:
        rung_at = self.life.clocks[objective].reading.rung_ats[rung]
        if rung_at is not None and rung_at <= self.now:
            self.life.tell(happening[0], rung_at, happening[1], recorded_at=self.now)
            self._compare()

    @rule()
    def reading_the_history_afresh_gives_the_same_clocks(self) -> None:
        self.life.tick(self.now)
        first = self.life.case.history[0]
        afresh = Life.begin(first.occurred_at, first.recorded_at)
        for event in self.life.case.history[1:]:
            afresh.tell(event.happening, event.occurred_at, event.value, event.recorded_at)
        afresh.tick(self.now)
        for objective in POLICY.objectives:
            mine, other = self.life.clocks[objective.code].reading, afresh.clocks[objective.code].reading
            assert mine == other
            assert set(self.life.standing(objective.code)) == set(afresh.standing(objective.code))

    @invariant()
    def nothing_is_decided_early(self) -> None:
        if hasattr(self, "life"):
            assert all(d.true_at <= self.now for step in self.life.steps for d in step.decisions)

    @invariant()
    def a_clock_that_stands_still_or_has_ended_has_no_timer_before_its_deadline(self) -> None:
        if hasattr(self, "life"):
            for objective in POLICY.objectives:
                clock = self.life.clocks[objective.code]
                timers = clock.timers(objective.ladder)
                assert all(timer.due_at > clock.reading.read_at for timer in timers)
                if clock.reading.is_paused or clock.reading.ended_at is not None:
                    assert timers == []


TestClocks = Clocks.TestCase
TestClocks.settings = settings(max_examples=60, stateful_step_count=25, deadline=timedelta(seconds=5))
