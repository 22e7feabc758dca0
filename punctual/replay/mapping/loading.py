"""Reads MAP.yaml; every complaint names file, line and field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from punctual.replay.mapping.model import LogMap
from shared.errors import ConfigurationError
from shared.rules.plain_yaml import UnreadableYaml, read_plain_yaml

_HERE = Path(__file__).resolve().parents[1] / "maps"


def load_map(name: Path) -> LogMap:
    """Read a map.

    Args:
        name: a file, or the name of a map that comes with the program, such as ``teleclaims``.

    Raises:
        ConfigurationError: one line per mistake, ``file:line: field: what is wrong``.
    """
    path = _find(name)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8") from None
    return parse_map(text, str(path))


def parse_map(text: str, origin: str) -> LogMap:
    """Read a map from its text; ``origin`` is the file's name, for the messages."""
    try:
        root, values = read_plain_yaml(text, is_typed=False)
    except UnreadableYaml as error:
        raise ConfigurationError(f"{origin}:{error.line}: not readable as YAML: {error}") from None
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(f"{origin}:1: a mapping is needed, with columns, request and activities")
    problems = [f"{origin}:{line}: {field}: named twice" for line, field in _named_twice(root, ())]
    if problems:
        raise ConfigurationError("\n".join(problems))
    try:
        return LogMap.model_validate(values)
    except ValidationError as error:
        found = [(*_place(root, problem["loc"]), problem["msg"]) for problem in error.errors(include_url=False)]
        lines = [f"{origin}:{line}: {field}: {message}" for line, field, message in sorted(found)]
        raise ConfigurationError("\n".join(dict.fromkeys(lines))) from None


def own_maps() -> list[str]:
    """The maps that come with the program."""
    return sorted(path.stem for path in _HERE.glob("*.yml"))


def _find(name: Path) -> Path:
    if name.exists() or name.parent != Path() or name.suffix:
        return name
    own = _HERE / f"{name}.yml"
    if not own.is_file():
        raise ConfigurationError(f"there is no map {name}; there are {', '.join(own_maps())}, or name a file")
    return own


def _place(root: yaml.Node, location: Sequence[int | str]) -> tuple[int, str]:
    """Line and dotted field. Steps that pydantic adds for its own unions are left out."""
    node, field = root, []
    line = node.start_mark.line
    for depth, step in enumerate(location):
        below = _child(node, step)
        if below is not None:
            key, node = below
            line = key.start_mark.line
            field.append(str(step))
        elif depth == len(location) - 1 and isinstance(node, yaml.MappingNode) and str(step)[0] not in "<[":
            field.append(str(step))  # a field that is missing, told at the line of what should have it
    return line + 1, ".".join(field) or "the document"


def _child(node: yaml.Node, step: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _named_twice(node: yaml.Node, path: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """YAML itself would silently take the last one."""
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _named_twice(item, (*path, str(position)))
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            here = (*path, str(key.value))
            if here in seen:
                yield key.start_mark.line + 1, ".".join(here)
            seen.add(here)
            yield from _named_twice(value, here)
