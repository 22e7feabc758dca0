"""How often somebody may try a password. Pure; the caller brings the time."""

from __future__ import annotations

import math
from collections import OrderedDict, deque

WINDOW_SECONDS = 900.0
MOST_PER_NAME = 5
MOST_PER_ADDRESS = 50
"""Of different names from one address: whoever goes through names with one password each."""

_MOST_KEYS = 10_000


class Attempts:
    """Counts what was tried within the window. Names that do not exist count as those that do."""

    def __init__(self) -> None:
        self._tried: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def begin(self, name: str, address: str, now: float) -> int:
        """Count an attempt before its password is looked at: many at once are many.

        Args:
            now: seconds of a clock that never jumps.

        Returns:
            0, or the seconds to wait; then the attempt was not counted and its password must not be looked at.
        """
        keys = {("name", name): MOST_PER_NAME, ("address", address): MOST_PER_ADDRESS}
        wait = max(self._wait(key, most, now) for key, most in keys.items())
        if wait == 0:
            for key in keys:
                self._tried.setdefault(key, deque()).append(now)
                self._tried.move_to_end(key)
            while len(self._tried) > _MOST_KEYS:
                self._tried.popitem(last=False)
        return wait

    def succeeded(self, name: str, address: str) -> None:
        """The password was right: what was tried for the name is forgotten."""
        self._tried.pop(("name", name), None)
        tried = self._tried.get(("address", address))
        if tried:
            tried.pop()

    def _wait(self, key: tuple[str, str], most: int, now: float) -> int:
        tried = self._tried.get(key)
        if tried is None:
            return 0
        while tried and tried[0] <= now - WINDOW_SECONDS:
            tried.popleft()
        return math.ceil(tried[-most] + WINDOW_SECONDS - now) if len(tried) >= most else 0
