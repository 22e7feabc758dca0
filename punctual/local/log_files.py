"""Keeps the logs of children small."""

from __future__ import annotations

import shutil
from pathlib import Path

LARGEST_BYTES = 20_000_000
"""Of one file; with the copy before it, a process keeps at most twice this."""


def shorten(log: Path, largest: int = LARGEST_BYTES) -> bool:
    """Move what is in a log that has grown too large to ``<log>.1``; whether it had.

    The file is copied and emptied, not renamed: the child has it open and appends to it. A line written between the
    two steps is lost, which a pipe through the supervisor would prevent, at the price of stopping the children when the
    supervisor is slow.
    """
    try:
        if log.stat().st_size <= largest:
            return False
    except FileNotFoundError:
        return False
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate(0)
    return True
