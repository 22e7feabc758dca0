"""From the text of a plan file to a Plan; a mistake is told with file, line and field."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import yaml
from pydantic import ValidationError

from services.quality_audit.domain.plan import Plan
from shared.errors import ConfigurationError
from shared.rules.plain_yaml import UnreadableYaml, read_plain_yaml


@dataclass(frozen=True, slots=True)
class Mistake:
    """Attributes:
    line: counted from 1.
    field: dotted path, positions in lists counted from 0; empty for the document as a whole.
    """

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field + ': ' if self.field else ''}{self.message}"


class PlanRefused(ConfigurationError):
    """The text is no sampling plan.

    Attributes:
        mistakes: all that were found.
    """

    def __init__(self, name: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(f"{name}, {mistake}" for mistake in mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class PlanText:
    """A plan and the text it was read from, which is what a period keeps."""

    plan: Plan
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@lru_cache(maxsize=16)  # a period's plan is read with every batch of closings, and there are four a year
def parse_plan(text: str, name: str = "sampling plan", *, is_stored: bool = False) -> PlanText:
    """Read a plan.

    Args:
        name: of the file, for the message.
        is_stored: a period keeps it, perhaps from before names were bounded: names of any length are taken.

    Raises:
        PlanRefused: names file, line and field of every mistake.
    """
    try:
        root, values = read_plain_yaml(text)
    except UnreadableYaml as error:
        raise PlanRefused(name, [Mistake(error.line, "", str(error))]) from None
    if not isinstance(root, yaml.MappingNode):
        raise PlanRefused(name, [Mistake(1, "", "must be a mapping with version, confidence, targets and risks")])
    repeated = _repeated_keys(root)
    if repeated:
        raise PlanRefused(name, repeated)
    try:
        return PlanText(Plan.model_validate(values, context={"is_stored": is_stored}), text)
    except ValidationError as error:
        raise PlanRefused(
            name,
            [
                Mistake(_line_of(root, e["loc"]), ".".join(map(str, e["loc"])), e["msg"])
                for e in error.errors(include_url=False, include_context=False)
            ],
        ) from None


def _repeated_keys(node: yaml.Node, path: tuple[str, ...] = ()) -> list[Mistake]:
    """YAML would silently keep the last of two equal keys."""
    if isinstance(node, yaml.SequenceNode):
        return [m for index, child in enumerate(node.value) for m in _repeated_keys(child, (*path, str(index)))]
    if not isinstance(node, yaml.MappingNode):
        return []
    found: list[Mistake] = []
    seen: set[str] = set()
    for key, value in node.value:
        here = (*path, str(key.value))
        if key.value in seen:
            found.append(Mistake(key.start_mark.line + 1, ".".join(here), "is given twice"))
        seen.add(str(key.value))
        found += _repeated_keys(value, here)
    return found


def _line_of(root: yaml.Node, location: Sequence[int | str]) -> int:
    """The line of the deepest part of ``location`` that is there: for a missing field, of what misses it."""
    node = root
    line: int = root.start_mark.line
    for step in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return line + 1
