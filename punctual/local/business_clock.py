"""Business time that stops with the system and goes on with it, and never goes back.

``clock.json`` holds the three values that processes agree on, and the last instant known to have been reached.
A system that has only ever run in real time has no such file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from punctual.local.folders import read_json, write_whole
from shared.clock import Clock, ScaledClock, SystemClock, real_now

OUTLIVED = timedelta(seconds=30)
"""How long children may go on after their supervisor was killed: their grace time and something."""


@dataclass(frozen=True)
class ClockState:
    """Attributes:
    start, anchor, speed: as in `shared.clock.ScaledClock`.
    reached_at: the last business instant written down.
    is_stopped: whether the system ended in order at ``reached_at``.
    """

    start: datetime
    anchor: datetime
    speed: float
    reached_at: datetime
    is_stopped: bool

    def clock(self) -> Clock:
        return ScaledClock(self.start, self.anchor, self.speed)


def resume(
    kept: ClockState | None, *, speed: float, start: datetime | None, now: datetime, ran_until_now: bool = False
) -> ClockState | None:
    """The clock of the run that begins at the real instant ``now``; None for real time.

    Args:
        kept: how the last run ended; then ``start`` is of no effect, for business time never goes back.
        start: where the first run of this home begins; ``now`` when not given.
        ran_until_now: whether processes of the last run were found alive.
    """
    if kept is None:
        if speed == 1.0 and start is None:
            return None
        begin = start or now
    elif kept.is_stopped:
        begin = kept.reached_at
    else:
        # The run was killed, and its children may have seen later instants than the one written down: up to where
        # the old clock stands now, but they lived on for half a minute at most.
        stands_at = kept.start + (now - kept.anchor) * kept.speed
        outlived = stands_at if ran_until_now else kept.reached_at + OUTLIVED * kept.speed
        begin = max(kept.reached_at, min(stands_at, outlived))
    return ClockState(start=begin, anchor=now, speed=speed, reached_at=begin, is_stopped=False)


class BusinessClock:
    """The clock of one run, and its file.

    Attributes:
        state: None in real time.
        is_new: whether no run of this home had one before.
    """

    def __init__(self, file: Path, state: ClockState | None, *, is_new: bool = True) -> None:
        self._file = file
        self.state = state
        self.is_new = is_new
        self._clock = SystemClock() if state is None else state.clock()

    @classmethod
    def begin(cls, file: Path, *, speed: float, start: datetime | None, ran_until_now: bool) -> BusinessClock:
        """Go on from what the file says; see `resume`."""
        kept = read_state(file)
        state = resume(kept, speed=speed, start=start, now=real_now(), ran_until_now=ran_until_now)
        clock = cls(file, state, is_new=kept is None)
        clock.keep(is_stopped=False)
        return clock

    def now(self) -> datetime:
        return self._clock.now()

    def keep(self, *, is_stopped: bool) -> None:
        """Write down how far it is; nothing to do in real time."""
        if self.state is not None:
            write_state(self._file, self.state, self.now(), is_stopped=is_stopped)


def read_state(file: Path) -> ClockState | None:
    kept = read_json(file)
    if kept is None:
        return None
    return ClockState(
        start=datetime.fromisoformat(kept["start"]),
        anchor=datetime.fromisoformat(kept["anchor"]),
        speed=float(kept["speed"]),
        reached_at=datetime.fromisoformat(kept["reached_at"]),
        is_stopped=bool(kept["is_stopped"]),
    )


def write_state(file: Path, state: ClockState, reached_at: datetime, *, is_stopped: bool) -> None:
    values = {
        "start": _text(state.start),
        "anchor": _text(state.anchor),
        "speed": state.speed,
        "reached_at": _text(reached_at),
        "is_stopped": is_stopped,
    }
    write_whole(file, json.dumps(values, indent=1) + "\n")


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
