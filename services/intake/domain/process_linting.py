"""Remarks about process definitions that can be used but may not mean what their author meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.intake.domain.process import Process
from shared.rules.document import Document


@dataclass(frozen=True, slots=True)
class Remark:
    """Attributes:
    line: of the stage, or of the document, from 1.
    where: the stage, or the process.
    """

    file: str
    line: int
    where: str
    message: str


def remark_on_process(process: Process, text: str, file: str) -> list[Remark]:
    """
    Args:
        text: what ``process`` was read from.
    """
    lines = {name: field.line for name, field in Document(text, file).root.entries()["stages"].entries().items()}
    return [Remark(file, lines.get(where, 1), where, message) for where, message in _remarks(process)]


def _remarks(process: Process) -> Iterator[tuple[str, str]]:
    for name in process.stages:
        yield from ((name, message) for message in _on_stage(process, name))
    yield from ((process.code, message) for message in _on_process(process))


def _on_stage(process: Process, name: str) -> Iterator[str]:
    stage = process.stages[name]
    if stage.role is None and stage.waits_for is None:
        yield "nobody's turn: it has neither a role nor waits_for"
    if set(stage.next) & set(stage.rework):
        both = ", ".join(sorted(set(stage.next) & set(stage.rework)))
        yield f"{both} can be entered with and without what is asked for, so nothing is asked for"
    if name in stage.next:
        yield "may follow itself; entering it again asks for its control points anew"
    ends = process.outcomes_at(name)
    if (stage.controls or stage.required) and not stage.next and all(process.outcomes[o].is_unchecked for o in ends):
        yield "asks for something, but every way out of it is unchecked"


def _on_process(process: Process) -> Iterator[str]:
    used = {outcome for name in process.stages for outcome in process.outcomes_at(name)}
    for outcome in process.outcomes:
        if outcome not in used:
            yield f"no request can end with outcome {outcome}: no stage allows it"
    if not any(outcome.is_despite_doubts for outcome in process.outcomes.values()):
        yield "no outcome is despite_doubts: while data are doubted, a request cannot even be withdrawn"
    if not any(stage.is_key for stage in process.stages.values()):
        yield "has no key stage: nothing says which handling time matters most"
    if not any(stage.control_points for stage in process.stages.values()):
        yield "has no quality control point"
    if not process.pauses:
        yield "has no reason to pause: a request can wait for nobody"
