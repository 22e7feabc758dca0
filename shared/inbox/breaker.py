"""Stops a program that rejects nearly everything: then it is the program that is wrong."""

from __future__ import annotations

from collections import deque

from shared.errors import CircuitOpen

_WINDOW = 200
_LEAST = 50
DEFAULT_SHARE = 0.5


class RejectBreaker:
    """Watches the last 200 outcomes; opens when at least 50 of them, and more than a share, were rejected.

    Args:
        share: 1 never opens, for whoever knows that the input is wrong and wants it all in the dead letters.
    """

    def __init__(self, share: float = DEFAULT_SHARE) -> None:
        self._share = share
        self._outcomes: deque[bool] = deque(maxlen=_WINDOW)

    def record(self, *, handled: int, rejected: int) -> None:
        """Raises:
        CircuitOpen: before the batch commits, so its position stays where it was.
        """
        self._outcomes.extend([False] * min(handled, _WINDOW) + [True] * min(rejected, _WINDOW))
        bad = sum(self._outcomes)
        if bad >= _LEAST and bad > self._share * len(self._outcomes):
            raise CircuitOpen(f"{bad} of the last {len(self._outcomes)} events were rejected; the program stops")
