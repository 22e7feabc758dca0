"""Where the ways of a process lead: which stages are reached, and from which a request can end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from services.intake.domain.process import Process


def find_reached(process: Process) -> set[str]:
    """The stages that moves lead to from the start, or from where a closed request goes on."""
    starts = {process.start} | ({process.reopening.stage} if process.reopening is not None else set())
    return _spread(starts, process.stages_after)


def find_ending(process: Process) -> set[str]:
    """The stages where a request can be closed, and those from which it can come to one of them."""
    before: defaultdict[str, list[str]] = defaultdict(list)
    for stage in process.stages:
        for following in process.stages_after(stage):
            before[following].append(stage)
    ends = {stage for stage in process.stages if process.outcomes_at(stage)}
    return _spread(ends, before.__getitem__)


def _spread(start: Iterable[str], neighbours: Callable[[str], Iterable[str]]) -> set[str]:
    found = set(start)
    waiting = list(found)
    while waiting:
        new = set(neighbours(waiting.pop())) - found
        found |= new
        waiting.extend(new)
    return found
