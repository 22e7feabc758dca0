"""What is different between two versions of a process, one sentence for each thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from services.intake.domain.process import Outcome, Process, Stage
from shared.rules.spans import write_span


def find_process_differences(before: Process, after: Process) -> list[str]:
    """In the order of the definition; empty when both mean the same."""
    return [*_top(before, after), *_stages(before, after), *_outcomes(before, after)]


def _top(before: Process, after: Process) -> Iterator[str]:
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("kind", before.kind, after.kind),
        ("product_lines", before.product_lines, after.product_lines),
        ("start", before.start, after.start),
        ("pauses", before.pauses, after.pauses),
        ("reopening", _reopening(before), _reopening(after)),
        ("cancelling", before.cancelling, after.cancelling),
    )
    for name, old, new in pairs:
        if old != new:
            yield f"{name}: {_write(old)} becomes {_write(new)}"


def _stages(before: Process, after: Process) -> Iterator[str]:
    for name in before.stages.keys() - after.stages.keys():
        yield f"stage {name} is gone"
    for name, stage in after.stages.items():
        if name not in before.stages:
            yield f"stage {name} is new"
            continue
        yield from _members(f"stage {name}", before.stages[name], stage)


def _outcomes(before: Process, after: Process) -> Iterator[str]:
    for name in before.outcomes.keys() - after.outcomes.keys():
        yield f"outcome {name} is gone"
    for name, outcome in after.outcomes.items():
        if name not in before.outcomes:
            yield f"outcome {name} is new"
            continue
        yield from _members(f"outcome {name}", before.outcomes[name], outcome)


def _members(what: str, before: Stage | Outcome, after: Stage | Outcome) -> Iterator[str]:
    for field in fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new:
            yield f"{what}, {field.name.removeprefix('is_')}: {_write(old)} becomes {_write(new)}"


def _reopening(process: Process) -> tuple[str, ...]:
    found = process.reopening
    return () if found is None else (f"within {write_span(found.within)}", f"to {found.stage}", *found.reasons)


def _write(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} ({_write(entry)})" if entry else str(name) for name, entry in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == ():
        return "none"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Iterable):
        return ", ".join(str(entry) for entry in value)
    return str(value)
