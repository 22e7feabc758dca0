"""Whether a world is right: what was done to a request at once, and everything in the end."""

from __future__ import annotations

import json
from datetime import datetime
from random import Random

from services.intake.domain.deadlines import Deadline, follow
from services.quality_audit.domain.timeliness import ClockFate, after
from services.sla_timer.domain.clocks import Clock, ClockState, clock_id
from services.sla_timer.domain.decisions import LATE_NEWS, advance, by_objective
from services.sla_timer.domain.history import ENDINGS, Origin
from services.sla_timer.domain.modes import mode_at
from services.sla_timer.domain.rules import Rulebook, RungKey, RungKind
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.store.tracked import TrackedRequest
from shared.contracts.clocks import ClockPayload
from shared.contracts.envelope import find_payload
from tests.model.intake import Told
from tests.model.reference import Answer, reckon
from tests.model.service import Service
from tests.model.store import Store

CHECKED_SHARE = 0.2  # of the things done to requests; all of them at the end


class Judged:
    """Attributes:
    latest: no clock ever showed a later time.
    """

    random: Random
    store: Store
    rulebooks: dict[int, Rulebook]
    now: datetime
    latest: datetime
    requests: list[Told]
    processes: list[Service]

    def watch(self, request: TrackedRequest, changes: Batch, before: int) -> None:
        """Something was done to a request: what was decided must be so by what was known, and nothing overlooked."""
        made = changes._changes.decisions[before:]
        early = [m.decision for m in made if m.decision.true_at > self.latest]
        assert not early, f"decided before any clock had come there: {early}"
        if not made and self.random.random() > CHECKED_SHARE:
            return
        codes = {clock_id(request.request_id, code): code for code in {code for code, _ in request.clocks}}
        for decision in (m.decision for m in made if m.withdrawn_at is None):
            clock = request.clocks[codes[decision.clock_id], decision.cycle]
            found = self._reckon(request, clock.reading.read_at, clock.objective)
            expected = found[clock.objective, clock.cycle].came.get(decision.key)
            assert expected == decision.true_at, f"{clock.objective} {decision}: expected {expected}"
        fresh = TrackedRequest(
            request.request_id, "", request.facts, request.policy_version, 0, "", "", history=list(request.history)
        )
        case, clocks = self.processes[0].case(fresh), by_objective(request.clocks)
        for code in case.objectives():
            steps = advance(case, code, clocks.get(code, []), case.known_at)
            assert not steps, f"{code} had to be read: {steps}"

    def compare(self) -> None:
        for told in self.requests:
            row = self.store.rows[told.request_id]
            heard = [entry for entry in row.history if entry.origin is Origin.INTAKE]
            assert heard == told.said, "what intake said was lost or changed"
            own = [entry.sequence for entry in row.history if entry.origin is Origin.HOUSE]
            assert own == list(range(1, len(own) + 1)), f"own entries are numbered {own}"
            request = self.store.load([told.request_id])[told.request_id]
            answers = self._reckon(request, self.now, None)
            for place, answer in answers.items():
                assert place in row.clocks, f"no clock {place}: {answer}"
                self._compare(row.clocks[place], answer)
            for place, clock in row.clocks.items():
                if place not in answers:
                    reading = clock.reading
                    is_void = reading.state is ClockState.CANCELLED and reading.cause in (LATE_NEWS, None)
                    assert is_void, f"{place} should not be: {clock}"
                    assert not self._standing(clock), f"{place} never was, but has decisions"
            self._compare_announcements(told)
            self._compare_changes(request)

    def _compare(self, clock: Clock, answer: Answer) -> None:
        reading, name = clock.reading, f"{clock.objective} {clock.cycle}"
        state = reading.state.value, reading.started_at, reading.due_at, reading.ended_at, reading.is_paused
        expected = answer.state, answer.started_at, answer.due_at, answer.ended_at, answer.is_paused
        assert state == expected, f"{name} is {state}, expected {expected}"
        assert set(reading.held) == set(answer.came), f"{name} holds {reading.held}, expected {answer.came}"
        standing = self._standing(clock)
        assert standing == set(answer.came), f"{name}: {standing} stand, expected {answer.came}"
        is_overdue = reading.next_at is not None and reading.next_at <= self.now
        assert not is_overdue, f"{name}: its timer was lost: {reading}"

    def _standing(self, clock: Clock) -> set[RungKey]:
        mine = [place for place in self.store.decisions if place[:2] == (clock.clock_id, clock.cycle)]
        return {place[2] for place in mine if self.store.standing(place)}

    def _compare_announcements(self, told: Told) -> None:
        """Whoever only listens knows which breaches stand and how each clock has ended."""
        breaches: dict[tuple[str, int], int] = {}
        ends: dict[tuple[str, int], str] = {}
        for _, kind, data in self.store.told[str(told.request_id)]:
            said = json.loads(data)
            place, word = (said["objective"], said["cycle"]), kind.split(".")[2]
            breaches[place] = breaches.get(place, 0) + {"breached": 1, "breach_withdrawn": -1}.get(word, 0)
            assert breaches[place] in (0, 1), f"{place}: {word} was said when {breaches[place]} stood"
            if word in ("met", "missed", "cancelled"):
                ends[place] = word
        for place, clock in self.store.rows[told.request_id].clocks.items():
            breach = RungKey(RungKind.BREACH, 1)
            assert breaches[place] == (breach in clock.reading.held), f"{place}: {breaches[place]} breaches were said"
            if clock.reading.ended_at is not None:
                assert ends.get(place) == clock.reading.state.value, f"{place}: its end was not said"
        self._compare_listeners(told)

    def _compare_listeners(self, told: Told) -> None:
        """What intake shows of the last cycle and quality_audit counts of each one is what the clock is."""
        shown: dict[str, Deadline] = {}
        fates: dict[tuple[str, int], ClockFate] = {}
        for occurred_at, kind, data in self.store.told[str(told.request_id)]:
            payload = find_payload(kind).model_validate_json(data)
            assert isinstance(payload, ClockPayload)
            place = payload.objective, payload.cycle
            shown[payload.objective] = follow(shown.get(payload.objective), payload, occurred_at)
            fates[place] = after(fates.get(place), payload)
        for (code, cycle), clock in self.store.rows[told.request_id].clocks.items():
            reading, breach = clock.reading, RungKey(RungKind.BREACH, 1)
            state = reading.state.value
            is_missed = state == "missed" or breach in reading.held
            fate = "missed" if is_missed else state if reading.ended_at is not None else "running"
            assert fates[code, cycle].fate == fate, f"{code} {cycle} counts as {fates[code, cycle]}: {reading}"
            if cycle == shown[code].cycle:
                assert shown[code].state == state, f"{code} {cycle} is shown as {shown[code]}: {reading}"
                if state in {"running", "breached"}:
                    assert shown[code].due_at == reading.due_at, f"{code} {cycle} is shown as {shown[code]}: {reading}"

    def _reckon(self, request: TrackedRequest, at: datetime, code: str | None) -> dict[tuple[str, int], Answer]:
        return reckon(request.history, request.facts, request.policy_version, self.rulebooks, at, code)

    def _compare_changes(self, request: TrackedRequest) -> None:
        """What was ordered has reached whoever it concerns: rules what was never over, modes what runs now."""
        now = self.processes[0].case(request).now
        if ENDINGS.isdisjoint(entry.happening for entry in request.history):
            ordered = max((rollout.version or 1 for rollout in self.store.rollouts), default=1)
            assert now.rulebook.version >= ordered, f"version {ordered} never reached {request.request_id}"
        mode = mode_at(self.store.activations, now.facts.market, self.now)
        is_open = any(clock.reading.ended_at is None for clock in request.clocks.values())
        if is_open and not now.rulebook.modes.isdisjoint({mode, now.mode}):
            assert now.mode is mode, f"mode {mode} never reached {request.request_id}: {now.mode}"
