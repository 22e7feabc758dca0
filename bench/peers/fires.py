"""What a peer's timers do when they fire: note it, in a file that survives the kill of the process.

A line in a file costs a few microseconds and no round trip. Ours has to write an event and commit it; the peers are
spared that.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from shared.clock import real_now


@dataclass(frozen=True, slots=True)
class Fire:
    """One firing; instants are seconds since 1970 of the wall clock.

    Attributes:
        number: of the timer.
    """

    number: int
    due_at: float
    fired_at: float

    @property
    def lateness_seconds(self) -> float:
        return self.fired_at - self.due_at


class FireLog:
    """The file, open for appending; every line is one write, so that a kill tears none apart."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, number: int, due_at: float) -> None:
        os.write(self._file, f"{number} {due_at!r} {real_now().timestamp()!r}\n".encode())


def read_fires(path: Path) -> list[Fire]:
    """In the order in which they were noted; empty when none was."""
    if not path.exists():
        return []
    rows = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return [Fire(int(number), float(due_at), float(fired_at)) for number, due_at, fired_at in rows]


_LOG: list[FireLog] = []


def open_log(path: Path) -> None:
    """Where this process notes what fires."""
    _LOG[:] = [FireLog(path)]


def fire(number: int, due_at: float) -> None:
    """A timer fires. At the top level of a module, where a scheduler finds it by its name."""
    _LOG[0].note(number, due_at)
