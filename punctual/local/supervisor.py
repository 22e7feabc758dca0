"""Starts children, keeps them running, ends them in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from punctual.local.backoff import BackOff
from punctual.local.child import Child, StartFailed
from punctual.local.folders import readable_errors
from punctual.local.program import Program
from shared.clock import monotonic
from shared.errors import ConfigurationError

_LOOK_SECONDS = 0.1
_CHORE_SECONDS = 1.0


class Supervisor:
    """A set of children.

    Args:
        report: takes one line about what a person should know.
        on_change: called whenever a child was started, so that its process id can be written down.
    """

    def __init__(self, report: Callable[[str], None], on_change: Callable[[], None]) -> None:
        self._report = report
        self._on_change = on_change
        self._children: dict[str, Child] = {}
        self._backoff: dict[str, BackOff] = {}
        self._restart_at: dict[str, float] = {}
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="spawner")
        self._ending = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def children(self) -> Mapping[str, Child]:
        return self._children

    def add(self, program: Program) -> Child:
        """A new child, not started yet."""
        self.check()
        child = Child(program, self._spawner, lambda _: self._on_change())
        self._children[child.name] = child
        return child

    def give_up(self) -> None:
        """Let whoever waits for a child, or is about to add one, fail at once."""
        self._ending.set()
        for child in list(self._children.values()):
            child.hold()

    def check(self) -> None:
        """Raises StartFailed after `give_up`."""
        if self._ending.is_set():
            raise StartFailed("the start was broken off")

    def watch(self, chore: Callable[[], None]) -> None:
        """From now on restart children that die, and do the chore once a second."""
        self._watcher = threading.Thread(target=self._watch, args=(chore,), name="supervisor", daemon=True)
        self._watcher.start()

    def stop(self, in_turn: Iterable[Iterable[str]]) -> None:
        """End all children: those of one group at once, group after group, then any that no group names."""
        self._ending.set()
        if self._watcher is not None:
            self._watcher.join()
        groups = [[self._children[name] for name in group if name in self._children] for group in in_turn]
        named = {child.name for group in groups for child in group}
        groups.insert(0, [child for child in self._children.values() if child.name not in named])
        for group in groups:
            if group:
                with ThreadPoolExecutor(len(group)) as pool:
                    list(pool.map(Child.stop, group))
        self._spawner.shutdown()

    def _watch(self, chore: Callable[[], None]) -> None:
        next_chore, complaint = 0.0, ""
        while not self._ending.wait(_LOOK_SECONDS):
            now = monotonic()
            for child in list(self._children.values()):
                self._mend(child, now)
            if now >= next_chore:
                next_chore = now + _CHORE_SECONDS
                trouble = _trouble(chore)  # a full disk must not end the supervision
                if trouble not in ("", complaint):
                    self._report(trouble)
                complaint = trouble

    def _mend(self, child: Child, now: float) -> None:
        name = child.name
        if child.is_running or child.is_held or child.pid is None:
            self._restart_at.pop(name, None)
            return
        if name not in self._restart_at:
            self._backoff[name] = self._backoff.get(name, BackOff()).after_death(now - child.spawned_at)
            wait = self._backoff[name].seconds
            self._restart_at[name] = now + wait
            self._report(
                f"{name} ended with code {child.exit_code}, starts again in {wait:.1f} s; see {child.program.log}"
            )
        elif now >= self._restart_at[name]:
            del self._restart_at[name]
            trouble = _trouble(child.revive)
            if trouble:
                self._report(f"{name} cannot be started: {trouble}")


def _trouble(work: Callable[[], None]) -> str:
    """Do it; what was in the way, or ""."""
    try:
        with readable_errors():
            work()
    except ConfigurationError as error:
        return str(error)
    return ""
