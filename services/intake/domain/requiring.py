"""What a stage asks for before it is left, and how a move is refused for what it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.intake.domain.life import Life
from services.intake.domain.process import Process
from services.intake.domain.refusing import MoveRefused


def find_missing(process: Process, life: Life) -> tuple[str, ...]:
    """What has to be there before the stage can be left: ``attribute:<name>``, ``control:<name>``."""
    return tuple(_missing(process, life))


def require_complete(process: Process, life: Life, what: str) -> None:
    """
    Args:
        what: cannot be done before everything is there.

    Raises:
        MoveRefused: something is missing.
    """
    missing = find_missing(process, life)
    if missing:
        detail = f"stage {life.stage} asks for more before {what}; missing: {', '.join(missing)}"
        raise MoveRefused("stage_incomplete", detail, "stage", missing=missing)


def require_allowed(code: str, field: str, value: str, allowed: Iterable[str], where: str) -> None:
    """
    Raises:
        MoveRefused: the value is none of those allowed.
    """
    if value not in allowed:
        raise MoveRefused(code, f"{field} {value} is not allowed {where}", field, allowed)


def _missing(process: Process, life: Life) -> Iterator[str]:
    stage = process.stages[life.stage]
    yield from (f"attribute:{name}" for name in stage.required if life.attributes.get(name) is None)
    yield from (f"control:{name}" for name in stage.controls if not life.controls.get(name, False))
    yield from (f"control:{name}" for name in stage.optional_controls if not life.controls.get(name, True))
