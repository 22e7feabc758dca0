"""What the processes of a system use, and what the rest of the machine does meanwhile."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psutil

from bench.figures import Figure, milliseconds
from punctual.local.system import FOUNDATIONS, SERVICES, LocalSystem
from shared.clock import monotonic

_MEBIBYTE = 2**20
_QUIET_CORES = 0.2  # an idle system's heartbeats, polls and metrics take less
_QUIET_SECONDS = 1.0

OURSELVES = "the benchmark"
OTHERS = "others"


def trees(system: LocalSystem) -> dict[str, list[psutil.Process]]:
    """Name of a child -> its process and all those below it."""
    found: dict[str, list[psutil.Process]] = {}
    for name in (*FOUNDATIONS, *SERVICES):
        with contextlib.suppress(KeyError, psutil.NoSuchProcess):  # a system need not have all of them
            process = psutil.Process(system.process(name).pid)
            found[name] = [process, *process.children(recursive=True)]
    return found


def memory_figures(system: LocalSystem) -> list[Figure]:
    """Resident memory of each child; for Postgres, whose processes share theirs, proportional shares added up."""
    figures = []
    for name, tree in trees(system).items():
        is_one = len(tree) == 1
        used = sum(p.memory_info().rss if is_one else p.memory_full_info().pss for p in tree)
        figures.append(Figure(f"memory of {name}", used / _MEBIBYTE, "MiB"))
    return figures


@dataclass
class CpuUse:
    """Cores used on average, by name; ``the benchmark`` is this process and the clients it started.

    ``others`` is everything else on the machine: what disturbed the measurement.
    """

    seconds: float
    cores: Mapping[str, float]

    def figures(self) -> list[Figure]:
        return [Figure(f"cores used by {name}", cores, "cores") for name, cores in self.cores.items()]


def cpu_per(what: str, count: int, uses: Sequence[CpuUse], *, with_client: bool = False) -> list[Figure]:
    """Processor time for each of ``count`` things, by process; stays comparable when others use the machine too.

    Args:
        with_client: tell of the benchmark and its clients, too.
    """
    left_out = {OTHERS} if with_client else {OTHERS, OURSELVES}
    names = [name for name in uses[0].cores if name not in left_out]
    spent = {name: sum(use.cores[name] * use.seconds for use in uses) for name in names}
    return [milliseconds(f"processor time of {name} per {what}", seconds / count) for name, seconds in spent.items()]


@contextlib.contextmanager
def cpu_use(system: LocalSystem, extra: Mapping[str, int] | None = None) -> Iterator[CpuUse]:
    """Measures from here to the end of the block; the result is filled in then.

    Args:
        extra: further processes by name.
    """
    use = CpuUse(0.0, {})
    before, busy_before, began_at = _seconds_of(system, extra or {}), _busy_seconds(), monotonic()
    yield use
    after, busy = _seconds_of(system, extra or {}), _busy_seconds() - busy_before
    use.seconds = monotonic() - began_at
    spent = {name: max(0.0, after[name] - before.get(name, 0.0)) for name in after}
    spent[OTHERS] = max(0.0, busy - sum(spent.values()))
    use.cores = {name: seconds / use.seconds for name, seconds in spent.items()}


def wait_until_quiet(system: LocalSystem, limit_seconds: float = 120.0) -> None:
    """Return when the system has nothing left to do: its processes have rested for a second.

    Raises:
        TimeoutError: they never do.
    """
    until = monotonic() + limit_seconds
    while monotonic() < until:
        began_at, before = monotonic(), _seconds_of(system, {})
        time.sleep(_QUIET_SECONDS)
        after = _seconds_of(system, {})
        used = sum(after[name] - before.get(name, 0.0) for name in after if name != OURSELVES)
        if used / (monotonic() - began_at) < _QUIET_CORES:
            return
    raise TimeoutError(f"the system still works after {limit_seconds:.0f} s")


def _seconds_of(system: LocalSystem, extra: Mapping[str, int]) -> dict[str, float]:
    used: dict[str, float] = {}
    for name, tree in {**trees(system), **{name: [psutil.Process(pid)] for name, pid in extra.items()}}.items():
        used[name] = 0.0
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                # What ended children of a child used is counted, so that a session of Postgres that ends is not lost.
                used[name] += times.user + times.system + times.children_user + times.children_system
    own = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    used[OURSELVES] = sum(r.ru_utime + r.ru_stime for r in own)
    return used


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))
