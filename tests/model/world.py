"""The whole engine under a random program, checked against the reference: `play` with a seed does always the same.

Time passes, customers and staff do things, intake tells of them late, twice or by way of the dead letters, processes
crash and take over from each other, their clocks jump, rules and modes change. In the end everything is delivered and
fired, and what stands must be what the reference reckons from all events.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from unittest.mock import patch
from uuid import UUID

from services.sla_timer.domain.clocks import Clock, ClockState, clock_id
from services.sla_timer.domain.decisions import LATE_NEWS, advance, by_objective
from services.sla_timer.domain.history import Origin
from services.sla_timer.domain.modes import Activation
from services.sla_timer.domain.rules import Mode, Rulebook, RungKey, RungKind
from services.sla_timer.handlers.batch import Batch
from services.sla_timer.store import shelf
from services.sla_timer.store.tracked import TrackedRequest
from tests.model.drawing import HOUR, draw_rulebook
from tests.model.intake import MARKETS, Message, Told, go_on, hour_of, submit
from tests.model.process import Process
from tests.model.reference import Answer, reckon
from tests.model.reference_time import CELL, ORIGIN
from tests.model.store import Crash, Rollout, Store

PARTITIONS = 2
STEPS = 100
_CHECKED_SHARE = 0.2  # of the things done to requests; all of them at the end


class World:
    """Attributes:
    latest: no clock ever showed a later time.
    """

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        self.store = Store(PARTITIONS)
        self.rulebooks: dict[int, Rulebook] = {1: draw_rulebook(random, 1, None)}
        self.now = self.latest = ORIGIN + random.randint(24, 24 * 6) * HOUR
        self.requests: list[Told] = []
        self.seconds = 0.0
        self.offsets = [timedelta(0), timedelta(0)]
        self.ahead = random.choice([1, 6, 48]) * HOUR
        self.processes = [self._process(), self._process()]
        for partition in range(PARTITIONS):
            random.choice(self.processes).own(partition)

    def run(self) -> None:
        actions: dict[Callable[[], None], int] = {
            self.pass_time: 20,
            self.wait_for_a_timer: 12,
            self.happen: 34,
            self.publish: 24,
            self.consume: 30,
            self.tick: 26,
            self.fail: 6,
            self.take_over: 3,
            self.restart: 2,
            self.jump: 3,
            self.replay: 5,
            self.change_rules: 2,
            self.change_mode: 3,
            self.roll_out: 8,
        }
        self.happen()
        for action in self.random.choices(list(actions), list(actions.values()), k=STEPS):
            self.seconds += 1
            try:
                action()
            except Crash:
                if self.random.random() < 0.3:
                    self.restart()
        self.drain()
        self.compare()

    # What happens

    def pass_time(self) -> None:
        self.set_now(self.now + self.random.choice([1, 2, 4, 12, 24, 48]) * CELL * self.random.choice([1, 1, 4]))

    def wait_for_a_timer(self) -> None:
        """To the very instant of one; the process sees its own clock."""
        waits = [p.next_at - p.now for p in self.processes if p.next_at is not None and p.next_at > p.now]
        if waits:
            self.set_now(self.now + -(-min(waits) // CELL) * CELL)
            self.tick()

    def set_now(self, now: datetime) -> None:
        self.now = now
        for process, offset in zip(self.processes, self.offsets, strict=True):
            process.now = now + offset
            self.latest = max(self.latest, process.now, now)

    def happen(self) -> None:
        random = self.random
        if len(self.requests) < 3 and (not self.requests or random.random() < 0.1):
            self.requests.append(submit(random, len(self.requests) + 1, PARTITIONS, self.now))
        else:
            go_on(random, random.choice(self.requests), self.now)
        if random.random() < 0.7:
            self.publish()

    def publish(self) -> None:
        told = self.random.choice(self.requests)
        for message in told.waiting:
            self.store.topic[told.partition] += [message] * self.random.choice([1, 1, 1, 1, 2])
        if told.waiting and self.random.random() < 0.1:
            return  # the outbox has not heard of it and publishes it all again
        told.waiting = []

    def consume(self) -> None:
        process = self.random.choice(self.processes)
        for partition in list(process.epochs):
            process.consume(partition, self.random.choice([1, 2, 3, 20]))

    def tick(self) -> None:
        self.random.choice(self.processes).tick(self.random.choice([1, 2, 5, 500]), is_sweep=self.random.random() < 0.3)

    def fail(self) -> None:
        self.random.choice(self.processes).fault = self.random.choice(["before", "after"])

    def take_over(self) -> None:
        """The other one may not have heard of it."""
        partition, process = self.random.randrange(PARTITIONS), self.random.choice(self.processes)
        process.own(partition)
        if self.random.random() < 0.5:
            for other in self.processes:
                if other is not process:
                    other.epochs.pop(partition, None)

    def restart(self) -> None:
        number = self.random.randrange(2)
        lost = list(self.processes[number].epochs)
        self.processes[number] = self._process(self.offsets[number])
        for partition in lost:
            self.random.choice(self.processes).own(partition)

    def jump(self) -> None:
        number = self.random.randrange(2)
        self.offsets[number] = self.random.choice([-24, -3, 0, 0, 3, 24]) * HOUR
        self.set_now(self.now)

    def replay(self) -> None:
        dead = self.store.dead
        if dead:
            self._replay(dead.pop(self.random.randrange(len(dead))))

    def change_rules(self) -> None:
        version = max(self.rulebooks) + 1
        self.rulebooks[version] = draw_rulebook(self.random, version, self.rulebooks[version - 1])
        if self.random.random() < 0.8:
            self._order(version)

    def change_mode(self) -> None:
        random, modes = self.random, self.store.activations
        holding = [number for number, activation in enumerate(modes) if activation.left_at is None]
        if holding and random.random() < 0.5:
            number = random.choice(holding)
            old = modes[number]
            left_at = max(hour_of(self.now), old.entered_at)
            modes[number] = Activation(old.activation_id, old.mode, old.markets, old.entered_at, left_at)
        else:
            mode, markets = random.choice([Mode.PEAK, Mode.EMERGENCY]), random.choice([MARKETS, MARKETS[:1], ()])
            modes.append(Activation(UUID(int=len(modes)), mode, frozenset(markets), hour_of(self.now)))
        self._order(None)

    def roll_out(self) -> None:
        process = self.random.choice(self.processes)
        for partition in list(process.epochs):
            process.roll_out(partition, self.random.choice([1, 2, 200]))

    def drain(self) -> None:
        """Everything is delivered, told and fired; one process is left, and its clock is right."""
        self.offsets = [timedelta(0), timedelta(0)]
        self.set_now(self.latest + self.random.choice([0, 1, 24, 120]) * HOUR)
        for told in self.requests:
            self.store.topic[told.partition] += told.waiting
        survivor = self.processes[0]
        for process in self.processes:
            process.fault = None
        for partition in range(PARTITIONS):
            survivor.own(partition)
        while any(self.store.positions[p] < len(self.store.topic[p]) for p in range(PARTITIONS)) or self.store.dead:
            for partition in range(PARTITIONS):
                survivor.consume(partition, 5)
            for message in self.store.dead:
                self._replay(message)
            self.store.dead = []
        while any(self.store.open_rollouts(partition) for partition in range(PARTITIONS)):
            for partition in range(PARTITIONS):
                survivor.roll_out(partition, 5)
        self.seconds += 100
        for process in self.processes:
            while process.tick(500, is_sweep=True):
                self.seconds += 1

    # Whether it is right

    def watch(self, request: TrackedRequest, changes: Batch, before: int) -> None:
        """Something was done to a request: what was decided must be so by what was known, and nothing overlooked."""
        made = changes._changes.decisions[before:]
        early = [m.decision for m in made if m.decision.true_at > max(self.latest, m.recorded_at)]
        assert not early, f"decided early: {early}"
        if not made and self.random.random() > _CHECKED_SHARE:
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

    def _reckon(self, request: TrackedRequest, at: datetime, code: str | None) -> dict[tuple[str, int], Answer]:
        return reckon(request.history, request.facts, request.policy_version, self.rulebooks, at, code)

    # The parts

    def _process(self, offset: timedelta = timedelta(0)) -> Process:
        return Process(self.store, self.rulebooks, self.watch, lambda: self.seconds, self.now + offset, self.ahead)

    def _replay(self, message: Message) -> None:
        told = next(told for told in self.requests if told.request_id == message.request_id)
        replayed = Message(message.request_id, message.entry, message.facts, is_replay=True)
        self.store.topic[told.partition].append(replayed)

    def _order(self, version: int | None) -> None:
        self.store.rollouts.append(Rollout(len(self.store.rollouts), hour_of(self.now), version))


def play(seed: int) -> None:
    """Raises:
    AssertionError: the engine and the reference differ, or the engine contradicts itself.
    """

    async def load(store: Store, request_ids: list[UUID]) -> dict[UUID, TrackedRequest]:
        return store.load(request_ids)

    with patch.object(shelf, "load_requests", load):
        World(seed).run()
