"""YAML as people write it, for files that are read as a whole: no aliases, and one error for whatever is wrong.

An alias makes a text of one screen stand for more than any machine could walk through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from yaml.composer import Composer, ComposerError

_LEVELS = 64


class UnreadableYaml(ValueError):
    """The text is no plain YAML; the message says why.

    Attributes:
        line: from 1.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


class TooDeepYaml(UnreadableYaml):
    """The text is YAML that nobody writes."""


def compose_yaml(text: str) -> yaml.Node | None:
    """The nodes, which know their lines; aliases are followed. None for a text that says nothing.

    For readers that stop at the first name they do not know: the nodes of a short text can be endless.

    Raises:
        UnreadableYaml: says where and why.
    """
    with _refusing(text):
        loader = _WithAliases(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()


def read_plain_yaml(text: str, *, is_typed: bool = True) -> tuple[yaml.Node | None, Any]:
    """The nodes, which know their lines, and the values; None and None for a text that says nothing.

    Args:
        is_typed: make numbers, instants, true and false; otherwise every value is a text.

    Raises:
        UnreadableYaml: says where and why.
    """
    with _refusing(text):
        loader = _Plain(text) if is_typed else _PlainTexts(text)
        try:
            node = loader.get_single_node()
            return node, None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()


@contextmanager
def _refusing(text: str) -> Iterator[None]:
    try:
        yield
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "context", None) or "is no YAML"
        # Where something is missing at the end, the library means the line after it.
        line = min(mark.line, text.count("\n")) + 1 if mark else 1
        kind = TooDeepYaml if isinstance(error, _TooDeep) else UnreadableYaml
        raise kind(line, str(problem)) from None
    except (ValueError, OverflowError, LookupError, AttributeError, TypeError) as error:
        # What the library lets through of values that are not what their form or their tag says: !!int of nothing, a
        # 32nd of the month.
        raise UnreadableYaml(1, f"holds a value that cannot be read: {error}") from None


class _TooDeep(ComposerError):
    pass


class _Shallow(Composer):
    """Composes what libyaml parses, which takes a ninth of the time, and no more levels than people write."""

    check_event: Callable[..., bool]  # these two of the parser it is mixed into
    peek_event: Callable[[], Any]
    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self._depth == _LEVELS:
            raise _TooDeep(None, None, "is nested too deeply", self.peek_event().start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _WithoutAliases(_Shallow):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            problem = "an alias is not taken; write out what it stands for"
            raise ComposerError(None, None, problem, self.peek_event().start_mark)
        return super().compose_node(parent, index)


class _WithAliases(_Shallow, yaml.CSafeLoader):
    """What YAML means, for whoever reads the nodes."""

    def __init__(self, text: str) -> None:
        Composer.__init__(self)
        yaml.CSafeLoader.__init__(self, text)


class _Plain(_WithoutAliases, yaml.CSafeLoader):
    """Makes what YAML means."""

    def __init__(self, text: str) -> None:
        Composer.__init__(self)
        yaml.CSafeLoader.__init__(self, text)


class _PlainTexts(_WithoutAliases, yaml.CBaseLoader):
    """Makes texts, lists and mappings only."""

    def __init__(self, text: str) -> None:
        Composer.__init__(self)
        yaml.CBaseLoader.__init__(self, text)
