"""Waiting for what another process does; it gives no signal, so it is asked again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable

from shared.clock import monotonic


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Raises:
    TimeoutError: names what did not come.
    """
    deadline = monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        pause.wait(0.25)
