"""Where tables are shown: a terminal as wide as it is, a pipe or file wide enough for all columns."""

from __future__ import annotations

import os

from rich.console import Console

_WIDE = 160


def screen(*, stderr: bool = False) -> Console:
    """Follows the environment variable COLUMNS where it is set."""
    console = Console(stderr=stderr)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(stderr=stderr, width=_WIDE)
