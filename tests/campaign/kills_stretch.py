"""A stretch of the kill campaign: rounds of kills under load, then the comparison of everything."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from random import Random
from uuid import UUID

from bench.quantiles import quantile
from punctual.local.system import LocalSystem
from shared.clock import Clock, monotonic
from tests.acceptance.waiting import wait_until
from tests.campaign.kills_evidence import Comparison, Evidence, compare, gather, records_of_requests
from tests.campaign.kills_lives import Life
from tests.campaign.kills_load import Load
from tests.campaign.kills_oracle import reckon
from tests.campaign.kills_rig import SECOND, SERVICE, Report, clock_of, troubles_in_log, unsettled

_LIVES_A_SECOND = 4.0
_SETTLE_SECONDS = 180.0
_READY_SECONDS = 60.0
_SHOWN = 8


@dataclass(frozen=True)
class Kill:
    """Attributes:
    at: business instant.
    is_clean: whether no other process of the service was there, this one was started again at once, and Kafka and
        Postgres lived on.
    """

    at: datetime
    how: str
    is_clean: bool


@dataclass
class Outcome:
    """Attributes:
    failed: the rounds whose requests differ.
    seconds_to_fire: real time from a kill of the only process, started again at once, to the next decision.
    """

    comparison: Comparison
    failed: set[int]
    seconds_to_fire: list[tuple[float, str]]
    requests: int
    events: int
    record_repeats: int
    decisions: int
    withdrawn: int


class Stretch:
    """Some rounds under load, and what came of them."""

    def __init__(self, system: LocalSystem, seed: int, report: Report, *, has_zombies: bool = False) -> None:
        """Args:
        has_zombies: whether a process also stands still until its partitions are taken, and wakes up again.
        """
        self.system = system
        self.clock: Clock = clock_of(system.process(SERVICE))
        self.kills: list[Kill] = []
        self._seed = seed
        self._rng = Random(seed)
        self._report = report
        self._has_zombies = has_zombies
        self._pause = threading.Event()
        self._load = Load(system.kafka_bootstrap, self.clock, Random(seed + 1), _LIVES_A_SECOND)
        self._present = [SERVICE]

    @property
    def lives(self) -> Sequence[Life]:
        return self._load.lives

    def run(self, kills: int, first_round: int = 1, until: float | None = None) -> int:
        """Kill under load, then let the load end; gives the number of rounds.

        Args:
            until: real instant of ``monotonic`` after which no further round begins.
        """
        self.begin()
        done = 0
        for number in range(kills):
            if until is not None and monotonic() > until:
                break
            self._load.round_number = first_round + number
            self._staff(number % 30)
            self._round(self._rng.choice(self._present))
            done += 1
            self._report(self.kills[-1].how)
        self.end()
        return done

    def begin(self) -> None:
        """Have the load tell lives."""
        self._load.start()
        self.wait(1.0)

    def end(self) -> None:
        """Stop where every life is; what was told is in Kafka, and one process is left."""
        self._leave()
        self._load.finish()

    def wait(self, seconds: float) -> None:
        self._pause.wait(seconds)

    def settle(self) -> datetime:
        """Wait until every rung of every request has passed and all is worked off; an instant after that."""
        self.system.process(SERVICE).wait_until_ready(_READY_SECONDS)
        far = self.clock.now() + timedelta(days=1)
        answers = [answer for life in self.lives if life.told for answer in reckon(life.told, far).values()]
        last = max((at for answer in answers for at in answer.rungs.values()), default=self.clock.now())
        seconds = max(0.0, self.clock.real_seconds_until(last))
        self._report(f"the last rung comes in {seconds:.0f} s")
        wait_until(lambda: self.clock.now() > last, seconds + 5, "the last rung")
        records = records_of_requests(self.system)
        try:
            wait_until(lambda: not unsettled(self.system, records), _SETTLE_SECONDS, "everything to be worked off")
        except TimeoutError:
            self._report(f"not worked off: {unsettled(self.system, records)}")
        return self.clock.now()

    def judge(self, at: datetime, earlier: Sequence[Life] = (), *, is_clock_steady: bool = True) -> Outcome:
        """Compare everything, also what earlier stretches told.

        Args:
            is_clock_steady: whether what is early by the clock of now was decided early.
        """
        lives = [life for life in (*earlier, *self.lives) if life.told]
        by_id = {life.request_id: life for life in lives}
        evidence = gather(self.system)
        comparison = compare(
            evidence, {life.request_id: life.told for life in lives}, at, is_clock_steady=is_clock_steady
        )
        for name in (SERVICE, SECOND):
            for line in troubles_in_log(self.system, name):
                comparison.note(None, f"the log of {name} says {line}")
        failed = {by_id[d.request_id].number for d in comparison.differences if d.request_id in by_id}
        if any(d.request_id not in by_id for d in comparison.differences):
            failed.add(max(life.number for life in lives))
        self._show(comparison, by_id, at)
        return Outcome(
            comparison,
            failed,
            seconds_to_fire(self.kills, evidence, self.clock.speed),
            requests=len(lives),
            events=sum(len(life.told) for life in lives),
            record_repeats=evidence.repeats,
            decisions=len(evidence.decisions),
            withdrawn=sum(d["withdrawn_at"] is not None for d in evidence.decisions),
        )

    def _staff(self, number: int) -> None:
        """Now and then a second process joins, and leaves in order or by a kill; twice what all stand on is killed."""
        if number in {4, 17}:
            self._join()
        elif number == 9:
            self.wait(self._rng.uniform(0, 1))
            self._kill(SECOND, "second killed for good", counts=False)
            self._present.remove(SECOND)
        elif number == 20 and self._has_zombies:
            self._make_zombie()
        elif number == 21:
            self._leave()
        elif number in {12, 25}:
            name = "postgres" if number == 12 else "kafka"
            self._report(f"killing {name}")
            self.kills[-1] = replace(self.kills[-1], is_clean=False)
            child = self.system.process(name)
            child.kill()
            self.wait(self._rng.uniform(0, 1))
            child.start()
            child.wait_until_ready(_READY_SECONDS)

    def _make_zombie(self) -> None:
        child = self.system.process(SERVICE)
        child.wait_until_ready(_READY_SECONDS)
        self.system.process(SECOND).wait_until_ready(_READY_SECONDS)
        self.wait(self._rng.uniform(3, 4))  # both fire
        self._report("the first process stands still, and wakes up when its partitions are taken")
        child.suspend()
        self.wait(self._rng.uniform(9, 12))
        child.resume()
        self.wait(self._rng.uniform(1, 2))

    def _join(self) -> None:
        self._report("a second process joins")
        try:
            self.system.process(SECOND).start()
        except KeyError:
            self.system.add_process(SERVICE, SECOND)
        self._present.append(SECOND)

    def _leave(self) -> None:
        if SECOND in self._present:
            self._report("the second process leaves")
            self.system.process(SECOND).stop()
            self._present.remove(SECOND)

    def _round(self, name: str) -> None:
        child = self.system.process(name)
        how = self._rng.choices(("working", "starting", "twice", "dead for a while"), (42, 36, 12, 10))[0]
        if how == "starting":
            self.wait(self._rng.uniform(0, 1))  # wherever it is since the kill before
        else:
            child.wait_until_ready(_READY_SECONDS)
            self.wait(self._rng.uniform(0, 1))
        self._kill(name, how)
        if how == "dead for a while":
            self.wait(self._rng.uniform(0.5, 2.5))
        child.start()
        if how == "twice":
            self.wait(self._rng.uniform(0, 0.3))
            self._kill(name, how, counts=False)
            child.start()

    def _kill(self, name: str, how: str, *, counts: bool = True) -> None:
        child = self.system.process(name)
        assert child.is_running, f"{name} ended by itself with code {child.exit_code}"
        child.kill()
        if counts:
            self.kills.append(
                Kill(
                    self.clock.now(),
                    f"round {self._load.round_number}, {name} {how}",
                    is_clean=len(self._present) == 1 and how in {"working", "starting"},
                )
            )

    def _show(self, comparison: Comparison, by_id: dict[UUID, Life], at: datetime) -> None:
        """The first differences with everything that explains them."""
        if not comparison.differences:
            return
        self._report(f"{len(comparison.differences)} differences, seed {self._seed}, read at {at.isoformat()}")
        for difference in comparison.differences[:_SHOWN]:
            self._report(f"\n{difference.request_id}: {difference.what}")
            life = by_id.get(difference.request_id) if difference.request_id is not None else None
            if life is not None:
                for told in life.told:
                    self._report(f"    {told}")
                for key, answer in reckon(life.told, at).items():
                    self._report(f"    expected {key}: {answer}")


def seconds_to_fire(kills: Sequence[Kill], evidence: Evidence, speed: float) -> list[tuple[float, str]]:
    """From a kill of the only process, started again at once, to the next decision, in real seconds; which kill."""
    instants = sorted(decision["recorded_at"] for decision in evidence.decisions)
    found: list[tuple[float, str]] = []
    for kill, following in zip_longest(kills, kills[1:]):
        place = bisect_right(instants, kill.at)
        if not kill.is_clean or place == len(instants):
            continue
        if following is None or instants[place] < following.at:  # else it was killed again before it came to that
            found.append(((instants[place] - kill.at).total_seconds() / speed, kill.how))
    return found


def summary(outcome: Outcome) -> str:
    comparison, fired = outcome.comparison, outcome.seconds_to_fire
    lines = [
        f"{outcome.requests} requests, {outcome.events} events, {outcome.record_repeats} records repeated by the relay",
        f"{outcome.decisions} decisions made, {outcome.withdrawn} withdrawn, {comparison.checked} standing compared",
        f"{comparison.by_earlier_news} of them at an instant that later news has moved",
    ]
    if fired:
        seconds = [entry for entry, _ in fired]
        longest, how = max(fired)
        lines.append(
            f"kill to the next decision: p50 {quantile(seconds, 0.5):.2f} s, p90 {quantile(seconds, 0.9):.2f} s,"
            f" max {longest:.2f} s ({how}), {len(fired)} kills"
        )
    return "\n".join(lines)
