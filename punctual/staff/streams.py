"""Long readings of a service, with a bar that shows how far they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import Progress

from punctual.staff.connection import Refused

_PHASES = {"running": "clocks that run", "history": "history", "clocks": "clocks"}


def read_through(
    lines: Iterable[Mapping[str, Any]], found: Callable[[Mapping[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Read a streamed answer to its end; gives its result.

    Args:
        found: told of every line that is neither progress nor the result.

    Raises:
        Refused: it ended without a result.
    """
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}
        for line in lines:
            match line["kind"]:
                case "progress":
                    phase = line["phase"]
                    if phase not in tasks:
                        tasks[phase] = bars.add_task(_PHASES.get(phase, phase))
                    bars.update(tasks[phase], completed=line["done"], total=line["total"] or 1)
                case "result":
                    return dict(line)
                case _:
                    if found is not None:
                        found(line)
    raise Refused("the service stopped in the middle of its answer")
