"""Plays the program of a seed and keeps a diary: `play` with a seed does always the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.model.intake import Told
from tests.model.standing_in import standing_in
from tests.model.world import World

_ACTIONS = (
    "pass_time",
    "wait_for_a_timer",
    "happen",
    "publish",
    "consume",
    "tick",
    "fail",
    "take_over",
    "restart",
    "jump",
    "replay",
    "change_rules",
    "change_mode",
    "roll_out",
    "drain",
    "compare",
)


class NotedWorld(World):
    """Attributes:
    diary: what was done, for people who look at a seed that failed.
    """

    def __init__(self, seed: int) -> None:
        self.diary: list[str] = []
        super().__init__(seed)
        for name in _ACTIONS:
            setattr(self, name, self._noted(name, getattr(self, name)))

    def _noted(self, name: str, act: Callable[[], None]) -> Callable[[], None]:
        def noted() -> None:
            before = self._facts()
            outcome = ""
            try:
                act()
            except BaseException as error:
                outcome = type(error).__name__
                raise
            finally:
                news = [f"{what} {value}" for what, value in self._facts().items() if before.get(what) != value]
                self.diary.append(f"{self.now:%d %H:%M} {name}: {', '.join([*news, outcome]).strip(', ')}")

        return noted

    def _facts(self) -> dict[str, str]:
        store = self.store
        facts = {f"{told.request_id.int % 16} says": _last(told) for told in self.requests}
        facts |= {f"position {p}": f"{at} of {len(store.topic[p])}" for p, at in sorted(store.positions.items())}
        facts |= {f"process {n} owns": str(dict(one.epochs)) for n, one in enumerate(self.processes)}
        facts |= {f"clock {n} is off by": str(offset) for n, offset in enumerate(self.offsets)}
        facts |= {f"process {n} has fault": str(one.fault) for n, one in enumerate(self.processes)}
        facts["decisions"] = str(sum(map(len, store.decisions.values())))
        facts["dead letters"] = str(len(store.dead))
        facts["rollouts"] = str(len(store.rollouts))
        facts["versions"] = str(max(self.rulebooks))
        facts["modes"] = ", ".join(str(activation) for activation in store.activations)
        return facts


def _last(told: Told) -> str:
    entry = told.said[-1]
    words = f"{entry.sequence} {entry.happening.value} {entry.value or ''} {dict(entry.details or {}) or ''}".strip()
    return f"{words} of {entry.occurred_at:%d %H:%M}, {len(told.waiting)} unpublished"


def play(seed: int) -> NotedWorld:
    """Run a program with the real parts; the same seed does always the same.

    Raises:
        Failure: the engine and the reference differ, or the engine contradicts itself.
    """
    world = NotedWorld.__new__(NotedWorld)
    world.seconds = 0.0
    with standing_in(lambda *what: world.watch(*what), lambda: world.seconds):  # noqa: PLW0108  # it is not whole yet
        try:
            world.__init__(seed)  # type: ignore[misc]  # the stand-ins have to know it before it builds its processes
            world.run()
        except Exception as error:
            raise Failure(seed, world.diary, error) from error
    return world


class Failure(AssertionError):
    """Attributes:
    seed: that shows it.
    diary: the program up to there.
    """

    def __init__(self, seed: int, diary: Sequence[str], error: Exception) -> None:
        super().__init__(f"seed {seed}: {type(error).__name__}: {error}")
        self.seed = seed
        self.diary = list(diary)
