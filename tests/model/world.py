"""The whole engine under a random program, checked against the reference: `play` with a seed does always the same.

Time passes, customers and staff do things, intake tells of them late, twice or by way of the dead letters, processes
crash and take over from each other, their clocks jump, rules and modes change. In the end everything is delivered and
fired, and what stands must be what the reference reckons from all events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from services.sla_timer.domain.modes import Activation
from services.sla_timer.domain.rules import Mode, Rulebook
from tests.model.drawing import HOUR, draw_rulebook
from tests.model.intake import MARKETS, Message, Told, go_on, hour_of, submit
from tests.model.judging import Judged
from tests.model.reference_time import CELL, ORIGIN
from tests.model.service import Service
from tests.model.store import Crash, Rollout, Store

PARTITIONS = 2
STEPS = 100
_WARMED_SHARE = 0.3


class World(Judged):
    """The program and what it has done so far."""

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
        for process in self.processes:
            process.look()

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
        for process in self.processes:
            if self.random.random() < _WARMED_SHARE:
                process.warm()
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
            process.look()
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

    # The parts

    def _process(self, offset: timedelta = timedelta(0)) -> Service:
        return Service(self.store, self.rulebooks, self.watch, lambda: self.seconds, self.now + offset, self.ahead)

    def _replay(self, message: Message) -> None:
        told = next(told for told in self.requests if told.request_id == message.request_id)
        replayed = replace(message, is_dead=False, is_replay=True)
        self.store.topic[told.partition].append(replayed)

    def _order(self, version: int | None) -> None:
        self.store.rollouts.append(Rollout(len(self.store.rollouts), hour_of(self.now), version))
