"""The four measurements, the same for each peer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, milliseconds
from bench.peers.child import PeerOn
from bench.peers.fires import Fire, read_fires
from bench.processes import OURSELVES, cpu_use
from bench.quantiles import quantile
from bench.rig import say
from punctual.local.system import LocalSystem
from shared.clock import monotonic, real_now

_FAR_SECONDS = 30 * 86_400.0  # nothing pending becomes due in a run
_SPREAD_SECONDS = 0.01
_SETTLE_SECONDS = 4.0  # from the load until the first timer is due: the worker starts meanwhile
_SAFETY = 1.5  # loads vary
_DRAIN_LIMIT_SECONDS = 60.0  # Procrastinate takes up what was being done at a kill after 30 s
_LAST_THREADS_SECONDS = 1.0
_DUE_WITHIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Asked:
    """How much to measure.

    Attributes:
        pending: timers stored first, that stay pending during the rest.
        rate: timers fired per second, for ``seconds``.
        moves: timers moved, then cancelled.
        due: timers that become due around a kill.
    """

    pending: int
    rate: float
    seconds: float
    moves: int
    due: int


class Measures:
    """One peer under measurement; numbers its timers.

    Args:
        folder: for the logs of what fired.
    """

    def __init__(self, peer: PeerOn, system: LocalSystem, folder: Path, asked: Asked) -> None:
        self._peer = peer
        self._system = system
        self._folder = folder
        self._asked = asked
        self._next = 0
        self._stored_per_second = 100.0

    def all(self) -> list[Figure]:
        self._peer.prepare()
        figures = [*self._stored(), *self._fired(), *self._altered(), *self._killed()]
        return [Figure(f"{self._peer.name}: {f.name}", f.value, f.unit) for f in figures]

    def _stored(self) -> list[Figure]:
        pending = self._asked.pending
        say(f"{self._peer.name}: storing {pending:,} timers")
        seconds = self._peer.store(self._take(pending), pending, _in(_FAR_SECONDS), _SPREAD_SECONDS)
        self._peer.tidy()
        self._stored_per_second = pending / seconds
        return [Figure("timers stored", pending), Figure("timers stored per second", self._stored_per_second, "/s")]

    def _fired(self) -> list[Figure]:
        asked = self._asked
        number = int(asked.rate * asked.seconds)
        say(f"{self._peer.name}: firing at {asked.rate:g}/s for {asked.seconds:g} s")
        log = self._folder / f"{self._peer.name}-fired"
        first_at = self._load(number, 1 / asked.rate)
        with self._peer.working(log) as worker:
            _sleep_until(first_at)
            with cpu_use(self._system, {self._peer.name: worker.pid}) as use:
                _sleep_until(first_at + asked.seconds)
            self._wait_until_done(log, number)
        fires = read_fires(log)
        late = [fire.lateness_seconds for fire in fires]
        instants = [fire.fired_at for fire in fires]
        return [
            Figure("timers due at a steady rate", number),
            *_counts(number, fires),
            Figure("fired per second, until all had", len(fires) / (quantile(instants, 1.0) - first_at), "/s"),
            Figure("fired early", sum(seconds < 0 for seconds in late)),
            milliseconds("lateness, p50", quantile(late, 0.5)),
            milliseconds("lateness, p99", quantile(late, 0.99)),
            milliseconds("lateness, longest", quantile(late, 1.0)),
            *(
                Figure(f"cores used by {name} while firing", cores, "cores")
                for name, cores in use.cores.items()
                if name != OURSELVES
            ),
        ]

    def _altered(self) -> list[Figure]:
        moves = self._asked.moves
        say(f"{self._peer.name}: moving and cancelling {moves:,} timers")
        took = self._peer.alter(self._take(moves), moves, _in(_FAR_SECONDS), _SPREAD_SECONDS)
        return [
            Figure("timers moved per second", moves / took["move_seconds"], "/s"),
            Figure("timers cancelled per second", moves / took["cancel_seconds"], "/s"),
        ]

    def _killed(self) -> list[Figure]:
        due = self._asked.due
        say(f"{self._peer.name}: kill -9 while {due:,} timers become due")
        log = self._folder / f"{self._peer.name}-killed"
        first_at = self._load(due, _DUE_WITHIN_SECONDS / due)
        with self._peer.working(log):
            _sleep_until(first_at + _DUE_WITHIN_SECONDS / 2)
        before = len({fire.number for fire in read_fires(log)})
        _sleep_until(first_at + _DUE_WITHIN_SECONDS)
        started_at = real_now().timestamp()
        with self._peer.working(log):
            self._wait_until_done(log, due)
        fires = read_fires(log)
        after = [fire.fired_at - started_at for fire in _firsts(fires) if fire.fired_at > started_at]
        return [
            Figure("timers due around a kill", due),
            Figure("fired before the kill", before),
            Figure("process start to the first fire", quantile(after, 0.0), "s"),
            Figure("process start to all fired", quantile(after, 1.0), "s"),
            *(Figure(f"over the kill: {f.name}", f.value, f.unit) for f in _counts(due, fires)),
        ]

    def _load(self, number: int, spacing: float) -> float:
        """Store timers that become due soon; when the first one does."""
        first_at = _in(number / self._stored_per_second * _SAFETY + _SETTLE_SECONDS)
        self._peer.store(self._take(number), number, first_at, spacing)
        self._peer.tidy()
        if first_at - real_now().timestamp() < _SETTLE_SECONDS / 2:
            raise TimeoutError(f"{self._peer.name} loaded too slowly; ask for fewer timers")
        return first_at

    def _wait_until_done(self, log: Path, number: int) -> None:
        """Return when all have fired and the peer has nothing overdue, or the limit has passed."""
        _wait(lambda: len({fire.number for fire in read_fires(log)}) >= number and self._peer.overdue() == 0)
        time.sleep(_LAST_THREADS_SECONDS)

    def _take(self, number: int) -> int:
        """The first of so many fresh numbers."""
        first = self._next
        self._next += number
        return first


def _firsts(fires: Sequence[Fire]) -> list[Fire]:
    """The first firing of each timer."""
    return list({fire.number: fire for fire in reversed(fires)}.values())


def _counts(number: int, fires: Sequence[Fire]) -> list[Figure]:
    distinct = len(_firsts(fires))
    return [
        Figure("fired", distinct),
        Figure("fired twice", len(fires) - distinct),
        Figure("never fired", number - distinct),
    ]


def _in(seconds: float) -> float:
    return real_now().timestamp() + seconds


def _sleep_until(instant: float) -> None:
    time.sleep(max(0.0, instant - real_now().timestamp()))


def _wait(is_done: Callable[[], bool]) -> None:
    until = monotonic() + _DRAIN_LIMIT_SECONDS
    while not is_done() and monotonic() < until:
        time.sleep(0.25)
